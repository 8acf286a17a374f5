#include "engine/types/invariant.h"

#include <cstdio>
#include <cstdlib>

namespace kappa {

void invariant_failed(const char* condition, const std::string& what, const char* file, int line) {
  std::fprintf(stderr, "kappa: broken invariant: %s (%s) at %s:%d\n", what.c_str(), condition, file,
               line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace kappa
