#include "operators/frame_result.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace kappa::operators {
namespace {

AggregateKind aggregate_of(FrameFunction function) {
  switch (function) {
    case FrameFunction::kCount:
      return AggregateKind::kCount;
    case FrameFunction::kCountDistinct:
      return AggregateKind::kCountDistinct;
    case FrameFunction::kSum:
      return AggregateKind::kSum;
    case FrameFunction::kAvg:
      return AggregateKind::kAvg;
    case FrameFunction::kMin:
      return AggregateKind::kMin;
    case FrameFunction::kMax:
      return AggregateKind::kMax;
    default:
      return AggregateKind::kCountStar;
  }
}

}  // namespace

absl::StatusOr<Type> frame_result_type(FrameFunction function, Type argument) {
  switch (function) {
    case FrameFunction::kFirstValue:
    case FrameFunction::kLastValue:
    case FrameFunction::kLag:
      if (argument.id == TypeId::kNull) return Type::text();
      return argument;
    case FrameFunction::kStddev:
    case FrameFunction::kStddevPop:
      if (argument.is_integer() || argument.id == TypeId::kNumeric ||
          argument.id == TypeId::kDouble) {
        return Type::double_precision();
      }
      return absl::InvalidArgumentError(absl::StrCat(std::string(frame_function_name(function)),
                                                     "(", to_string(argument),
                                                     ") does not exist; it takes a number"));
    case FrameFunction::kIsLate:
      return Type::boolean();
    default:
      return aggregate_result_type(aggregate_of(function), argument);
  }
}

std::optional<double> standard_deviation(std::span<const double> values, bool sample) {
  const size_t divisor = sample ? values.size() - 1 : values.size();
  if (values.empty() || divisor == 0) return std::nullopt;
  double sum = 0;
  for (const double value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(divisor));
}

}  // namespace kappa::operators
