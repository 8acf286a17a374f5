#pragma once

#include <cstdint>
#include <cstdlib>

namespace kappa::test {

// The number that an environment variable holds; `otherwise` without one.
inline uint64_t number_from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace kappa::test
