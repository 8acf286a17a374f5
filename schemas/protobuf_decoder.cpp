#include "schemas/protobuf_decoder.h"

#include <bit>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/types/datetime.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "schemas/framing.h"
#include "schemas/protobuf_plan.h"
#include "schemas/protobuf_value.h"
#include "schemas/protobuf_wire.h"
#include "schemas/row_writer.h"

namespace kappa::schemas {
namespace {

// Field numbers below this are looked up in a table; larger ones are rare and searched for.
constexpr uint32_t kTableSize = 1024;

class ProtobufDecoder final : public Decoder {
 public:
  ProtobufDecoder(const Source& source, std::vector<int> wanted, ProtoPlan plan)
      : message_(source.proto_message),
        columns_(std::move(plan.columns)),
        oneofs_(std::move(plan.oneofs)),
        indexes_(std::move(plan.message_indexes)),
        row_(source, std::move(wanted)),
        seen_(columns_.size(), 0),
        parts_(columns_.size()),
        table_(kTableSize, -1) {
    for (size_t i = 0; i < columns_.size(); ++i) {
      wire_types_.push_back(wire_type_of(columns_[i].kind));
      if (columns_[i].number < kTableSize) table_[columns_[i].number] = static_cast<int>(i);
    }
  }

  void decode(std::span<const RecordView* const> records, Arena& arena, Decoded* out) override {
    row_.begin(records.size(), out);
    for (size_t i = 0; i < records.size(); ++i) {
      if (auto reason = read(*records[i], arena)) {
        row_.reject(i, *std::move(reason));
      } else {
        row_.accept(i);
      }
    }
    row_.finish();
  }

 private:
  int column_of(uint32_t number) const {
    if (number < kTableSize) return table_[number];
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].number == number) return static_cast<int>(i);
    }
    return -1;
  }

  std::optional<std::string> read(const RecordView& record, Arena& arena) {
    if (record.value == nullptr)
      return absl::StrCat("expected a message ", message_, ", got a null payload");
    std::string_view payload(record.value, record.value_size);
    if (may_be_framed_protobuf(record)) [[unlikely]] {
      std::optional<std::string> reason;
      payload = unframed(record, &reason);
      if (reason) return reason;
    }
    ++messages_;
    WireReader in(payload);
    while (!in.done()) {
      const size_t position = in.position();
      uint32_t number = 0;
      WireType type{};
      if (!in.tag(&number, &type)) return broken("a broken field tag", position);
      if (!oneofs_.empty()) forget_other_members(number, type);
      const int column = column_of(number);
      if (column < 0) {
        if (!in.skip(type)) return broken(absl::StrCat("a broken field ", number), position);
        continue;
      }
      const auto index = static_cast<size_t>(column);
      if (type != wire_types_[index]) return wrong_wire_type(index, type);
      ProtoScalar value;
      if (!read_value(in, index, &value))
        return broken(absl::StrCat("a broken field ", number), position);
      if (!store(index, value, arena)) return mismatch(index, value);
    }
    return fill_absent(arena);
  }

  // What a frame is around, or the reason why there is none.
  [[gnu::noinline]] std::string_view unframed(const RecordView& record,
                                              std::optional<std::string>* reason) const {
    std::string_view body;
    *reason = unframe_protobuf(record, indexes_, message_, &body);
    return body;
  }

  void forget_other_members(uint32_t number, WireType type) {
    for (const OneofMember& member : oneofs_) {
      if (member.number != number || wire_type_of(member.kind) != type) continue;
      for (const size_t column : member.others) seen_[column] = 0;
    }
  }

  // Reads the value of a declared field as its kind says.
  bool read_value(WireReader& in, size_t index, ProtoScalar* value) {
    uint64_t wide = 0;
    uint32_t narrow = 0;
    switch (columns_[index].kind) {
      case ProtoKind::kBool:
        if (!in.varint(&wide)) return false;
        value->integer = wide != 0 ? 1 : 0;
        return true;
      case ProtoKind::kInt32:
        if (!in.varint(&wide)) return false;
        value->integer = static_cast<int32_t>(wide);  // the upper half is but the sign
        return true;
      case ProtoKind::kUint32:
        if (!in.varint(&wide)) return false;
        value->integer = static_cast<uint32_t>(wide);
        return true;
      case ProtoKind::kSint32:
        if (!in.varint(&wide)) return false;
        value->integer = unzigzag(static_cast<uint32_t>(wide));
        return true;
      case ProtoKind::kInt64:
        if (!in.varint(&wide)) return false;
        value->integer = static_cast<int64_t>(wide);
        return true;
      case ProtoKind::kUint64:
        if (!in.varint(&wide)) return false;
        value->integer = wide;
        return true;
      case ProtoKind::kSint64:
        if (!in.varint(&wide)) return false;
        value->integer = unzigzag(wide);
        return true;
      case ProtoKind::kFixed32:
        if (!in.fixed32(&narrow)) return false;
        value->integer = narrow;
        return true;
      case ProtoKind::kSfixed32:
        if (!in.fixed32(&narrow)) return false;
        value->integer = static_cast<int32_t>(narrow);
        return true;
      case ProtoKind::kFloat:
        if (!in.fixed32(&narrow)) return false;
        value->real = std::bit_cast<float>(narrow);
        return true;
      case ProtoKind::kFixed64:
        if (!in.fixed64(&wide)) return false;
        value->integer = wide;
        return true;
      case ProtoKind::kSfixed64:
        if (!in.fixed64(&wide)) return false;
        value->integer = static_cast<int64_t>(wide);
        return true;
      case ProtoKind::kDouble:
        if (!in.fixed64(&wide)) return false;
        value->real = std::bit_cast<double>(wide);
        return true;
      case ProtoKind::kString:
      case ProtoKind::kBytes:
        return in.bytes(&value->text);
      case ProtoKind::kTimestamp:
      case ProtoKind::kDuration:
        return read_seconds(in, index, value);
    }
    return false;
  }

  // A Timestamp or Duration: seconds = 1, nanos = 2. A message field that comes twice is merged.
  bool read_seconds(WireReader& in, size_t index, ProtoScalar* value) {
    std::string_view content;
    if (!in.bytes(&content)) return false;
    Parts& parts = parts_[index];
    if (seen_[index] != messages_) parts = {};
    WireReader inner(content);
    while (!inner.done()) {
      uint32_t number = 0;
      WireType type{};
      if (!inner.tag(&number, &type)) return false;
      uint64_t bits = 0;
      if (number == 1 && type == WireType::kVarint) {
        if (!inner.varint(&bits)) return false;
        parts.seconds = static_cast<int64_t>(bits);
      } else if (number == 2 && type == WireType::kVarint) {
        if (!inner.varint(&bits)) return false;
        parts.nanos = static_cast<int32_t>(bits);
      } else if (!inner.skip(type)) {
        return false;
      }
    }
    value->integer = parts.seconds;
    value->nanos = parts.nanos;
    return true;
  }

  bool store(size_t index, const ProtoScalar& value, Arena& arena) {
    const ProtoColumn& column = columns_[index];
    if (column.closed_enum && !column.enum_names.contains(static_cast<int32_t>(value.integer)))
      return true;  // as good as absent
    if (!store_proto_value(column, index, value, row_, arena)) return false;
    seen_[index] = messages_;
    return true;
  }

  std::optional<std::string> fill_absent(Arena& arena) {
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (seen_[i] == messages_) continue;
      const ProtoColumn& column = columns_[i];
      if (!column.wire_required) {
        const bool stored = column.has_presence
                                ? row_.set_null(i)
                                : store_proto_value(column, i, ProtoScalar{}, row_, arena);
        if (stored) continue;
      }
      return absl::StrCat("column ", column.name, ": field ", column.number,
                          " is missing and must not be; expected ", column.expected);
    }
    return std::nullopt;
  }

  std::string broken(const std::string& what, size_t position) const {
    return absl::StrCat("not a valid message ", message_, ": ", what, " at byte ", position);
  }
  std::string wrong_wire_type(size_t index, WireType type) const {
    return absl::StrCat("column ", columns_[index].name, ": expected field ",
                        columns_[index].number, " in wire type ",
                        static_cast<int>(wire_types_[index]), ", got wire type ",
                        static_cast<int>(type));
  }
  std::string mismatch(size_t index, const ProtoScalar& value) const {
    return absl::StrCat("column ", columns_[index].name, ": expected ", columns_[index].expected,
                        ", got ", describe_proto_value(columns_[index], value));
  }

  struct Parts {
    int64_t seconds = 0;
    int32_t nanos = 0;
  };

  const std::string message_;
  const std::vector<ProtoColumn> columns_;
  const std::vector<OneofMember> oneofs_;
  const std::vector<int> indexes_;    // of the message, as frames have them
  std::vector<WireType> wire_types_;  // for each column
  RowWriter row_;
  uint64_t messages_ = 0;
  std::vector<uint64_t> seen_;  // for each column the number of the last message that had it
  std::vector<Parts> parts_;    // for each column of a Timestamp or Duration
  std::vector<int> table_;      // column by field number, or -1
};

}  // namespace

absl::StatusOr<std::unique_ptr<Decoder>> make_protobuf_decoder(const Source& source,
                                                               std::vector<int> wanted,
                                                               const ProductFiles& files) {
  KAPPA_ASSIGN_OR_RETURN(ProtoPlan plan, plan_protobuf(source, files));
  return std::make_unique<ProtobufDecoder>(source, std::move(wanted), std::move(plan));
}

}  // namespace kappa::schemas
