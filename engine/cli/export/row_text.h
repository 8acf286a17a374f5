#pragma once

#include <string>
#include <vector>

#include "engine/types/value.h"
#include "operators/plan.h"

namespace kappa::cli {

enum class ExportFormat { kCsv, kNdjson };

// Rows as lines of a file, each ended by a line feed.
//
// csv: RFC 4180 (but for the carriage return), with a line of names at the head. Values are as
// `kappa query` prints them; NULL is an empty field and the empty text is "". Quoted is what holds
// commas, quotes or line breaks.
// ndjson: an object a line, values by to_json() (value_json.h); no head.
class RowText {
 public:
  RowText(ExportFormat format, const operators::Schema& schema);

  std::string head() const;
  void append(const Row& row, std::string* text) const;

 private:
  ExportFormat format_;
  std::vector<std::string> names_;  // as the format writes them
};

}  // namespace kappa::cli
