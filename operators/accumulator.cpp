#include "operators/accumulator.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "engine/types/invariant.h"
#include "operators/sums.h"

namespace kappa::operators {
namespace {

// Rows that an accumulator sees: its argument is not null and its filter is true. A byte each, 1 or
// 0; empty: all.
std::span<const uint8_t> accepted(const Batch& input, int argument, int filter, size_t begin,
                                  size_t end, std::vector<uint8_t>& scratch) {
  const Column* value =
      argument >= 0 ? input.columns[static_cast<size_t>(argument)].get() : nullptr;
  const bool nulls = value && value->has_nulls();
  if (!nulls && filter < 0) return {};
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

}  // namespace

struct AccumulatorSet::Rows {
  size_t begin;
  size_t end;
  std::span<const state::RowId> ids;
  std::span<std::byte* const> rows;
  state::Table& table;
  std::vector<uint8_t>& scratch;

  // Calls f(row bytes, i, sign) for each input row i that the accumulator sees.
  template <typename F>
  void for_each(const Batch& input, const Accumulator& accumulator, F&& f) const {
    const auto mask =
        accepted(input, accumulator.argument, accumulator.filter, begin, end, scratch);
    const bool signs = !input.signs.empty();
    if (mask.empty() && !signs) {
      for (size_t i = begin; i < end; ++i) f(rows[i - begin], i, 1);
      return;
    }
    for (size_t i = begin; i < end; ++i) {
      if (mask.empty() || mask[i - begin]) f(rows[i - begin], i, signs ? input.signs[i] : 1);
    }
  }

  // Counts the rows that the accumulator sees. Filters are hard to foretell: it adds 0 or 1 without
  // asking which.
  void count(const Batch& input, const Accumulator& accumulator) const {
    const state::RowField field = accumulator.field;
    const auto mask =
        accepted(input, accumulator.argument, accumulator.filter, begin, end, scratch);
    if (mask.empty() || !input.signs.empty()) {
      for_each(input, accumulator, [&](std::byte* row, size_t, int sign) {
        state::Table::get<int64_t>(row, field) += sign;
      });
      return;
    }
    for (size_t i = 0; i < mask.size(); ++i) state::Table::get<int64_t>(rows[i], field) += mask[i];
  }
};

AccumulatorSet::AccumulatorSet(const std::vector<AggregateCall>& calls, const Schema& input,
                               bool retractions) {
  using Kind = Accumulator::Kind;
  if (retractions) accumulator(Kind::kCount, -1, -1, Type::bigint());
  for (const AggregateCall& call : calls) {
    Result result{.call = call,
                  .argument = call.argument >= 0 ? input[static_cast<size_t>(call.argument)].type
                                                 : Type::null()};
    const auto count = [&] {
      return accumulator(Kind::kCount, call.argument, call.filter, Type::bigint());
    };
    switch (call.kind) {
      case AggregateKind::kCountStar:
      case AggregateKind::kCount:
        result.value = count();
        break;
      case AggregateKind::kSum:
      case AggregateKind::kAvg:
        result.value = result.argument.id == TypeId::kDouble
                           ? accumulator(Kind::kSumDouble, call.argument, call.filter,
                                         Type::double_precision())
                           : accumulator(Kind::kSumInteger, call.argument, call.filter,
                                         Type::numeric(38, result.argument.scale));
        result.count = count();
        break;
      case AggregateKind::kMin:
        result.value = accumulator(Kind::kMin, call.argument, call.filter, result.argument);
        break;
      case AggregateKind::kMax:
        result.value = accumulator(Kind::kMax, call.argument, call.filter, result.argument);
        break;
      case AggregateKind::kCountDistinct:
        result.value = accumulator(Kind::kDistinct, call.argument, call.filter, Type::bigint());
        break;
    }
    results_.push_back(result);
  }
}

size_t AccumulatorSet::accumulator(Accumulator::Kind kind, int argument, int filter, Type type) {
  for (size_t i = 0; i < accumulators_.size(); ++i) {
    const Accumulator& a = accumulators_[i];
    if (a.kind == kind && a.argument == argument && a.filter == filter) return i;
  }
  accumulators_.push_back({kind, argument, filter, type, {}});
  field_types_.push_back(type);
  return accumulators_.size() - 1;
}

void AccumulatorSet::bind(const state::RowLayout& layout) {
  KAPPA_INVARIANT(layout.values().size() >= accumulators_.size(), "layout of another operator");
  for (size_t i = 0; i < accumulators_.size(); ++i) accumulators_[i].field = layout.values()[i];
}

void AccumulatorSet::start(std::byte* row) const {
  for (const Accumulator& a : accumulators_) {
    if (a.kind == Accumulator::Kind::kMin || a.kind == Accumulator::Kind::kMax) {
      state::Table::set_null(row, a.field, true);
    }
  }
}

void AccumulatorSet::reset(std::byte* row) const {
  for (const Accumulator& a : accumulators_) {
    std::memset(row + a.field.offset, 0, width_of(a.type.physical()));
  }
  start(row);
}

namespace {

template <typename T>
bool comes_before(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, double>) {
    if (std::isnan(a)) return false;  // NaN is the largest, as in PostgreSQL
    if (std::isnan(b)) return true;
  }
  return a < b;
}

}  // namespace

void AccumulatorSet::apply_one(const Accumulator& a, const Batch& input, const Rows& rows) {
  using Kind = Accumulator::Kind;
  using state::Table;
  const state::RowField field = a.field;
  if (a.kind == Kind::kDistinct) return;  // its table decides; see add_distinct()
  if (a.kind == Kind::kCount) return rows.count(input, a);
  const Column& argument = *input.columns[static_cast<size_t>(a.argument)];
  if (a.kind == Kind::kSumDouble) {
    const auto values = argument.values<double>();
    rows.for_each(input, a, [&](std::byte* row, size_t i, int sign) {
      Table::get<double>(row, field) += sign * values[i];
    });
    return;
  }
  dispatch_physical(argument.type().physical(), [&]<typename T>() {
    const auto values = argument.values<T>();
    if constexpr (std::is_same_v<T, StringRef>) {
      const bool wants_less = a.kind == Kind::kMin;
      rows.for_each(input, a, [&](std::byte* row, size_t i, int) {
        const std::string_view value = values[i].view();
        if (!Table::is_null(row, field)) {
          const std::string_view best = Table::get_string(row, field);
          if (wants_less ? !(value < best) : !(best < value)) return;
        }
        rows.table.set_string(rows.ids[i - rows.begin], field, value);
        Table::set_null(row, field, false);
      });
    } else if (a.kind == Kind::kSumInteger) {
      if constexpr (!std::is_same_v<T, double>) {
        rows.for_each(input, a, [&](std::byte* row, size_t i, int sign) {
          add_to_sum(Table::get<int128>(row, field), static_cast<int128>(values[i]) * sign);
        });
      }
    } else {
      const bool wants_less = a.kind == Kind::kMin;
      rows.for_each(input, a, [&](std::byte* row, size_t i, int) {
        T& best = Table::get<T>(row, field);
        const bool better =
            Table::is_null(row, field) ||
            (wants_less ? comes_before(values[i], best) : comes_before(best, values[i]));
        if (!better) return;
        best = values[i];
        Table::set_null(row, field, false);
      });
    }
  });
}

void AccumulatorSet::apply(const Batch& input, size_t begin, size_t end,
                           std::span<const state::RowId> ids, state::Table& table) const {
  // Chunks whose rows stay in the second-level cache while every accumulator goes over them.
  constexpr size_t kChunkRows = 1024;
  std::byte* rows[kChunkRows];
  std::vector<uint8_t> scratch;
  for (size_t from = begin; from < end; from += kChunkRows) {
    const size_t to = std::min(from + kChunkRows, end);
    const auto chunk = ids.subspan(from - begin, to - from);
    for (size_t i = 0; i < chunk.size(); ++i) rows[i] = table.row(chunk[i]);
    const Rows view{from, to, chunk, {rows, chunk.size()}, table, scratch};
    for (const Accumulator& accumulator : accumulators_) apply_one(accumulator, input, view);
  }
}

void AccumulatorSet::merge(state::RowId to, state::RowId from, state::Table& table) const {
  for (const Accumulator& accumulator : accumulators_) merge_one(accumulator, to, from, table);
}

void AccumulatorSet::merge_one(const Accumulator& a, state::RowId to, state::RowId from,
                               state::Table& table) {
  using state::Table;
  std::byte* into = table.row(to);
  const std::byte* other = table.row(from);
  const state::RowField field = a.field;
  switch (a.kind) {
    case Accumulator::Kind::kCount:
    case Accumulator::Kind::kDistinct:
      Table::get<int64_t>(into, field) += Table::get<int64_t>(other, field);
      return;
    case Accumulator::Kind::kSumInteger: {
      const int128 sum = Table::get<int128>(other, field);
      if (sum == kSumOverflowed) Table::get<int128>(into, field) = sum;
      add_to_sum(Table::get<int128>(into, field), sum);
      return;
    }
    case Accumulator::Kind::kSumDouble:
      Table::get<double>(into, field) += Table::get<double>(other, field);
      return;
    case Accumulator::Kind::kMin:
    case Accumulator::Kind::kMax:
      break;
  }
  if (Table::is_null(other, field)) return;
  const bool wants_less = a.kind == Accumulator::Kind::kMin;
  dispatch_physical(field.type.physical(), [&]<typename T>() {
    const auto better = [&](const auto& value, const auto& best) {
      return Table::is_null(into, field) ||
             (wants_less ? comes_before(value, best) : comes_before(best, value));
    };
    if constexpr (std::is_same_v<T, StringRef>) {
      const std::string_view value = Table::get_string(other, field);
      if (!better(value, Table::get_string(into, field))) return;
      table.set_string(to, field, value);
    } else {
      const T& value = Table::get<T>(other, field);
      if (!better(value, Table::get<T>(into, field))) return;
      Table::get<T>(into, field) = value;
    }
    Table::set_null(into, field, false);
  });
}

void AccumulatorSet::add_distinct(size_t call, std::byte* row, int64_t delta) const {
  state::Table::get<int64_t>(row, accumulators_[results_[call].value].field) += delta;
}

int64_t AccumulatorSet::group_rows(const std::byte* row) const {
  return state::Table::get<int64_t>(row, accumulators_[0].field);
}

void AccumulatorSet::append_result(size_t call, const std::byte* row, Column& column,
                                   Arena& arena) const {
  using state::Table;
  const Result& result = results_[call];
  const Accumulator& value = accumulators_[result.value];
  switch (value.kind) {
    case Accumulator::Kind::kCount:
    case Accumulator::Kind::kDistinct:
      append_number(column, Table::get<int64_t>(row, value.field));
      return;
    case Accumulator::Kind::kMin:
    case Accumulator::Kind::kMax:
      Table::append_to(row, value.field, column, arena);
      return;
    case Accumulator::Kind::kSumDouble: {
      const double sum = Table::get<double>(row, value.field);
      const int64_t count = Table::get<int64_t>(row, accumulators_[result.count].field);
      const bool avg = result.call.kind == AggregateKind::kAvg;
      append_double(column, count == 0
                                ? std::nullopt
                                : std::optional(avg ? sum / static_cast<double>(count) : sum));
      return;
    }
    case Accumulator::Kind::kSumInteger: {
      const int128 sum = Table::get<int128>(row, value.field);
      const int64_t count = Table::get<int64_t>(row, accumulators_[result.count].field);
      if (result.call.kind == AggregateKind::kAvg) {
        append_average(column, sum, count, result.argument.scale);
      } else {
        append_sum(column, sum, count);
      }
      return;
    }
  }
}

}  // namespace kappa::operators
