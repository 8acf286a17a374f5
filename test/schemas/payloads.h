#pragma once

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/types/record.h"
#include "engine/types/value.h"
#include "schemas/decoder.h"

namespace kappa::schemas {

// Records to decode. Each payload lies in a buffer of its own that ends with its padding, so that a
// sanitizer sees every byte read too many; the padding looks like more of the same.
class Payloads {
 public:
  void add(std::string_view payload) {
    buffers_.emplace_back(new char[payload.size() + kRecordPadding]);
    char* const bytes = buffers_.back().get();
    if (!payload.empty()) std::memcpy(bytes, payload.data(), payload.size());
    constexpr std::string_view kPadding = R"(0123456789"}, 00:00:00.000"},"a":1,"b":"true},nullx)";
    for (size_t i = 0; i < kRecordPadding; ++i) {
      bytes[payload.size() + i] = kPadding[(i + payload.size()) % kPadding.size()];
    }
    RecordView record;
    record.value = bytes;
    record.value_size = static_cast<uint32_t>(payload.size());
    records_.push_back(record);
  }
  void add(std::string_view payload, const RecordHeaders& headers) {
    add(payload);
    const std::string encoded = encode_headers(headers);
    buffers_.emplace_back(new char[encoded.size()]);
    std::memcpy(buffers_.back().get(), encoded.data(), encoded.size());
    records_.back().headers = buffers_.back().get();
    records_.back().headers_size = static_cast<uint32_t>(encoded.size());
  }
  void add_null() { records_.emplace_back(); }
  const std::vector<RecordView>& records() const { return records_; }

 private:
  std::vector<std::unique_ptr<char[]>> buffers_;
  std::vector<RecordView> records_;
};

inline SourceColumn column_of(std::string name, Type type) {
  SourceColumn column;
  column.name = name;
  column.field = std::move(name);
  column.type = type;
  return column;
}

inline std::vector<int> all_of(const Source& source) {
  std::vector<int> wanted;
  for (size_t i = 0; i < source.columns.size(); ++i) wanted.push_back(static_cast<int>(i));
  return wanted;
}

// The row as text, one cell a column.
inline std::vector<std::string> row_of(const Decoded& decoded, size_t row) {
  std::vector<std::string> cells;
  for (const Column& column : decoded.columns) cells.push_back(to_text(value_at(column, row)));
  return cells;
}

// Two decoders' results are the same, row by row and reason by reason.
inline void require_same(const Decoded& a, const Decoded& b) {
  REQUIRE(a.records == b.records);
  REQUIRE(a.columns.size() == b.columns.size());
  for (size_t c = 0; c < a.columns.size(); ++c) {
    REQUIRE(a.columns[c].rows() == a.records.size());
    REQUIRE(b.columns[c].rows() == b.records.size());
  }
  for (size_t row = 0; row < a.records.size(); ++row) REQUIRE(row_of(a, row) == row_of(b, row));
  REQUIRE(a.malformed.size() == b.malformed.size());
  for (size_t i = 0; i < a.malformed.size(); ++i) {
    REQUIRE(a.malformed[i].record == b.malformed[i].record);
    REQUIRE(a.malformed[i].reason == b.malformed[i].reason);
  }
}

}  // namespace kappa::schemas
