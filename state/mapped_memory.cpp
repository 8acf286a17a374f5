#include "state/mapped_memory.h"

#include <cstdint>

#include <sys/mman.h>

#include "engine/types/invariant.h"

namespace kappa::state {
namespace {

std::byte* map_pages(size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  KAPPA_INVARIANT(memory != MAP_FAILED, "out of memory for state");
  return static_cast<std::byte*>(memory);
}

// Maps a huge page more than asked for and gives back what lies before the first whole one and
// behind the last.
std::byte* map_huge_pages(size_t bytes) {
  std::byte* mapped = map_pages(bytes + kHugePageBytes);
  const size_t past = reinterpret_cast<uintptr_t>(mapped) % kHugePageBytes;
  const size_t before = past == 0 ? 0 : kHugePageBytes - past;
  if (before > 0) (void)munmap(mapped, before);
  (void)munmap(mapped + before + bytes, kHugePageBytes - before);
  (void)madvise(mapped + before, bytes, MADV_HUGEPAGE);
  return mapped + before;
}

}  // namespace

MappedMemory::MappedMemory(size_t bytes, Pages pages) : begin_(nullptr), bytes_(bytes) {
  if (pages == Pages::kOrdinary) {
    begin_ = map_pages(bytes_);
  } else {
    bytes_ = (bytes + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
    begin_ = map_huge_pages(bytes_);
  }
}

MappedMemory::~MappedMemory() {
  if (begin_ != nullptr) (void)munmap(begin_, bytes_);
}

}  // namespace kappa::state
