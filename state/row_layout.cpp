#include "state/row_layout.h"

#include <algorithm>
#include <numeric>

namespace kappa::state {
namespace {

uint32_t alignment_of(const Type& type) {
  const PhysicalType physical = type.physical();
  return physical == PhysicalType::kString ? uint32_t{alignof(OwnedString)} : width_of(physical);
}

uint32_t round_up(uint32_t offset, uint32_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

// Gives each field its offset from `offset` on and returns where they end. Of the fields left, the
// first that fits without a gap is next, and the widest if none does.
uint32_t place_fields(std::vector<RowField>& fields, uint32_t offset) {
  std::vector<size_t> left(fields.size());
  std::iota(left.begin(), left.end(), size_t{0});
  std::stable_sort(left.begin(), left.end(), [&](size_t a, size_t b) {
    return width_of(fields[a].type.physical()) > width_of(fields[b].type.physical());
  });
  while (!left.empty()) {
    auto next = std::find_if(left.begin(), left.end(), [&](size_t field) {
      return offset % alignment_of(fields[field].type) == 0;
    });
    if (next == left.end()) next = left.begin();
    RowField& field = fields[*next];
    field.offset = round_up(offset, alignment_of(field.type));
    offset = field.offset + width_of(field.type.physical());
    left.erase(next);
  }
  return offset;
}

}  // namespace

RowLayout::RowLayout(std::vector<Type> key, std::vector<Type> values) {
  uint32_t offset = kRowHeaderBytes;
  for (const Type& type : key) key_.push_back({type, 0, offset++});
  for (const Type& type : values) values_.push_back({type, 0, offset++});
  offset = place_fields(key_, offset);
  offset = place_fields(values_, offset);

  uint32_t alignment = alignof(uint64_t);
  for (const auto* fields : {&key_, &values_}) {
    for (const RowField& field : *fields) {
      alignment = std::max(alignment, alignment_of(field.type));
      if (field.type.physical() == PhysicalType::kString) strings_.push_back(field);
    }
  }
  row_bytes_ = round_up(offset, alignment);
}

}  // namespace kappa::state
