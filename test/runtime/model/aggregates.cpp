#include "test/runtime/model/aggregates.h"

#include <algorithm>
#include <set>

namespace kappa::model {
namespace {

bool counts(const AggregateCall& call, const Row& row) {
  if (call.filter) {
    const Value& condition = row[*call.filter];
    if (condition.is_null() || !std::get<bool>(condition.data)) return false;
  }
  return call.call == Call::kCountStar || !row[call.argument].is_null();
}

Value average(Type type, int128 sum, int argument_scale, int128 count) {
  int128 scaled = sum < 0 ? -sum : sum;
  for (int digit = argument_scale; digit < type.scale; ++digit) scaled *= 10;
  const int128 rounded = (2 * scaled + count) / (2 * count);  // half up, away from zero
  return numeric_value(type, sum < 0 ? -rounded : rounded);
}

double sum_of_doubles(const AggregateCall& call, const std::vector<Bag::Change>& changes) {
  double sum = 0;
  for (const auto& [sign, row] : changes) {
    if (counts(call, row)) sum += sign * std::get<double>(row[call.argument].data);
  }
  return sum;
}

Value sum_or_average(const AggregateCall& call, const std::vector<Value>& values, const Bag& bag) {
  const bool is_average = call.call == Call::kAvg;
  const auto count = static_cast<int64_t>(values.size());
  if (call.result.id == TypeId::kDouble) {
    const double sum = sum_of_doubles(call, bag.changes);
    return Value::double_precision(is_average ? sum / static_cast<double>(count) : sum);
  }
  int128 sum = 0;
  for (const Value& value : values) sum += integer_of(value);
  if (is_average) return average(call.result, sum, values[0].type.scale, count);
  if (call.result.id == TypeId::kBigint) return Value::bigint(static_cast<int64_t>(sum));
  return numeric_value(call.result, sum);
}

}  // namespace

int compare_nulls_last(const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) return static_cast<int>(a.is_null()) - b.is_null();
  return compare_values(a, b);
}

bool RowLess::operator()(const Row& a, const Row& b) const {
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const int order = compare_nulls_last(a[i], b[i]);
    if (order != 0) return order < 0;
  }
  return a.size() < b.size();
}

void Bag::apply(int sign, const Row& row) {
  if (sign > 0) {
    rows.push_back(row);
  } else if (const auto at = std::find(rows.begin(), rows.end(), row); at != rows.end()) {
    rows.erase(at);
  }
  changes.push_back({sign, row});
  if (rows.empty()) changes.clear();
}

bool summable(TypeId type) {
  return type == TypeId::kInteger || type == TypeId::kBigint || type == TypeId::kNumeric ||
         type == TypeId::kDouble;
}

Type result_type(Call call, Type argument) {
  const bool integer = argument.id == TypeId::kInteger || argument.id == TypeId::kBigint;
  switch (call) {
    case Call::kSum:
      if (argument.id == TypeId::kInteger) return Type::bigint();
      if (argument.id == TypeId::kDouble) return argument;
      return Type::numeric(38, argument.scale);
    case Call::kAvg:
      if (argument.id == TypeId::kDouble) return argument;
      return Type::numeric(38, integer ? 6 : argument.scale + 6);
    case Call::kMin:
    case Call::kMax:
      return argument;
    default:
      return Type::bigint();
  }
}

Value aggregate(const AggregateCall& call, const Bag& bag) {
  std::vector<Value> values;
  for (const Row& row : bag.rows) {
    if (!counts(call, row)) continue;
    values.push_back(call.call == Call::kCountStar ? Value::bigint(0) : row[call.argument]);
  }
  const auto less = [](const Value& a, const Value& b) { return compare_nulls_last(a, b) < 0; };
  switch (call.call) {
    case Call::kCountStar:
    case Call::kCount:
      return Value::bigint(static_cast<int64_t>(values.size()));
    case Call::kCountDistinct: {
      std::set<Value, decltype(less)> distinct(values.begin(), values.end(), less);
      return Value::bigint(static_cast<int64_t>(distinct.size()));
    }
    default:
      break;
  }
  if (values.empty()) return Value::null(call.result);
  switch (call.call) {
    case Call::kMin:
      return *std::min_element(values.begin(), values.end(), less);
    case Call::kMax:
      return *std::max_element(values.begin(), values.end(), less);
    default:
      return sum_or_average(call, values, bag);
  }
}

}  // namespace kappa::model
