#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/string_view.h"

namespace kappa {

// Debian's Abseil is built with a string_view of its own; this hands a standard one to its
// functions (StrCat, StrSplit, …).
inline absl::string_view to_absl(std::string_view text) {
  return {text.data(), text.size()};
}
inline std::string_view to_std(absl::string_view text) {
  return {text.data(), text.size()};
}

// Without ASCII white space at both ends.
std::string_view strip_spaces(std::string_view text);
// Whether two texts are equal but for the case of ASCII letters.
bool equals_ignoring_case(std::string_view a, std::string_view b);
// `text` in quotes for an error message: at most 64 bytes of it, escaped where it is not printable
// or not UTF-8, so that the message is UTF-8 whatever was found.
std::string excerpt(std::string_view text);

// The one of `names` that `name` most likely was meant to be (at most a third of its letters
// differ), for "did you mean"; empty if none is near.
std::string closest_name(std::string_view name, const std::vector<std::string>& names);

}  // namespace kappa
