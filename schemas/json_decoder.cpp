#include "schemas/json_decoder.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "schemas/framing.h"
#include "schemas/json_reader.h"
#include "schemas/json_shape.h"
#include "schemas/row_writer.h"

namespace kappa::schemas {
namespace {

// Shapes are tried one after another, the last that fitted first.
constexpr size_t kShapesMax = 8;
// A source whose records never repeat a shape would learn without end: after this many records in
// a row that no shape fitted, only one in kLearnOneIn is learnt from.
constexpr uint64_t kMissesToLearnFrom = 64;
constexpr uint64_t kLearnOneIn = 64;
// Records are read several at a time while they have the shape that fitted last. After some that
// had not, so many are read one by one, and twice as many each time that it happens again at once.
constexpr size_t kAloneMin = 16;
constexpr size_t kAloneMax = 4096;
constexpr size_t kCacheLine = 64;
constexpr size_t kPrefetchBytes = 4 * kCacheLine;  // of a payload

class JsonDecoder final : public Decoder {
 public:
  JsonDecoder(const Source& source, std::vector<int> wanted, JsonPath path)
      : columns_(json_columns(source)),
        row_(source, std::move(wanted)),
        reader_(columns_),
        learns_(path == JsonPath::kLearning) {
    for (size_t i = 0; i < columns_.size(); ++i) by_field_.emplace(columns_[i].field, i);
  }

  void decode(std::span<const RecordView* const> records, Arena& arena, Decoded* out) override {
    row_.begin(records.size(), out);
    for (size_t i = 0; i < records.size();) {
      if (decode_together(records.subspan(i), i, arena)) {
        i += kTogether;
      } else {
        decode_record(*records[i], i, arena);
        ++i;
      }
    }
    row_.finish();
  }

 private:
  static constexpr size_t kTogether = JsonShape::kLanesMax;

  // Records that are next in the order are far apart: each partition's lie in blocks of their own.
  static void prefetch(std::span<const RecordView* const> records) {
    for (const RecordView* record : records) {
      for (size_t at = 0; at < kPrefetchBytes; at += kCacheLine) {
        __builtin_prefetch(record->value + at);
      }
    }
  }

  // Decodes the first kTogether of `records`, the first of which is number `index`. False: they
  // have to be decoded one by one.
  bool decode_together(std::span<const RecordView* const> records, size_t index, Arena& arena) {
    if (records.size() < kTogether || shapes_.empty()) return false;
    if (alone_left_ > 0) {
      --alone_left_;
      return false;
    }
    if (records.size() >= 2 * kTogether) prefetch(records.subspan(kTogether, kTogether));
    std::array<std::string_view, kTogether> payloads;
    bool fit = true;
    for (size_t i = 0; i < kTogether; ++i) {
      const RecordView& record = *records[i];
      payloads[i] = {record.value, record.value_size};
      fit = fit && record.value != nullptr && !may_be_framed_json(record);
    }
    fit = fit && shapes_[0]->read(payloads, columns_, row_, arena) == JsonShape::Outcome::kRow;
    if (!fit) {
      row_.take_back();
      alone_left_ = alone_next_ - 1;
      alone_next_ = std::min(2 * alone_next_, kAloneMax);
      return false;
    }
    for (size_t i = 0; i < kTogether; ++i) row_.accept(index + i);
    alone_next_ = kAloneMin;
    return true;
  }

  void decode_record(const RecordView& record, size_t index, Arena& arena) {
    if (record.value == nullptr) {
      row_.reject(index, "expected a JSON object, got a null payload");
      return;
    }
    std::string_view payload(record.value, record.value_size);
    if (may_be_framed_json(record)) [[unlikely]] {
      payload = unframed(record, index);
      if (payload.data() == nullptr) return;
    }
    bool fits_none = true;
    if (read_by_shape(payload, arena, &fits_none)) {
      row_.accept(index);
      return;
    }
    if (auto reason = reader_.read(payload, row_, arena)) {
      row_.reject(index, *std::move(reason));
      return;
    }
    row_.accept(index);
    if (learns_ && fits_none) learn(payload);
  }

  // What a frame is around; without data: the record is rejected. Apart and by value, so that
  // payloads without a frame stay in registers.
  [[gnu::noinline]] std::string_view unframed(const RecordView& record, size_t index) {
    std::string_view body;
    auto reason = unframe_json(record, &body);
    if (!reason) return body;
    row_.reject(index, *std::move(reason));
    return {};
  }

  bool read_by_shape(std::string_view payload, Arena& arena, bool* fits_none) {
    for (size_t i = 0; i < shapes_.size(); ++i) {
      const JsonShape::Outcome outcome = shapes_[i]->read({&payload, 1}, columns_, row_, arena);
      if (outcome == JsonShape::Outcome::kRow) [[likely]] {
        if (i != 0)
          std::rotate(shapes_.begin(), shapes_.begin() + static_cast<std::ptrdiff_t>(i),
                      shapes_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        misses_ = 0;
        return true;
      }
      row_.take_back();
      if (outcome == JsonShape::Outcome::kOtherContent) {
        *fits_none = false;
        return false;
      }
    }
    return false;
  }

  void learn(std::string_view payload) {
    if (++misses_ > kMissesToLearnFrom && misses_ % kLearnOneIn != 0) return;
    std::optional<JsonShape> shape = JsonShape::learn(payload, columns_, by_field_);
    if (!shape) return;
    for (const auto& known : shapes_) {
      if (known->same_as(*shape)) return;
    }
    if (shapes_.size() == kShapesMax) shapes_.pop_back();
    shapes_.insert(shapes_.begin(), std::make_unique<JsonShape>(*std::move(shape)));
  }

  const std::vector<JsonColumn> columns_;
  absl::flat_hash_map<std::string, size_t> by_field_;
  RowWriter row_;
  JsonReader reader_;
  const bool learns_;
  std::vector<std::unique_ptr<JsonShape>> shapes_;  // the one that fitted last comes first
  uint64_t misses_ = 0;
  size_t alone_left_ = 0;  // records to read before several at a time are tried again
  size_t alone_next_ = kAloneMin;
};

}  // namespace

std::unique_ptr<Decoder> make_json_decoder(const Source& source, std::vector<int> wanted,
                                           JsonPath path) {
  return std::make_unique<JsonDecoder>(source, std::move(wanted), path);
}

}  // namespace kappa::schemas
