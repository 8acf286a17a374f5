#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/types/type.h"

namespace kappa::schemas {

enum class Format : uint8_t { kJson, kProtobuf };

// How an integer on the wire stands for a time: timestamptz and date columns only.
enum class TimeUnit : uint8_t { kNone, kSeconds, kMillis, kMicros, kNanos };

// A declared column of a source: CREATE FOREIGN TABLE's column with its OPTIONS.
struct SourceColumn {
  std::string name;
  std::string field;  // name on the wire; default: the column's
  Type type;
  bool not_null = false;
  TimeUnit unit = TimeUnit::kNone;
  bool minor_units = false;  // Protobuf int64 holds a numeric's scaled value
};

// A declared source (or, for output topics, sink): what CREATE FOREIGN TABLE … SERVER log says.
struct Source {
  std::string name;   // the table's
  std::string topic;  // default: the table's name
  Format format = Format::kJson;
  std::string proto_file;     // relative to the product's directory
  std::string proto_message;  // fully qualified
  std::vector<SourceColumn> columns;
  std::vector<int> primary_key;   // column indexes; empty: none
  bool upsert = false;            // mode 'upsert': the latest record of a key is its row
  std::optional<int> event_time;  // among readable_columns(): declared, or kafka_timestamp
  int64_t out_of_orderness_us = 0;
  int64_t max_future_us = 3'600'000'000;
  std::optional<int64_t> idle_timeout_us;
};

// The canonical text of a source, part of plan fingerprints.
std::string describe(const Source& source);

}  // namespace kappa::schemas
