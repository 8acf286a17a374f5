#include "operators/frame_summary.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "operators/double_rank.h"
#include "operators/sums.h"

namespace kappa::operators {
namespace {

using state::Table;

constexpr auto kNoRow = static_cast<int64_t>(state::kNoRow);
constexpr int64_t kSignBit = std::numeric_limits<int64_t>::min();

// By the first bytes.
int64_t rank_of_text(std::string_view text) {
  uint64_t first = 0;
  for (size_t i = 0; i < sizeof(first); ++i) {
    first = first << 8 | (i < text.size() ? static_cast<uint8_t>(text[i]) : 0u);
  }
  return static_cast<int64_t>(first) ^ kSignBit;
}

int64_t integer_at(const std::byte* row, const state::RowField& field) {
  return field.type.physical() == PhysicalType::kInt32 ? Table::get<int32_t>(row, field)
                                                       : Table::get<int64_t>(row, field);
}

int64_t rank(const std::byte* row, const state::RowField& field) {
  switch (field.type.physical()) {
    case PhysicalType::kInt8:
      return Table::get<int8_t>(row, field);
    case PhysicalType::kInt32:
      return Table::get<int32_t>(row, field);
    case PhysicalType::kInt64:
      return Table::get<int64_t>(row, field);
    case PhysicalType::kInt128:
      return static_cast<int64_t>(Table::get<int128>(row, field) >> 64);
    case PhysicalType::kDouble:
      return rank_of(Table::get<double>(row, field));
    case PhysicalType::kString:
      return rank_of_text(Table::get_string(row, field));
  }
  return 0;
}

void add_sum(int64_t* into, int128 value) {
  int128 sum;
  std::memcpy(&sum, into, sizeof(sum));
  sum += value;  // 2^63 rows do not fill it
  std::memcpy(into, &sum, sizeof(sum));
}

int128 sum_of(const int64_t* words) {
  int128 sum;
  std::memcpy(&sum, words, sizeof(sum));
  return sum;
}

}  // namespace

bool CallFields::sees(const std::byte* row) const {
  if (argument && Table::is_null(row, *argument)) return false;
  return !filter || (!Table::is_null(row, *filter) && Table::get<int8_t>(row, *filter) != 0);
}

// Sums that may leave 128 bits on the way, and those of doubles, depend on the order.
bool FrameSummary::is_summed(const FrameCall& call, const CallFields& fields) {
  switch (call.function) {
    case FrameFunction::kCountStar:
    case FrameFunction::kCount:
    case FrameFunction::kMin:
    case FrameFunction::kMax:
      return true;
    case FrameFunction::kSum:
    case FrameFunction::kAvg:
      return fields.argument->type.physical() == PhysicalType::kInt32 ||
             fields.argument->type.physical() == PhysicalType::kInt64;
    default:
      return false;
  }
}

FrameSummary::FrameSummary(const std::vector<FrameCall>& calls,
                           const std::vector<CallFields>& fields, const state::Table& table)
    : table_(table), slot_of_call_(calls.size(), -1) {
  for (size_t c = 0; c < calls.size(); ++c) {
    const FrameCall& call = calls[c];
    if (!is_summed(call, fields[c])) continue;
    const auto same = [&](const Slot& slot) {
      return slot.argument == call.argument && slot.filter == call.filter;
    };
    auto slot = std::find_if(slots_.begin(), slots_.end(), same);
    if (slot == slots_.end()) {
      slot = slots_.insert(slot, {call.argument, call.filter, fields[c], 0, {}, {}, {}});
    }
    slot_of_call_[c] = static_cast<int>(slot - slots_.begin());
    if (call.function == FrameFunction::kSum || call.function == FrameFunction::kAvg) slot->sum = 0;
    if (call.function == FrameFunction::kMin) slot->least = 0;
    if (call.function == FrameFunction::kMax) slot->greatest = 0;
  }
  for (Slot& slot : slots_) {
    slot.count = words_++;
    for (std::optional<size_t>* words : {&slot.sum, &slot.least, &slot.greatest}) {
      if (!*words) continue;
      *words = words_;
      words_ += 2;
    }
  }
}

// ---- the algebra ------------------------------------------------------------------------------

bool FrameSummary::less(const Slot& slot, const int64_t* a, const int64_t* b) const {
  if (a[0] != b[0]) return a[0] < b[0];
  const state::RowField& field = *slot.fields.argument;
  const std::byte* const row_a = table_.row(static_cast<state::RowId>(a[1]));
  const std::byte* const row_b = table_.row(static_cast<state::RowId>(b[1]));
  if (field.type.physical() == PhysicalType::kString) {
    return Table::get_string(row_a, field) < Table::get_string(row_b, field);
  }
  if (field.type.physical() != PhysicalType::kInt128) return false;
  return Table::get<int128>(row_a, field) < Table::get<int128>(row_b, field);
}

void FrameSummary::clear(int64_t* into) const {
  std::fill_n(into, words_, 0);
  for (const Slot& slot : slots_) {
    if (slot.least) into[*slot.least + 1] = kNoRow;
    if (slot.greatest) into[*slot.greatest + 1] = kNoRow;
  }
}

void FrameSummary::offer(const Slot& slot, bool least, const int64_t* value, int64_t* best) const {
  const bool better =
      best[1] == kNoRow || (least ? less(slot, value, best) : less(slot, best, value));
  if (better) std::copy_n(value, 2, best);
}

void FrameSummary::add(int64_t* into, uint64_t id) const {
  const std::byte* const row = table_.row(static_cast<state::RowId>(id));
  for (const Slot& slot : slots_) {
    if (!slot.fields.sees(row)) continue;
    ++into[slot.count];
    if (slot.sum) add_sum(into + *slot.sum, integer_at(row, *slot.fields.argument));
    if (!slot.least && !slot.greatest) continue;
    const int64_t value[] = {rank(row, *slot.fields.argument), static_cast<int64_t>(id)};
    if (slot.least) offer(slot, true, value, into + *slot.least);
    if (slot.greatest) offer(slot, false, value, into + *slot.greatest);
  }
}

void FrameSummary::merge(int64_t* into, const int64_t* later) const {
  for (const Slot& slot : slots_) {
    if (later[slot.count] == 0) continue;
    into[slot.count] += later[slot.count];
    if (slot.sum) add_sum(into + *slot.sum, sum_of(later + *slot.sum));
    if (slot.least) offer(slot, true, later + *slot.least, into + *slot.least);
    if (slot.greatest) offer(slot, false, later + *slot.greatest, into + *slot.greatest);
  }
}

// ---- answers ----------------------------------------------------------------------------------

void FrameSummary::append_result(const FrameCall& call, size_t index, const int64_t* summary,
                                 Column& result, Arena& arena) const {
  const Slot& slot = slots_[static_cast<size_t>(slot_of_call_[index])];
  const int64_t count = summary[slot.count];
  switch (call.function) {
    case FrameFunction::kSum:
      return append_sum(result, sum_of(summary + *slot.sum), count);
    case FrameFunction::kAvg:
      return append_average(result, sum_of(summary + *slot.sum), count,
                            slot.fields.argument->type.scale);
    case FrameFunction::kMin:
    case FrameFunction::kMax: {
      const size_t best = call.function == FrameFunction::kMin ? *slot.least : *slot.greatest;
      if (summary[best + 1] == kNoRow) {
        result.resize(result.rows() + 1);
        return result.set_null(result.rows() - 1);
      }
      if (slot.fields.argument->type.id == TypeId::kDouble) {
        return append_double(result, value_of_rank(summary[best]));
      }
      return Table::append_to(table_.row(static_cast<state::RowId>(summary[best + 1])),
                              *slot.fields.argument, result, arena);
    }
    default:
      return append_number(result, count);
  }
}

}  // namespace kappa::operators
