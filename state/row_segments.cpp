#include "state/row_segments.h"

namespace kappa::state {
namespace {

constexpr size_t kSegmentsPerRegion = 16;

}  // namespace

// A small table stays within its first segment, which takes ordinary pages and so only as much as
// it uses.
void RowSegments::add_region() {
  const size_t segment_bytes = size_t{row_bytes_} << kRowBits;
  const bool first = segments_.empty();
  const size_t segments = first ? 1 : kSegmentsPerRegion;
  regions_.emplace_back(segments * segment_bytes,
                        first ? MappedMemory::Pages::kOrdinary : MappedMemory::Pages::kHuge);
  for (size_t i = 0; i < segments; ++i) {
    segments_.push_back(regions_.back().begin() + i * segment_bytes);
  }
}

}  // namespace kappa::state
