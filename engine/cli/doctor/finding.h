#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kappa::cli::doctor {

// kNotice: good to know, nothing is wrong yet. The others matter: results or running are at risk
// (kWarning), or broken (kError).
enum class Severity : uint8_t { kError, kWarning, kNotice };

// Something that is not as it should be, and how to put it right.
struct Finding {
  Severity severity;
  std::string check;  // who found it: "retention"
  std::string what;
  std::string fix;
};
using Findings = std::vector<Finding>;

}  // namespace kappa::cli::doctor
