#include <type_traits>

#include "operators/accumulator.h"
#include "operators/accumulator_rows.h"
#include "operators/decayed_sum.h"
#include "operators/deviation.h"
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
      return;
    case Kind::kSumInteger:
      return merge_sum(into, other, field);
    case Kind::kSquaresLow:
    case Kind::kSquaresHigh:
      Table::get<int128>(into, field) += Table::get<int128>(other, field);
      return;
    case Kind::kSumDouble:
      Table::get<double>(into, field) += Table::get<double>(other, field);
      return;
    case Kind::kMoments:
      return merge_moments_of(a, into, other);
    case Kind::kDecayedSum:
      return merge_decayed(a, into, other);
    case Kind::kMin:
    case Kind::kMax:
    case Kind::kPicked:
      if (!takes_over(a, into, other)) return;
      for (const state::RowField& copied : a.used_fields()) copy_field(to, from, copied, table);
      return;
  }
}

void AccumulatorSet::copy(state::RowId to, state::RowId from, Table& table) const {
  for (const Accumulator& accumulator : accumulators_) {
    for (const state::RowField& field : accumulator.used_fields()) {
      copy_field(to, from, field, table);
    }
  }
}

// Whether an extreme, or what was picked by one, of `other` takes the place of that of `into`.
bool AccumulatorSet::takes_over(const Accumulator& a, const std::byte* into,
                                const std::byte* other) {
  const state::RowField& field = a.field();
  if (Table::is_null(other, field)) return false;
  if (Table::is_null(into, field)) return true;
  const bool least = a.kind == Accumulator::Kind::kMin || a.of.kind == AggregateKind::kFirst ||
                     a.of.kind == AggregateKind::kArgMin;
  if (least ? field_before(other, into, field) : field_before(into, other, field)) return true;
  if (!a.is_numbered() || field_before(other, into, field) || field_before(into, other, field)) {
    return false;
  }
  return Table::get<int64_t>(other, a.fields[2]) < Table::get<int64_t>(into, a.fields[2]);
}

void AccumulatorSet::merge_moments_of(const Accumulator& a, std::byte* into,
                                      const std::byte* other) {
  const auto moments = [&](const std::byte* row) {
    return Moments{.count = Table::get<int64_t>(row, a.fields[0]),
                   .mean = Table::get<double>(row, a.fields[1]),
                   .squares = Table::get<double>(row, a.fields[2])};
  };
  const Moments both = merge_moments(moments(into), moments(other));
  Table::get<int64_t>(into, a.fields[0]) = both.count;
  Table::get<double>(into, a.fields[1]) = both.mean;
  Table::get<double>(into, a.fields[2]) = both.squares;
}

void AccumulatorSet::merge_decayed(const Accumulator& a, std::byte* into, const std::byte* other) {
  const state::RowField& latest = a.fields[1];
  if (Table::is_null(other, latest)) return;
  const int64_t other_us = Table::get<int64_t>(other, latest);
  const double other_sum = Table::get<double>(other, a.field());
  int64_t& latest_us = Table::get<int64_t>(into, latest);
  double& sum = Table::get<double>(into, a.field());
  if (Table::is_null(into, latest)) {
    Table::set_null(into, latest, false);
    latest_us = other_us;
    sum = other_sum;
    return;
  }
  DecayedSum(a.of.half_life_us).merge(other_us, other_sum, &latest_us, &sum);
}

}  // namespace kappa::operators
