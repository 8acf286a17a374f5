#pragma once

#include <string>

namespace kappa {

// Logs `what`, the condition and the place, then aborts. Called by KAPPA_INVARIANT only.
[[noreturn]] void invariant_failed(const char* condition, const std::string& what, const char* file,
                                   int line);

}  // namespace kappa

// States what must hold whatever the input: a violation is a bug of ours. On in release builds.
// `what` may be any expression that makes a std::string; it is evaluated on failure only.
#define KAPPA_INVARIANT(cond, what)                                            \
  do {                                                                         \
    if (!(cond)) [[unlikely]]                                                  \
      ::kappa::invariant_failed(#cond, std::string(what), __FILE__, __LINE__); \
  } while (false)
