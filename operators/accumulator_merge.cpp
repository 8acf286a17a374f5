#include <type_traits>

#include "engine/types/invariant.h"
#include "operators/accumulator.h"
#include "operators/accumulator_rows.h"
#include "operators/sums.h"

// How what two rows have accumulated becomes one: sessions that merge.
namespace kappa::operators {

using state::Table;

namespace {

void copy_field(state::RowId to, state::RowId from, const state::RowField& field, Table& table) {
  dispatch_physical(field.type.physical(), [&]<typename T>() {
    if constexpr (std::is_same_v<T, StringRef>) {
      table.set_string(to, field, Table::get_string(table.row(from), field));
    } else {
      Table::get<T>(table.row(to), field) = Table::get<T>(table.row(from), field);
    }
  });
  Table::set_null(table.row(to), field, Table::is_null(table.row(from), field));
}

// Whether the field of `a` comes before that of `b`; neither is null.
bool field_before(const std::byte* a, const std::byte* b, const state::RowField& field) {
  return dispatch_physical(field.type.physical(), [&]<typename T>() {
    if constexpr (std::is_same_v<T, StringRef>) {
      return Table::get_string(a, field) < Table::get_string(b, field);
    } else {
      return comes_before(Table::get<T>(a, field), Table::get<T>(b, field));
    }
  });
}

void merge_sum(std::byte* into, const std::byte* other, const state::RowField& field) {
  const int128 sum = Table::get<int128>(other, field);
  if (sum == kSumOverflowed) Table::get<int128>(into, field) = sum;
  add_to_sum(Table::get<int128>(into, field), sum);
}

}  // namespace

void AccumulatorSet::merge(state::RowId to, state::RowId from, Table& table) const {
  for (const Accumulator& accumulator : accumulators_) merge_one(accumulator, to, from, table);
}

void AccumulatorSet::merge_one(const Accumulator& a, state::RowId to, state::RowId from,
                               Table& table) {
  using Kind = Accumulator::Kind;
  std::byte* into = table.row(to);
  const std::byte* other = table.row(from);
  const state::RowField& field = a.field();
  switch (a.kind) {
    case Kind::kCount:
      Table::get<int64_t>(into, field) += Table::get<int64_t>(other, field);
      return;
    case Kind::kSide:
      KAPPA_INVARIANT(a.of.kind == AggregateKind::kCountDistinct, "an aggregate of sessions");
      Table::get<int64_t>(into, field) += Table::get<int64_t>(other, field);
      return;
    case Kind::kSumInteger:
      return merge_sum(into, other, field);
    case Kind::kSumDouble:
      Table::get<double>(into, field) += Table::get<double>(other, field);
      return;
    case Kind::kMin:
    case Kind::kMax:
    case Kind::kPicked: {
      if (Table::is_null(other, field)) return;
      const bool least = a.kind == Kind::kMin || a.of.kind == AggregateKind::kFirst;
      const bool better = Table::is_null(into, field) || (least ? field_before(other, into, field)
                                                                : field_before(into, other, field));
      if (!better) return;
      for (const state::RowField& copied : a.used_fields()) copy_field(to, from, copied, table);
      return;
    }
    case Kind::kSquaresLow:
    case Kind::kSquaresHigh:
    case Kind::kMoments:
    case Kind::kDecayedSum:
      break;
  }
  KAPPA_INVARIANT(false, "an aggregate that sessions do not take");
}

}  // namespace kappa::operators
