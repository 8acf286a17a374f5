#include "state/row_segments.h"

#include <sys/mman.h>

#include "engine/types/invariant.h"

namespace kappa::state {
namespace {

constexpr size_t kHugePageBytes = 2u << 20;

std::byte* map_memory(size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  KAPPA_INVARIANT(memory != MAP_FAILED, "out of memory for rows of state");
  return static_cast<std::byte*>(memory);
}

}  // namespace

size_t RowSegments::segment_bytes() const {
  constexpr size_t kPageBytes = 4096;
  const size_t bytes = size_t{row_bytes_} << kRowBits;
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

void RowSegments::add_segment() {
  std::byte* segment = map_memory(segment_bytes());
  // Huge pages save most TLB misses of a large table. A small table stays within its first segment,
  // which takes ordinary pages and so only what it uses.
  if (!segments_.empty() && segment_bytes() >= kHugePageBytes) {
    (void)madvise(segment, segment_bytes(), MADV_HUGEPAGE);
  }
  segments_.push_back(segment);
}

RowSegments::~RowSegments() {
  for (std::byte* segment : segments_) (void)munmap(segment, segment_bytes());
}

}  // namespace kappa::state
