#include "test/runtime/model/call_types.h"

namespace kappa::model {

const std::vector<std::pair<Call, std::string>>& call_names() {
  static const std::vector<std::pair<Call, std::string>> names{
      {Call::kCountStar, "count(*)"},
      {Call::kCount, "count("},
      {Call::kSum, "sum("},
      {Call::kAvg, "avg("},
      {Call::kMin, "min("},
      {Call::kMax, "max("},
      {Call::kCountDistinct, "count(DISTINCT "},
      {Call::kStddev, "stddev("},
      {Call::kStddevPop, "stddev_pop("},
      {Call::kFirst, "first("},
      {Call::kLast, "last("},
      {Call::kArgMin, "arg_min("},
      {Call::kArgMax, "arg_max("},
      {Call::kDecayedSum, "decayed_sum("},
      {Call::kApproxCountDistinct, "approx_count_distinct("},
      {Call::kApproxQuantile, "approx_quantile("}};
  return names;
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
    case Call::kFirst:
    case Call::kLast:
    case Call::kArgMin:
    case Call::kArgMax:
      return argument;
    case Call::kStddev:
    case Call::kStddevPop:
    case Call::kDecayedSum:
    case Call::kApproxQuantile:
      return Type::double_precision();
    default:
      return Type::bigint();
  }
}

bool is_refused(Call call, Type argument, bool changelog, bool event_time) {
  const bool number = summable(argument.id);
  switch (call) {
    case Call::kMin:
    case Call::kMax:
      return argument.id == TypeId::kBoolean;
    case Call::kSum:
    case Call::kAvg:
    case Call::kApproxQuantile:
      return !number;
    case Call::kStddev:
    case Call::kStddevPop:
      // Of wide numerics it is one of doubles, and the model casts none.
      return !number || argument.precision > 18 || (argument.id == TypeId::kDouble && changelog);
    case Call::kFirst:
    case Call::kLast:
      return changelog || !event_time;
    case Call::kDecayedSum:
      return changelog || !event_time || !number;
    case Call::kArgMin:
    case Call::kArgMax:
    case Call::kApproxCountDistinct:
      return changelog;
    default:
      return false;
  }
}

}  // namespace kappa::model
