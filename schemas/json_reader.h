#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/types/arena.h"
#include "schemas/json_value.h"
#include "schemas/row_writer.h"

namespace kappa::schemas {

// The slow, complete way through a JSON document (simdjson, on demand): it takes fields in any
// order, escapes, white space and nesting, and it alone decides what is wrong with a record.
class JsonReader {
 public:
  explicit JsonReader(const std::vector<JsonColumn>& columns);
  ~JsonReader();
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;

  // Writes all columns of the row at hand, or returns why the payload is not well formed; the row
  // is then half written. kRecordPadding readable bytes follow the payload.
  std::optional<std::string> read(std::string_view payload, RowWriter& row, Arena& arena);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kappa::schemas
