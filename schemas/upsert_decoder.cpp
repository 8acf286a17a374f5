#include "schemas/upsert_decoder.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schemas/json_decoder.h"
#include "schemas/utf8.h"

namespace kappa::schemas {
namespace {

// A source whose payloads are the keys of another.
Source source_of_keys(const Source& source) {
  Source keys;
  keys.name = source.name;
  keys.topic = source.topic;
  for (const int column : source.primary_key) {
    keys.columns.push_back(source.columns[static_cast<size_t>(column)]);
    if (keys.columns.back().field.empty()) keys.columns.back().field = keys.columns.back().name;
    keys.columns.back().minor_units = false;  // which is Protobuf's
  }
  return keys;
}

class UpsertDecoder final : public Decoder {
 public:
  UpsertDecoder(const Source& source, std::vector<int> wanted, std::unique_ptr<Decoder> payloads,
                std::unique_ptr<Decoder> keys)
      : wanted_(std::move(wanted)), payloads_(std::move(payloads)), keys_(std::move(keys)) {
    const Type& first = source.columns[static_cast<size_t>(source.primary_key.front())].type;
    plain_text_ = source.primary_key.size() == 1 && first.id == TypeId::kText;
    for (const int column : wanted_) {
      const auto found = std::find(source.primary_key.begin(), source.primary_key.end(), column);
      key_of_wanted_.push_back(found == source.primary_key.end()
                                   ? -1
                                   : static_cast<int>(found - source.primary_key.begin()));
    }
  }

  void decode(std::span<const RecordView* const> records, Arena& arena, Decoded* out) override {
    out->signs.clear();
    std::vector<uint32_t> upserts;
    std::vector<uint32_t> deletions;
    for (uint32_t i = 0; i < records.size(); ++i) {
      (records[i]->value ? upserts : deletions).push_back(i);
    }
    if (deletions.empty()) return payloads_->decode(records, arena, out);
    decode_some(*payloads_, records, upserts, arena, out);
    const Decoded keys = decode_keys(records, deletions, arena);
    out->signs.assign(out->records.size(), 1);
    out->signs.resize(out->records.size() + keys.records.size(), -1);
    for (size_t w = 0; w < wanted_.size(); ++w) append_key(keys, w, &out->columns[w]);
    out->records.insert(out->records.end(), keys.records.begin(), keys.records.end());
    out->malformed.insert(out->malformed.end(), keys.malformed.begin(), keys.malformed.end());
    put_in_order(out);
  }

 private:
  // Decodes the records `picked` and says where they are among all.
  static void decode_some(Decoder& decoder, std::span<const RecordView* const> records,
                          const std::vector<uint32_t>& picked, Arena& arena, Decoded* out) {
    std::vector<const RecordView*> some;
    some.reserve(picked.size());
    for (const uint32_t i : picked) some.push_back(records[i]);
    decoder.decode(some, arena, out);
    for (uint32_t& record : out->records) record = picked[record];
    for (Malformed& malformed : out->malformed) malformed.record = picked[malformed.record];
  }

  // The key columns of records without a payload.
  Decoded decode_keys(std::span<const RecordView* const> records,
                      const std::vector<uint32_t>& deletions, Arena& arena) {
    Decoded keys;
    if (plain_text_) {
      read_texts(records, deletions, &keys);
      return keys;
    }
    std::vector<RecordView> views;
    std::vector<const RecordView*> by_record(records.size(), nullptr);
    views.reserve(deletions.size());
    std::vector<uint32_t> keyed;
    for (const uint32_t i : deletions) {
      if (!records[i]->key) {
        keys.malformed.push_back({i, kNoKey});
        continue;
      }
      RecordView view;
      char* const bytes = arena.allocate(records[i]->key_size + kRecordPadding);
      std::memcpy(bytes, records[i]->key, records[i]->key_size);
      std::memset(bytes + records[i]->key_size, 0, kRecordPadding);
      view.value = bytes;
      view.value_size = records[i]->key_size;
      views.push_back(view);
      by_record[i] = &views.back();
      keyed.push_back(i);
    }
    Decoded read;
    decode_some(*keys_, by_record, keyed, arena, &read);
    for (Malformed& malformed : read.malformed) {
      malformed.reason = absl::StrCat("the key of a record without a value: ", malformed.reason);
    }
    read.malformed.insert(read.malformed.end(), keys.malformed.begin(), keys.malformed.end());
    return read;
  }

  static void read_texts(std::span<const RecordView* const> records,
                         const std::vector<uint32_t>& deletions, Decoded* keys) {
    Column& texts = keys->columns.emplace_back(Type::text());
    for (const uint32_t i : deletions) {
      const auto key = records[i]->key_view();
      const bool text = key && key->size() <= kTextBytesMax && is_valid_utf8(*key) &&
                        key->find('\0') == std::string_view::npos;
      if (!text) {
        keys->malformed.push_back({i, key ? kNoText : kNoKey});
        continue;
      }
      texts.resize(texts.rows() + 1);
      texts.values<StringRef>().back() = {key->data(), static_cast<uint32_t>(key->size())};
      keys->records.push_back(i);
    }
  }

  // Adds the deletions' values of a wanted column: their key's, or NULL.
  void append_key(const Decoded& keys, size_t wanted, Column* column) const {
    if (key_of_wanted_[wanted] >= 0) {
      column->append(keys.columns[static_cast<size_t>(key_of_wanted_[wanted])]);
      return;
    }
    const size_t before = column->rows();
    column->resize(before + keys.records.size());
    for (size_t row = before; row < column->rows(); ++row) column->set_null(row);
  }

  static void put_in_order(Decoded* out) {
    std::vector<uint32_t> order(out->records.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](uint32_t a, uint32_t b) { return out->records[a] < out->records[b]; });
    for (Column& column : out->columns) column = column.gather(order);
    std::vector<int8_t> signs;
    signs.reserve(order.size());
    for (const uint32_t i : order) signs.push_back(out->signs[i]);
    out->signs = std::move(signs);
    std::sort(out->records.begin(), out->records.end());
    std::sort(out->malformed.begin(), out->malformed.end(),
              [](const Malformed& a, const Malformed& b) { return a.record < b.record; });
  }

  static constexpr char kNoKey[] =
      "expected a key: a record without a value deletes the row of its key";
  static constexpr char kNoText[] = "the key of a record without a value is no text";

  std::vector<int> wanted_;
  std::unique_ptr<Decoder> payloads_;
  std::unique_ptr<Decoder> keys_;
  bool plain_text_ = false;
  std::vector<int> key_of_wanted_;  // by wanted column: its number in the key; -1: it is not in it
};

}  // namespace

std::unique_ptr<Decoder> make_upsert_decoder(const Source& source, std::vector<int> wanted,
                                             std::unique_ptr<Decoder> payloads) {
  std::vector<int> all(source.primary_key.size());
  std::iota(all.begin(), all.end(), 0);
  auto keys = make_json_decoder(source_of_keys(source), std::move(all));
  return std::make_unique<UpsertDecoder>(source, std::move(wanted), std::move(payloads),
                                         std::move(keys));
}

}  // namespace kappa::schemas
