#include "engine/serve/grpc_library.h"

#include <mutex>

#include <grpc/grpc.h>

namespace kappa::serve {

void keep_grpc_up() {
  static std::once_flag once;
  std::call_once(once, [] { grpc_init(); });
}

}  // namespace kappa::serve
