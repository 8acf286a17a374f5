#include "engine/sql/suggest.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/types/text.h"

namespace kappa::sql {
namespace {

constexpr size_t kNamesListedMax = 12;

char lower(char c) {
  return absl::ascii_tolower(static_cast<unsigned char>(c));
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> above(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                           lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

std::optional<std::string> closest(std::string_view name,
                                   const std::vector<std::string>& candidates) {
  const size_t distance_max = std::max<size_t>(1, name.size() / 3);
  std::optional<std::string> best;
  size_t best_distance = distance_max + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = edit_distance(name, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string suggestion(std::string_view name, const std::vector<std::string>& candidates,
                       std::string_view otherwise) {
  if (candidates.empty()) return "";
  if (otherwise.empty()) otherwise = candidates.size() == 1 ? "there is" : "there are";
  if (const auto near = closest(name, candidates)) {
    return absl::StrCat("did you mean \"", *near, "\"?");
  }
  const size_t listed = std::min(candidates.size(), kNamesListedMax);
  const std::vector<std::string> head(candidates.begin(),
                                      candidates.begin() + static_cast<ptrdiff_t>(listed));
  return absl::StrCat(to_absl(otherwise), " ", absl::StrJoin(head, ", "),
                      listed < candidates.size() ? ", …" : "");
}

}  // namespace kappa::sql
