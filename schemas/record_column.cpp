#include "schemas/record_column.h"

#include <algorithm>
#include <array>

namespace kappa::schemas {
namespace {

struct Definition {
  RecordColumn column;
  std::string_view name;
  Type type;
};

std::array<Definition, 5> definitions() {
  return {Definition{RecordColumn::kKey, "kafka_key", Type::bytea()},
          Definition{RecordColumn::kTimestamp, "kafka_timestamp", Type::timestamptz()},
          Definition{RecordColumn::kHeaders, "kafka_headers", Type::text()},
          Definition{RecordColumn::kPartition, "kafka_partition", Type::integer()},
          Definition{RecordColumn::kOffset, "kafka_offset", Type::bigint()}};
}

}  // namespace

std::vector<ReadableColumn> readable_columns(const Source& source) {
  std::vector<ReadableColumn> readable;
  for (const SourceColumn& column : source.columns) {
    readable.push_back({column.name, column.type, std::nullopt});
  }
  for (const Definition& of_record : definitions()) {
    const bool hidden =
        std::any_of(source.columns.begin(), source.columns.end(),
                    [&](const SourceColumn& column) { return column.name == of_record.name; });
    if (hidden) continue;
    readable.push_back({std::string(of_record.name), of_record.type, of_record.column});
  }
  return readable;
}

}  // namespace kappa::schemas
