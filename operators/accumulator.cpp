#include "operators/accumulator.h"

#include <algorithm>
#include <cstring>

#include "engine/types/invariant.h"
#include "operators/decayed_sum.h"
#include "operators/deviation.h"
#include "operators/quantile_bucket.h"
#include "operators/sums.h"

// Which fields there are and what a result is made of; accumulator_apply.cpp has how rows change
// them.
namespace kappa::operators {

using state::Table;

AccumulatorSet::AccumulatorSet(const std::vector<AggregateCall>& calls, const Schema& input,
                               Rows rows)
    : rows_(rows) {
  if (rows == Rows::kRetracted) {
    accumulator(Accumulator::Kind::kCount,
                {.kind = AggregateKind::kCountStar, .result = Type::bigint(), .position = {}},
                {Type::bigint()});
  }
  for (const AggregateCall& call : calls) {
    add_result(call,
               call.argument >= 0 ? input[static_cast<size_t>(call.argument)].type : Type::null(),
               call.by >= 0 ? input[static_cast<size_t>(call.by)].type : Type::null());
  }
}

void AccumulatorSet::add_result(const AggregateCall& call, Type argument, Type by) {
  using Kind = Accumulator::Kind;
  Result result{.call = call, .argument = argument};
  const auto sum = [&] {
    return argument.id == TypeId::kDouble
               ? accumulator(Kind::kSumDouble, call, {Type::double_precision()})
               : accumulator(Kind::kSumInteger, call, {Type::numeric(38, argument.scale)});
  };
  switch (call.kind) {
    case AggregateKind::kCountStar:
    case AggregateKind::kCount:
      result.value = accumulator(Kind::kCount, call, {Type::bigint()});
      break;
    case AggregateKind::kSum:
    case AggregateKind::kAvg:
      result.value = sum();
      result.count = accumulator(Kind::kCount, call, {Type::bigint()});
      break;
    case AggregateKind::kMin:
    case AggregateKind::kMax: {
      const bool least = call.kind == AggregateKind::kMin;
      const Kind kind = rows_ == Rows::kRetracted ? Kind::kSide : least ? Kind::kMin : Kind::kMax;
      result.value = accumulator(kind, call, {argument});
      break;
    }
    case AggregateKind::kStddev:
    case AggregateKind::kStddevPop:
      if (argument.id == TypeId::kDouble) {
        result.value =
            accumulator(Kind::kMoments, call,
                        {Type::bigint(), Type::double_precision(), Type::double_precision()});
        break;
      }
      result.value = sum();
      result.count = accumulator(Kind::kCount, call, {Type::bigint()});
      result.squares = accumulator(Kind::kSquaresLow, call, {Type::numeric(38, 0)});
      accumulator(Kind::kSquaresHigh, call, {Type::numeric(38, 0)});
      break;
    case AggregateKind::kFirst:
    case AggregateKind::kLast:
      // Rows of equal event times are always of one session.
      result.value = accumulator(Kind::kPicked, call, {by, argument});
      break;
    case AggregateKind::kArgMin:
    case AggregateKind::kArgMax:
      result.value = rows_ == Rows::kMerged
                         ? accumulator(Kind::kPicked, call, {by, argument, Type::bigint()})
                         : accumulator(Kind::kPicked, call, {by, argument});
      break;
    case AggregateKind::kDecayedSum:
      result.value =
          accumulator(Kind::kDecayedSum, call, {Type::double_precision(), Type::timestamptz()});
      break;
    case AggregateKind::kCountDistinct:
    case AggregateKind::kApproxCountDistinct:
      result.value = accumulator(Kind::kSide, call, {Type::bigint()});
      break;
    case AggregateKind::kApproxQuantile:
      result.value =
          accumulator(Kind::kSide, call, {Type::integer(), Type::bigint(), Type::bigint()});
      break;
  }
  results_.push_back(result);
}

size_t AccumulatorSet::accumulator(Accumulator::Kind kind, const AggregateCall& of,
                                   std::vector<Type> types) {
  using Kind = Accumulator::Kind;
  const bool by_call = kind == Kind::kPicked || kind == Kind::kDecayedSum || kind == Kind::kSide;
  const auto same = [&](const Accumulator& other) {
    if (other.kind != kind || other.of.argument != of.argument || other.of.filter != of.filter) {
      return false;
    }
    return !by_call ||
           (other.of.kind == of.kind && other.of.by == of.by &&
            other.of.half_life_us == of.half_life_us && other.of.quantile == of.quantile);
  };
  const auto found = std::find_if(accumulators_.begin(), accumulators_.end(), same);
  if (found != accumulators_.end()) return static_cast<size_t>(found - accumulators_.begin());
  field_types_.insert(field_types_.end(), types.begin(), types.end());
  accumulators_.push_back({kind, of, std::move(types)});
  return accumulators_.size() - 1;
}

void AccumulatorSet::bind(const state::RowLayout& layout) {
  KAPPA_INVARIANT(layout.values().size() >= field_types_.size(), "layout of another operator");
  size_t next = 0;
  for (size_t n = 0; n < accumulators_.size(); ++n) {
    Accumulator& a = accumulators_[n];
    for (size_t i = 0; i < a.types.size(); ++i) a.fields[i] = layout.values()[next++];
    note_null_fields(a);
    add_to_passes(n);
  }
}

void AccumulatorSet::add_to_passes(size_t accumulator) {
  using Kind = Accumulator::Kind;
  const Accumulator& a = accumulators_[accumulator];
  const bool is_text = a.types[0].physical() == PhysicalType::kString;
  const auto numbers = [&]() -> NumberFields& {
    const auto same = [&](const NumberFields& fields) {
      return fields.argument == a.of.argument && fields.filter == a.of.filter;
    };
    const auto found = std::find_if(numbers_.begin(), numbers_.end(), same);
    if (found != numbers_.end()) return *found;
    return numbers_.emplace_back(NumberFields{a.of.argument, a.of.filter, {}, {}, {}});
  };
  switch (a.kind) {
    case Kind::kSide:
      return;
    case Kind::kCount:
      counts_.push_back({a.of.argument, a.of.filter, a.field()});
      return;
    case Kind::kSumInteger:
      numbers().sum = a.field();
      return;
    case Kind::kMin:
      if (is_text) break;
      numbers().min = a.field();
      return;
    case Kind::kMax:
      if (is_text) break;
      numbers().max = a.field();
      return;
    default:
      break;
  }
  alone_.push_back(accumulator);
}

void AccumulatorSet::note_null_fields(const Accumulator& a) {
  using Kind = Accumulator::Kind;
  const bool counts = a.of.kind == AggregateKind::kCountDistinct ||
                      a.of.kind == AggregateKind::kApproxCountDistinct;
  switch (a.kind) {
    case Kind::kMin:
    case Kind::kMax:
    case Kind::kPicked:
      null_fields_.insert(null_fields_.end(), a.used_fields().begin(), a.used_fields().end());
      break;
    case Kind::kDecayedSum:
      null_fields_.push_back(a.fields[1]);
      break;
    case Kind::kSide:
      if (!counts) null_fields_.push_back(a.field());
      break;
    default:
      break;
  }
}

void AccumulatorSet::start(std::byte* row) const {
  for (const state::RowField& field : null_fields_) Table::set_null(row, field, true);
}

void AccumulatorSet::reset(state::RowId id, Table& table) const {
  for (const Accumulator& a : accumulators_) {
    for (const state::RowField& field : a.used_fields()) {
      const PhysicalType physical = field.type.physical();
      if (physical == PhysicalType::kString) {
        table.set_string(id, field, {});
      } else {
        std::memset(table.row(id) + field.offset, 0, width_of(physical));
      }
      Table::set_null(table.row(id), field, false);
    }
  }
  start(table.row(id));
}

std::span<const state::RowField> AccumulatorSet::side_fields(size_t call) const {
  return accumulators_[results_[call].value].used_fields();
}

bool AccumulatorSet::numbers_rows() const {
  return std::any_of(accumulators_.begin(), accumulators_.end(),
                     [](const Accumulator& a) { return a.is_numbered(); });
}

int64_t AccumulatorSet::group_rows(const std::byte* row) const {
  return Table::get<int64_t>(row, accumulators_[0].field());
}

std::optional<double> AccumulatorSet::deviation_of(const Result& result,
                                                   const std::byte* row) const {
  const Accumulator& value = accumulators_[result.value];
  const bool sample = result.call.kind == AggregateKind::kStddev;
  if (value.kind == Accumulator::Kind::kMoments) {
    return deviation({.count = Table::get<int64_t>(row, value.fields[0]),
                      .mean = Table::get<double>(row, value.fields[1]),
                      .squares = Table::get<double>(row, value.fields[2])},
                     sample);
  }
  const SumOfSquares squares = {Table::get<int128>(row, accumulators_[result.squares].field()),
                                Table::get<int128>(row, accumulators_[result.squares + 1].field())};
  return deviation(Table::get<int64_t>(row, accumulators_[result.count].field()),
                   Table::get<int128>(row, value.field()), squares, sample, result.argument.scale);
}

void AccumulatorSet::append_sum_of(const Result& result, const std::byte* row,
                                   Column& column) const {
  const Accumulator& value = accumulators_[result.value];
  const int64_t count = Table::get<int64_t>(row, accumulators_[result.count].field());
  const bool average = result.call.kind == AggregateKind::kAvg;
  if (value.kind == Accumulator::Kind::kSumInteger) {
    const int128 sum = Table::get<int128>(row, value.field());
    return average ? append_average(column, sum, count, result.argument.scale)
                   : append_sum(column, sum, count);
  }
  if (count == 0) return append_double(column, std::nullopt);
  const double sum = Table::get<double>(row, value.field());
  append_double(column, average ? sum / static_cast<double>(count) : sum);
}

void AccumulatorSet::append_result(size_t call, const std::byte* row, Column& column,
                                   Arena& arena) const {
  const Result& result = results_[call];
  const Accumulator& value = accumulators_[result.value];
  switch (result.call.kind) {
    case AggregateKind::kCountStar:
    case AggregateKind::kCount:
    case AggregateKind::kCountDistinct:
    case AggregateKind::kApproxCountDistinct:
      return append_number(column, Table::get<int64_t>(row, value.field()));
    case AggregateKind::kSum:
    case AggregateKind::kAvg:
      return append_sum_of(result, row, column);
    case AggregateKind::kMin:
    case AggregateKind::kMax:
      return Table::append_to(row, value.field(), column, arena);
    case AggregateKind::kStddev:
    case AggregateKind::kStddevPop:
      return append_double(column, deviation_of(result, row));
    case AggregateKind::kFirst:
    case AggregateKind::kLast:
    case AggregateKind::kArgMin:
    case AggregateKind::kArgMax:
      return Table::append_to(row, value.fields[1], column, arena);
    case AggregateKind::kDecayedSum:
      if (Table::is_null(row, value.fields[1])) return append_double(column, std::nullopt);
      return append_double(column, DecayedSum(result.call.half_life_us)
                                       .result(Table::get<int64_t>(row, value.fields[1]),
                                               Table::get<double>(row, value.field())));
    case AggregateKind::kApproxQuantile:
      if (Table::is_null(row, value.field())) return append_double(column, std::nullopt);
      return append_double(column, quantile_of_bucket(Table::get<int32_t>(row, value.field())));
  }
}

}  // namespace kappa::operators
