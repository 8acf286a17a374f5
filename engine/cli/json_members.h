#pragma once

#include <string_view>
#include <vector>

namespace kappa::cli {

// A member of a JSON object as it is written: `"amount"` and `12.50`. So numbers keep their digits.
struct JsonMember {
  std::string_view name;  // with its quotes
  std::string_view value;
};

// The members of an object that is known to be well formed and to stand on one line.
std::vector<JsonMember> json_members(std::string_view object);

}  // namespace kappa::cli
