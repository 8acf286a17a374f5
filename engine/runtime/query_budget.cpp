#include "engine/runtime/query_budget.h"

#include "absl/strings/str_cat.h"

namespace kappa::runtime {

absl::Status QueryBudget::check_deadline() const {
  if (limits_.deadline == Deadline::max() || std::chrono::steady_clock::now() <= limits_.deadline) {
    return absl::OkStatus();
  }
  return absl::DeadlineExceededError(absl::StrCat(
      "the query did not end before its deadline; it had read ", rows_scanned_, " rows"));
}

absl::Status QueryBudget::count_scanned(size_t rows) {
  rows_scanned_ += rows;
  if (rows_scanned_ <= limits_.rows_scanned_max) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the query reads more than ", limits_.rows_scanned_max,
                   " rows of its views; pin a whole key with =, or ask a view that holds less"));
}

absl::Status QueryBudget::hold(size_t bytes, size_t* held) {
  memory_bytes_ = memory_bytes_ - *held + bytes;
  *held = bytes;
  if (memory_bytes_ <= limits_.memory_bytes_max) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the query needs more than ", limits_.memory_bytes_max,
                   " bytes of memory; select fewer columns, or fewer rows with WHERE or LIMIT"));
}

}  // namespace kappa::runtime
