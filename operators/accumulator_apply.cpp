#include <algorithm>
#include <optional>
#include <type_traits>

#include "operators/accumulator.h"
#include "operators/accumulator_passes.h"
#include "operators/accumulator_rows.h"
#include "operators/decayed_sum.h"
#include "operators/deviation.h"
#include "operators/picked_value.h"
#include "operators/sums.h"

namespace kappa::operators {

using state::Table;

std::span<const uint8_t> accepted_rows(const Batch& input, int argument, int filter, size_t begin,
                                       size_t end, std::vector<uint8_t>& scratch) {
  const Column* value =
      argument >= 0 ? input.columns[static_cast<size_t>(argument)].get() : nullptr;
  const bool nulls = value && value->has_nulls();
  if (!nulls && filter < 0) return {};
  if (!nulls && !input.columns[static_cast<size_t>(filter)]->has_nulls()) {
    const auto holds = input.columns[static_cast<size_t>(filter)]->values<int8_t>();
    return {reinterpret_cast<const uint8_t*>(holds.data()) + begin, end - begin};
  }
  scratch.assign(end - begin, 1);
  if (nulls) {
    const auto null = value->nulls().subspan(begin);
    for (size_t i = 0; i < scratch.size(); ++i) scratch[i] = null[i] == 0;
  }
  if (filter >= 0) {
    const Column& condition = *input.columns[static_cast<size_t>(filter)];
    const auto holds = condition.values<int8_t>().subspan(begin);
    for (size_t i = 0; i < scratch.size(); ++i) scratch[i] &= static_cast<uint8_t>(holds[i] != 0);
    if (condition.has_nulls()) {
      const auto null = condition.nulls().subspan(begin);
      for (size_t i = 0; i < scratch.size(); ++i) scratch[i] &= static_cast<uint8_t>(null[i] == 0);
    }
  }
  return scratch;
}

namespace {

// The rows that an accumulator sees.
struct Seen {
  const Batch& input;
  const AggregateCall& of;
  const AccumulatorRows& rows;

  const Column& argument() const { return *input.columns[static_cast<size_t>(of.argument)]; }

  template <typename F>
  void for_each(F&& f) const {
    rows.for_each(input, of.argument, of.filter, std::forward<F>(f));
  }

  // Calls f as for_each() does, with the argument's value, a whole number, in the place of its row.
  template <typename F>
  void for_each_whole(F&& f) const {
    dispatch_physical(argument().type().physical(), [&]<typename T>() {
      if constexpr (std::is_integral_v<T> || std::is_same_v<T, int128>) {
        const auto values = argument().template values<T>();
        for_each([&](std::byte* row, size_t i, int sign) { f(row, values[i], sign); });
      }
    });
  }
};

void keep_text(const Seen& seen, const state::RowField& field, bool wants_less) {
  const auto values = seen.argument().values<StringRef>();
  seen.for_each([&](std::byte* row, size_t i, int) {
    const std::string_view value = values[i].view();
    if (!Table::is_null(row, field)) {
      const std::string_view best = Table::get_string(row, field);
      if (wants_less ? !(value < best) : !(best < value)) return;
    }
    seen.rows.table.set_string(seen.rows.id(i), field, value);
    Table::set_null(row, field, false);
  });
}

void add_decayed(const Seen& seen, const state::RowField& sum, const state::RowField& latest) {
  const DecayedSum decayed(seen.of.half_life_us);
  const auto values = seen.argument().values<double>();
  const auto times = seen.input.columns[static_cast<size_t>(seen.of.by)]->values<int64_t>();
  seen.for_each([&](std::byte* row, size_t i, int) {
    decayed.add(values[i], times[i], Table::is_null(row, latest), &Table::get<int64_t>(row, latest),
                &Table::get<double>(row, sum));
    Table::set_null(row, latest, false);
  });
}

PickedValue picked_by(const AggregateCall& of, std::span<const state::RowField> fields) {
  return {.value = of.argument,
          .by = of.by,
          .filter = of.filter,
          .greatest = of.kind == AggregateKind::kLast || of.kind == AggregateKind::kArgMax,
          .last_of_equals = of.kind == AggregateKind::kLast,
          .by_field = fields[0],
          .value_field = fields[1],
          .number_field = fields.size() > 2 ? std::optional(fields[2]) : std::nullopt};
}

}  // namespace

void AccumulatorSet::apply_one(const Accumulator& a, const Batch& input,
                               const AccumulatorRows& rows) {
  using Kind = Accumulator::Kind;
  const state::RowField field = a.field();
  const Seen seen{input, a.of, rows};
  switch (a.kind) {
    case Kind::kSide:        // what is beside the row has it
    case Kind::kCount:       // count_together()
    case Kind::kSumInteger:  // take_numbers()
      return;
    case Kind::kSumDouble: {
      const auto values = seen.argument().values<double>();
      return seen.for_each([&](std::byte* row, size_t i, int sign) {
        Table::get<double>(row, field) += sign * values[i];
      });
    }
    case Kind::kSquaresLow:
      return seen.for_each_whole([&](std::byte* row, int128 value, int sign) {
        Table::get<int128>(row, field) += sign * square(static_cast<int64_t>(value)).low;
      });
    case Kind::kSquaresHigh:
      return seen.for_each_whole([&](std::byte* row, int128 value, int sign) {
        Table::get<int128>(row, field) += sign * square(static_cast<int64_t>(value)).high;
      });
    case Kind::kMoments: {
      const auto values = seen.argument().values<double>();
      return seen.for_each([&](std::byte* row, size_t i, int) {
        add_to_moments(Table::get<int64_t>(row, a.fields[0]), Table::get<double>(row, a.fields[1]),
                       Table::get<double>(row, a.fields[2]), values[i]);
      });
    }
    case Kind::kMin:
    case Kind::kMax:
      return keep_text(seen, field, a.kind == Kind::kMin);  // of others: take_numbers()
    case Kind::kPicked:
      return pick_values(picked_by(a.of, a.used_fields()), input, rows);
    case Kind::kDecayedSum:
      return add_decayed(seen, field, a.fields[1]);
  }
}

void AccumulatorSet::apply(const Batch& input, size_t begin, size_t end,
                           std::span<const state::RowId> ids, Table& table,
                           std::span<const int64_t> numbers) const {
  constexpr size_t kCacheLine = 64;
  const size_t row_bytes = table.layout().row_bytes();
  std::byte* rows[kPassRowsMax];
  std::vector<uint8_t> scratch;
  for (size_t from = begin; from < end; from += kPassRowsMax) {
    const size_t to = std::min(from + kPassRowsMax, end);
    const auto chunk = ids.subspan(from - begin, to - from);
    // Since they were found they may have left the caches.
    for (size_t i = 0; i < chunk.size(); ++i) {
      rows[i] = table.row(chunk[i]);
      for (size_t at = 0; at < row_bytes; at += kCacheLine) __builtin_prefetch(rows[i] + at, 1);
    }
    const auto numbered = numbers.empty() ? numbers : numbers.subspan(from - begin, chunk.size());
    const AccumulatorRows view{from, to, chunk, {rows, chunk.size()}, table, scratch, numbered};
    for (size_t at = 0; at < counts_.size(); at += kCountsTogetherMax) {
      const size_t count = std::min(kCountsTogetherMax, counts_.size() - at);
      count_together(input, std::span(counts_).subspan(at, count), view);
    }
    for (const NumberFields& fields : numbers_) take_numbers(input, fields, view);
    for (const size_t alone : alone_) apply_one(accumulators_[alone], input, view);
  }
}

}  // namespace kappa::operators
