#pragma once

#include <cstdint>
#include <fstream>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace kappa::cli {

// The side file for what cannot be imported: a JSON object a record with its line, the reason and
// the record as it stands (in base64 if it is not UTF-8). The file is made with the first of them.
class BadLines {
 public:
  explicit BadLines(std::string path) : path_(std::move(path)) {}

  // Before the first add(). A new import removes what another one left; one that goes on takes in
  // what it had written, so that nothing is kept twice.
  absl::Status begin(bool goes_on);
  // Written, though not synced, on return. The first few are also told on standard error.
  absl::Status add(int64_t line, std::string_view reason, std::string_view text);

  bool holds(int64_t line) const { return lines_.contains(line); }
  size_t count() const { return lines_.size(); }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  std::ofstream file_;
  std::set<int64_t> lines_;
  int told_ = 0;
};

}  // namespace kappa::cli
