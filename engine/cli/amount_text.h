#pragma once

#include <cstdint>
#include <string>

namespace kappa::cli {

// "3.0 MiB".
std::string bytes_text(uint64_t bytes);
// "85,000".
std::string count_text(uint64_t count);
// Of so many seconds, at least one: "40 s", "4 min", "3 h", "12 days".
std::string duration_text(double seconds);
// To two digits, as far as an estimate goes: 85123.4 is 85000.
double roughly(double amount);

}  // namespace kappa::cli
