#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace kappa::cli {

// A record of a CSV file (RFC 4180): fields between commas, in double quotes if they hold commas,
// quotes (doubled) or line breaks. The fields point into the text or, where quotes were doubled,
// into `unescaped`.
struct CsvRecord {
  std::vector<std::string_view> fields;
  std::deque<std::string> unescaped;
  std::string fault;        // why it is none
  size_t bytes = 0;         // that it takes of the text, its line break included
  int64_t line_breaks = 0;  // in these bytes
};

enum class CsvResult : uint8_t {
  kRecord,
  kFault,  // it takes the first line, so that reading can go on at the next
  kMore,   // the text may go on
};

// Reads the record that `text` begins with. `at_end`: nothing comes after the text. A record of
// more than kRecordBytesMax is faulty.
CsvResult parse_csv_record(std::string_view text, bool at_end, CsvRecord* record);

inline constexpr size_t kRecordBytesMax = 1 << 20;

}  // namespace kappa::cli
