#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/cli/import/record_reader.h"
#include "engine/serve/client.h"

namespace kappa::cli {

// How a field's text becomes JSON. kAuto: a number if it is written as JSON writes one, without an
// exponent, in at most 38 digits, none of them a leading zero; else a string. Numbers keep their
// digits as they are written.
enum class FieldType : uint8_t { kAuto, kText, kInteger, kNumber, kBoolean };

// What the command line says of fields, as it says it.
struct MappingOptions {
  std::vector<std::string> types;    // "column=integer"
  std::vector<std::string> renames;  // "old=new"
  std::vector<std::string> drops;
  std::vector<std::string> sets;  // "field=constant"
  std::vector<std::string> key;
  std::string timestamp;              // a column; empty: the log's clock
  std::string timestamp_unit = "ms";  // s, ms, us, iso
  std::string timestamp_delay;        // an interval
};

// What a product declares of the topic's fields, by their names in the payload.
using DeclaredTypes = std::map<std::string, FieldType>;

// Makes the log's records of a file's records: JSON objects with a field a column (NDJSON: as they
// are, unless an option changes fields). An empty CSV field is left out. Options speak of fields by
// their names in the file. One thread.
class Mapping {
 public:
  // `columns`: of a CSV file; nullptr: NDJSON. InvalidArgument: an option is wrong, or names a
  // column that the file does not have.
  static absl::StatusOr<Mapping> make(const MappingOptions& options,
                                      const std::vector<std::string>* columns,
                                      const DeclaredTypes& declared);

  // InvalidArgument: what is wrong with the record.
  absl::Status map(const InputRecord& input, serve::RecordToSend* record);

  // Names everything in the options that decides what the records are.
  const std::string& description() const { return description_; }

 private:
  // What becomes of one column.
  struct Field {
    std::string prefix;  // `"name":`
    FieldType type = FieldType::kAuto;
    bool dropped = false;
    int key_part = -1;
    bool timestamp = false;
  };
  enum class Unit : uint8_t { kSeconds, kMillis, kMicros, kIso };

  Mapping() = default;
  absl::Status set_up(const MappingOptions& options);
  absl::Status set_up_timestamp(const MappingOptions& options);
  absl::StatusOr<Field*> field(const std::string& option, std::string_view name);
  absl::Status map_csv(const InputRecord& input, serve::RecordToSend* record);
  absl::Status map_json(const InputRecord& input, serve::RecordToSend* record);
  absl::Status take_timestamp(std::string_view text, serve::RecordToSend* record) const;
  void take_key(const std::vector<std::optional<std::string_view>>& parts,
                serve::RecordToSend* record) const;
  void open_object(std::string* json) const;

  bool csv_ = false;
  bool rewrites_ = false;  // NDJSON: some option changes the fields
  std::vector<std::string> columns_;
  std::vector<Field> csv_fields_;                        // by column
  std::map<std::string, Field, std::less<>> fields_;     // NDJSON: those that options name
  std::map<std::string, std::string, std::less<>> set_;  // name → JSON
  size_t key_parts_ = 0;
  std::string timestamp_;
  Unit unit_ = Unit::kMillis;
  int64_t delay_ms_ = 0;
  std::string description_;
  std::deque<std::string> decoded_;  // texts of the NDJSON record at hand
};

}  // namespace kappa::cli
