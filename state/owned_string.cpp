#include "state/owned_string.h"

#include <cstdlib>

#include "engine/types/invariant.h"

namespace kappa::state {

struct OwnedString::Block {
  uint32_t owners;
};

ptrdiff_t OwnedString::assign(std::string_view value) {
  const auto freed = static_cast<ptrdiff_t>(release());
  size_ = static_cast<uint32_t>(value.size());
  if (is_inline()) {
    if (size_ > 0) std::memcpy(bytes_, value.data(), size_);
    return -freed;
  }
  const size_t bytes = kBlockHeader + value.size();
  auto* block = static_cast<Block*>(std::malloc(bytes));
  KAPPA_INVARIANT(block != nullptr, "out of memory for a string of a row");
  block->owners = 1;
  std::memcpy(reinterpret_cast<char*>(block) + kBlockHeader, value.data(), value.size());
  std::memcpy(bytes_, value.data(), kPrefix);
  std::memcpy(bytes_ + kPrefix, &block, kPointer);
  return static_cast<ptrdiff_t>(bytes) - freed;
}

void OwnedString::share() {
  if (!is_inline()) ++block()->owners;
}

size_t OwnedString::release() {
  size_t freed = 0;
  if (!is_inline() && --block()->owners == 0) {
    freed = kBlockHeader + size_;
    std::free(block());
  }
  *this = OwnedString();
  return freed;
}

}  // namespace kappa::state
