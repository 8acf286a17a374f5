#include "schemas/protobuf_encoder.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/types/invariant.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "engine/types/value.h"
#include "schemas/protobuf_of_value.h"
#include "schemas/protobuf_plan.h"
#include "schemas/protobuf_wire.h"

namespace kappa::schemas {
namespace {

bool is_default(const ProtoScalar& value) {
  // Minus zero is no default.
  return value.integer == 0 && value.nanos == 0 && value.text.empty() &&
         std::bit_cast<uint64_t>(value.real) == 0;
}

// Seconds and nanoseconds, as a Timestamp and a Duration have them.
std::string seconds_message(const ProtoScalar& value) {
  std::string message;
  WireWriter out(&message);
  if (value.integer != 0) {
    out.tag(1, WireType::kVarint);
    out.varint(static_cast<uint64_t>(value.integer));
  }
  if (value.nanos != 0) {
    out.tag(2, WireType::kVarint);
    out.varint(static_cast<uint64_t>(int64_t{value.nanos}));
  }
  return message;
}

// The value fits the kind.
void write(ProtoKind kind, const ProtoScalar& value, WireWriter& out) {
  switch (kind) {
    case ProtoKind::kBool:
    case ProtoKind::kInt32:
    case ProtoKind::kInt64:
    case ProtoKind::kUint32:
    case ProtoKind::kUint64:
      return out.varint(static_cast<uint64_t>(value.integer));
    case ProtoKind::kSint32:
    case ProtoKind::kSint64:
      return out.varint(zigzag(static_cast<int64_t>(value.integer)));
    case ProtoKind::kFixed32:
    case ProtoKind::kSfixed32:
      return out.fixed32(static_cast<uint32_t>(value.integer));
    case ProtoKind::kFixed64:
    case ProtoKind::kSfixed64:
      return out.fixed64(static_cast<uint64_t>(value.integer));
    case ProtoKind::kFloat:
      return out.fixed32(std::bit_cast<uint32_t>(static_cast<float>(value.real)));
    case ProtoKind::kDouble:
      return out.fixed64(std::bit_cast<uint64_t>(value.real));
    case ProtoKind::kString:
    case ProtoKind::kBytes:
      return out.bytes(value.text);
    case ProtoKind::kTimestamp:
    case ProtoKind::kDuration:
      return out.bytes(seconds_message(value));
  }
}

class ProtobufEncoder final : public RowEncoder {
 public:
  explicit ProtobufEncoder(ProtoPlan plan)
      : fields_(std::move(plan.columns)), order_(fields_.size()), rivals_(fields_.size()) {
    std::iota(order_.begin(), order_.end(), size_t{0});
    std::sort(order_.begin(), order_.end(),
              [&](size_t a, size_t b) { return fields_[a].number < fields_[b].number; });
    for (const OneofMember& member : plan.oneofs) {
      for (size_t i = 0; i < fields_.size(); ++i) {
        if (fields_[i].number == member.number) rivals_[i] = member.others;
      }
    }
  }

  absl::Status encode(std::span<const ColumnRef> columns, size_t row,
                      std::string* out) const override {
    KAPPA_INVARIANT(columns.size() == fields_.size(), "one column a field");
    for (const size_t i : order_) KAPPA_RETURN_IF_ERROR(encode_field(columns, i, row, out));
    return absl::OkStatus();
  }

 private:
  absl::Status encode_field(std::span<const ColumnRef> columns, size_t index, size_t row,
                            std::string* out) const {
    const ProtoColumn& field = fields_[index];
    const Column& column = *columns[index];
    if (column.is_null(row)) {
      if (!field.wire_required) return absl::OkStatus();
      return absl::InvalidArgumentError(absl::StrCat("column ", field.name, " is NULL, but field ",
                                                     field.number, " is required"));
    }
    for (const size_t rival : rivals_[index]) {
      if (columns[rival]->is_null(row)) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("columns ", field.name, " and ", fields_[rival].name,
                       " are of one oneof: only one of them can have a value, the other is NULL"));
    }
    ProtoScalar value;
    std::string text;
    const bool known = scalar_of_value(field, column, row, &text, &value) && is_known(field, value);
    if (!known) {
      return absl::InvalidArgumentError(absl::StrCat("column ", field.name, ": field ",
                                                     field.number, " cannot hold ",
                                                     excerpt(to_text(value_at(column, row)))));
    }
    if (!field.has_presence && is_default(value)) return absl::OkStatus();
    WireWriter writer(out);
    writer.tag(field.number, wire_type_of(field.kind));
    write(field.kind, value, writer);
    return absl::OkStatus();
  }

  // A closed enum has no numbers without a name.
  static bool is_known(const ProtoColumn& field, const ProtoScalar& value) {
    return !field.closed_enum || field.enum_names.contains(static_cast<int32_t>(value.integer));
  }

  std::vector<ProtoColumn> fields_;          // one for each column
  std::vector<size_t> order_;                // columns, by the numbers of their fields
  std::vector<std::vector<size_t>> rivals_;  // for each column, those in the same oneof
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowEncoder>> make_protobuf_encoder(const Source& sink,
                                                                  const ProductFiles& files) {
  KAPPA_ASSIGN_OR_RETURN(ProtoPlan plan, plan_protobuf(sink, files));
  if (!plan.required_without_column.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(plan.required_without_column.front(),
                                                   " is required, and no column of ", sink.name,
                                                   " fills it"));
  }
  return std::make_unique<ProtobufEncoder>(std::move(plan));
}

}  // namespace kappa::schemas
