#include "engine/sql/literal.h"

#include <array>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/sql/construct.h"
#include "engine/sql/fault.h"
#include "engine/types/decimal.h"
#include "engine/types/status_macros.h"

namespace kappa::sql {
namespace {

using operators::constant_expr;
using operators::SqlPosition;

// Digits of a decimal text in front of and behind the point, its exponent applied. Zeros that it
// begins with are none: 0.5 is .5.
struct Digits {
  int64_t whole = 0;
  int64_t fraction = 0;
};

Digits count_digits(const std::string& text) {
  const size_t exponent_at = text.find_first_of("eE");
  const std::string mantissa = text.substr(0, exponent_at);
  const size_t point = std::min(mantissa.find('.'), mantissa.size());
  int64_t exponent = 0;
  if (exponent_at != std::string::npos &&
      !absl::SimpleAtoi(text.substr(exponent_at + 1), &exponent)) {
    exponent = 1'000;  // beyond every limit
  }
  const size_t first_digit = std::min(mantissa.find_first_not_of("-0"), point);
  const auto whole = static_cast<int64_t>(point - first_digit);
  const auto fraction = static_cast<int64_t>(mantissa.size() - point) - (point < mantissa.size());
  return {std::max<int64_t>(0, whole + exponent), std::max<int64_t>(0, fraction - exponent)};
}

absl::StatusOr<Operand> bind_decimal(const Node& node, const std::string& text,
                                     SqlPosition position) {
  int64_t integer = 0;
  if (absl::SimpleAtoi(text, &integer)) {
    return Operand{constant_expr(Value::bigint(integer), position), &node};
  }
  const Digits digits = count_digits(text);
  const int64_t precision = std::max<int64_t>(1, digits.whole + digits.fraction);
  const auto too_long = [&] {
    return fault(node, absl::StrCat("the number ", text, " has more than 38 digits"),
                 "write it as a double precision: '…'::double precision");
  };
  if (precision > 38) return too_long();
  const int scale = static_cast<int>(digits.fraction);
  const auto value = parse_decimal(text, scale);
  if (!value) return too_long();
  const Type type = Type::numeric(static_cast<int>(precision), scale);
  if (type.physical() == PhysicalType::kInt64) {
    return Operand{constant_expr({type, static_cast<int64_t>(*value)}, position), &node};
  }
  return Operand{constant_expr({type, *value}, position), &node};
}

absl::StatusOr<Operand> bind_integer(const Node& node, const std::string& text,
                                     SqlPosition position) {
  int32_t value = 0;
  if (!absl::SimpleAtoi(text, &value)) return bind_decimal(node, text, position);
  return Operand{constant_expr(Value::integer(value), position), &node};
}

}  // namespace

absl::StatusOr<Operand> bind_constant(const Node& constant, SqlPosition position) {
  KAPPA_RETURN_IF_ERROR(
      expect_only(constant, {{"isnull"}, {"ival"}, {"fval"}, {"sval"}, {"boolval"}, {"bsval"}}));
  if (constant.flag("isnull")) {
    return Operand{constant_expr(Value::null(Type::null()), position), &constant};
  }
  if (const Node* integer = constant.child("ival")) {
    return bind_integer(constant, std::string(integer->text("ival")), position);
  }
  if (const Node* decimal = constant.child("fval")) {
    return bind_decimal(constant, std::string(decimal->text("fval")), position);
  }
  if (const Node* boolean = constant.child("boolval")) {
    return Operand{constant_expr(Value::boolean(boolean->flag("boolval")), position), &constant};
  }
  if (const Node* text = constant.child("sval")) {
    return Operand{constant_expr(Value::text(std::string(text->text("sval"))), position), &constant,
                   true};
  }
  return not_supported(constant, "bit string");
}

absl::StatusOr<Operand> with_interval_unit(const Operand& literal, const Node& type_name) {
  // PostgreSQL's masks of interval fields, as bits of the type's modifier.
  struct Unit {
    std::string_view mask;
    const char* name;
  };
  constexpr std::array<Unit, 4> kUnits = {Unit{"8", "day"}, Unit{"1024", "hour"},
                                          Unit{"2048", "minute"}, Unit{"4096", "second"}};
  const auto modifiers = type_name.list("typmods");
  const Node* mask = modifiers.size() == 1 ? modifiers[0].child("ival") : nullptr;
  const auto& text = std::get<std::string>(literal.expr->constant.data);
  double number = 0;
  for (const Unit& unit : kUnits) {
    if (!mask || mask->text("ival") != unit.mask || !absl::SimpleAtod(text, &number)) continue;
    Operand whole = literal;
    whole.expr =
        constant_expr(Value::text(absl::StrCat(text, " ", unit.name)), literal.expr->position);
    return whole;
  }
  return fault(type_name, "this form of an interval is not supported yet",
               "write the unit inside of the quotes: INTERVAL '5 minutes'");
}

}  // namespace kappa::sql
