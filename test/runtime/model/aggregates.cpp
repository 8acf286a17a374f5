#include "test/runtime/model/aggregates.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace kappa::model {
namespace {

bool passes(const AggregateCall& call, const Row& row) {
  if (!call.filter) return true;
  const Value& condition = row[*call.filter];
  return !condition.is_null() && std::get<bool>(condition.data);
}

bool counts(const AggregateCall& call, const Row& row) {
  if (!passes(call, row)) return false;
  return call.call == Call::kCountStar || !row[call.argument].is_null();
}

Value average(Type type, int128 sum, int argument_scale, int128 count) {
  int128 scaled = sum < 0 ? -sum : sum;
  for (int digit = argument_scale; digit < type.scale; ++digit) scaled *= 10;
  const int128 rounded = (2 * scaled + count) / (2 * count);  // half up, away from zero
  return numeric_value(type, sum < 0 ? -rounded : rounded);
}

double sum_of_doubles(const AggregateCall& call, const Bag& bag) {
  double sum = 0;
  for (const Bag& part : bag.parts) sum += sum_of_doubles(call, part);
  for (const auto& [sign, row] : bag.changes) {
    if (counts(call, row)) sum += sign * std::get<double>(row[call.argument].data);
  }
  return sum;
}

Value sum_or_average(const AggregateCall& call, const std::vector<Value>& values, const Bag& bag) {
  const bool is_average = call.call == Call::kAvg;
  const auto count = static_cast<int64_t>(values.size());
  if (call.result.id == TypeId::kDouble) {
    const double sum = sum_of_doubles(call, bag);
    return Value::double_precision(is_average ? sum / static_cast<double>(count) : sum);
  }
  int128 sum = 0;
  for (const Value& value : values) sum += integer_of(value);
  if (is_average) return average(call.result, sum, values[0].type.scale, count);
  if (call.result.id == TypeId::kBigint) return Value::bigint(static_cast<int64_t>(sum));
  return numeric_value(call.result, sum);
}

double number_of(const Value& value) {
  if (const auto* real = std::get_if<double>(&value.data)) return *real;
  return static_cast<double>(integer_of(value)) / std::pow(10.0, value.type.scale);
}

struct Moments {
  double count = 0;
  double mean = 0;
  double squares = 0;
};

// Running: mean and squares change with each value; parts are put together by the distance of their
// means.
Moments moments(const AggregateCall& call, const Bag& bag) {
  Moments all;
  for (const Bag& part : bag.parts) {
    const Moments more = moments(call, part);
    if (more.count == 0) continue;
    if (all.count == 0) {
      all = more;
      continue;
    }
    const double count = all.count + more.count;
    const double apart = more.mean - all.mean;
    const double share = more.count / count;
    all.mean = all.mean + apart * share;
    all.squares = all.squares + more.squares + apart * apart * share * all.count;
    all.count = count;
  }
  for (const auto& [sign, row] : bag.changes) {
    if (!counts(call, row)) continue;
    const double value = number_of(row[call.argument]);
    const double before = value - all.mean;
    all.mean += before / ++all.count;
    all.squares += before * (value - all.mean);
  }
  return all;
}

// What is the same for the values of a group and for each pair of them: sum (x - y)² = n sum x² -
// (sum x)².
Value deviation(const AggregateCall& call, const std::vector<Value>& values, const Bag& bag) {
  const auto count = static_cast<double>(values.size());
  const double divisor = call.call == Call::kStddev ? count - 1 : count;
  if (divisor == 0) return Value::null(call.result);
  if (values[0].type.id == TypeId::kDouble) {
    return Value::double_precision(std::sqrt(moments(call, bag).squares / divisor));
  }
  unsigned __int128 differences = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const int128 apart = integer_of(values[i]) - integer_of(values[j]);
      differences += static_cast<unsigned __int128>(apart * apart);
    }
  }
  const double unscaled = std::sqrt(static_cast<double>(differences) / count / divisor);
  return Value::double_precision(unscaled / std::pow(10.0, values[0].type.scale));
}

Value picked(const AggregateCall& call, const std::vector<Row>& rows) {
  const bool greatest = call.call == Call::kLast || call.call == Call::kArgMax;
  const Row* best = nullptr;
  for (const Row& row : rows) {
    if (!passes(call, row) || row[*call.by].is_null()) continue;
    const int order = best ? compare_values(row[*call.by], (*best)[*call.by]) : 0;
    const bool tie_goes_to_later = call.call == Call::kLast;
    if (!best || (greatest ? order > 0 : order < 0) || (order == 0 && tie_goes_to_later)) {
      best = &row;
    }
  }
  return best ? (*best)[call.argument] : Value::null(call.result);
}

// 2^(time / half-life), seen from a moment that is a whole number of half-lives away from 1970.
double growth(int64_t time_us, int64_t half_life_us, int64_t from_half_lives) {
  int64_t whole = time_us / half_life_us;
  if (time_us % half_life_us < 0) --whole;
  const auto rest = static_cast<double>(time_us - whole * half_life_us);
  return std::ldexp(std::exp2(rest / static_cast<double>(half_life_us)),
                    static_cast<int>(whole - from_half_lives));
}

int64_t time_of(const AggregateCall& call, const Row& row) {
  return std::get<int64_t>(row[*call.by].data);
}

double grown_sum(const AggregateCall& call, const Bag& bag, int64_t from_half_lives) {
  double sum = 0;
  for (const Bag& part : bag.parts) sum += grown_sum(call, part, from_half_lives);
  for (const auto& [sign, row] : bag.changes) {
    if (!counts(call, row)) continue;
    const double value = number_of(row[call.argument]);
    // What is infinite does not decay.
    sum += std::isinf(value)
               ? value
               : value * growth(time_of(call, row), call.half_life_us, from_half_lives);
  }
  return sum;
}

Value decayed_sum(const AggregateCall& call, const Bag& bag) {
  int64_t latest_us = std::numeric_limits<int64_t>::min();
  bool any = false;
  for (const Row& row : bag.rows) {
    if (!counts(call, row)) continue;
    any = true;
    latest_us = std::max(latest_us, time_of(call, row));
  }
  if (!any) return Value::null(call.result);
  const int64_t from = latest_us / call.half_life_us;
  return Value::double_precision(grown_sum(call, bag, from) /
                                 growth(latest_us, call.half_life_us, from));
}

// The middle of the 64th part of a power of two that the value of the rank lies in.
Value quantile(const AggregateCall& call, std::vector<Value> values) {
  std::sort(values.begin(), values.end(),
            [](const Value& a, const Value& b) { return compare_values(a, b) < 0; });
  const double count = static_cast<double>(values.size());
  const auto rank = static_cast<size_t>(std::max(1.0, std::ceil(call.quantile * count)));
  const double exact = number_of(values[rank - 1]);
  if (exact == 0) return Value::double_precision(0);
  int exponent = 0;
  const double part = std::frexp(std::fabs(exact), &exponent);  // from 0.5 to 1
  const double middle = std::ldexp((std::floor(part * 128) + 0.5) / 128, exponent);
  return Value::double_precision(std::copysign(middle, exact));
}

}  // namespace

Value without_negative_zero(Value value) {
  if (auto* real = std::get_if<double>(&value.data)) *real += 0.0;
  return value;
}

Row kept_row(Row row, const std::vector<size_t>& key) {
  for (const size_t column : key) row[column] = without_negative_zero(row[column]);
  return row;
}

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

bool same_row(const Row& a, const Row& b) {
  return !RowLess()(a, b) && !RowLess()(b, a);
}

std::vector<Row>::iterator find_row(std::vector<Row>& rows, const Row& row) {
  return std::find_if(rows.begin(), rows.end(),
                      [&](const Row& other) { return same_row(other, row); });
}

void Bag::apply(int sign, const Row& row) {
  if (sign > 0) {
    rows.push_back(row);
  } else if (const auto at = find_row(rows, row); at != rows.end()) {
    rows.erase(at);
  }
  changes.push_back({sign, row});
  if (rows.empty()) changes.clear();
}

void Bag::take_over(const Bag& part) {
  rows.insert(rows.end(), part.rows.begin(), part.rows.end());
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::get<int64_t>(a.back().data) < std::get<int64_t>(b.back().data);
  });
  parts.push_back(part);
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
    case Call::kFirst:
    case Call::kLast:
    case Call::kArgMin:
    case Call::kArgMax:
      return picked(call, bag.rows);
    case Call::kDecayedSum:
      return decayed_sum(call, bag);
    case Call::kCountDistinct:
    case Call::kApproxCountDistinct: {  // which is exact as far as groups here grow
      std::set<Value, decltype(less)> distinct(values.begin(), values.end(), less);
      return Value::bigint(static_cast<int64_t>(distinct.size()));
    }
    default:
      break;
  }
  if (values.empty()) return Value::null(call.result);
  switch (call.call) {
    case Call::kMin:
      return without_negative_zero(*std::min_element(values.begin(), values.end(), less));
    case Call::kMax:
      return without_negative_zero(*std::max_element(values.begin(), values.end(), less));
    case Call::kStddev:
    case Call::kStddevPop:
      return deviation(call, values, bag);
    case Call::kApproxQuantile:
      return quantile(call, values);
    default:
      return sum_or_average(call, values, bag);
  }
}

}  // namespace kappa::model
