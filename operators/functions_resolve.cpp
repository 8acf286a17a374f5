#include <algorithm>
#include <optional>
#include <string>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "operators/functions.h"
#include "operators/functions_numeric.h"
#include "operators/functions_registry.h"

// Overload resolution by the rules of PostgreSQL's manual, chapter "Type Conversion".
namespace kappa::operators {
namespace {

using Candidates = std::vector<const ScalarFunction*>;

// The numeric type of a text literal whose digits are not known here.
constexpr Type kLiteralNumeric = Type::numeric(38, 10);

struct Call {
  std::string_view name;
  std::span<const Type> args;
  const std::vector<bool>& literals;
  std::span<const Value* const> constants;

  // Takes whatever type fits: a bare NULL or an untyped literal.
  bool is_unknown(size_t i) const {
    return args[i].id == TypeId::kNull || (i < literals.size() && literals[i]);
  }
  const Value* constant(size_t i) const { return i < constants.size() ? constants[i] : nullptr; }
};

// The declared type of argument i; the last one of a variadic function repeats.
const Type& parameter(const ScalarFunction& function, size_t i) {
  return function.args[std::min(i, function.args.size() - 1)];
}

bool takes_count(const ScalarFunction& function, size_t count) {
  return function.variadic ? count >= function.args.size() : count == function.args.size();
}

bool is_any(const Type& parameter_type) {
  return parameter_type.id == TypeId::kNull;
}

// Precision and scale don't tell overloads apart.
bool accepts(const Type& parameter_type, const Type& arg) {
  if (is_any(parameter_type) || parameter_type.id == arg.id) return true;
  if (parameter_type.id == TypeId::kNumeric) return arg.is_integer();
  return can_cast_implicitly(arg, parameter_type);
}

enum class Category { kBoolean, kNumber, kString, kTime, kSpan, kBytes };

Category category_of(const Type& type) {
  switch (type.id) {
    case TypeId::kBoolean:
      return Category::kBoolean;
    case TypeId::kText:
    case TypeId::kNull:
      return Category::kString;
    case TypeId::kBytea:
      return Category::kBytes;
    case TypeId::kTimestamptz:
    case TypeId::kDate:
      return Category::kTime;
    case TypeId::kInterval:
      return Category::kSpan;
    default:
      return Category::kNumber;
  }
}

// The type of a category that wins where nothing else decides.
bool is_preferred(const Type& type) {
  return type.id == TypeId::kDouble || type.id == TypeId::kText ||
         type.id == TypeId::kTimestamptz || type.id == TypeId::kInterval ||
         type.id == TypeId::kBoolean;
}

// Keeps the candidates with the highest score.
template <typename Score>
void keep_best(Candidates* candidates, Score score) {
  int best = 0;
  for (const ScalarFunction* function : *candidates) best = std::max(best, score(*function));
  std::erase_if(*candidates,
                [&](const ScalarFunction* function) { return score(*function) < best; });
}

// An operator with one unknown side: tries the type of the other one first.
const ScalarFunction* match_same_type(const Call& call, const Candidates& candidates) {
  if (!is_operator(call.name) || call.args.size() != 2) return nullptr;
  if (call.is_unknown(0) == call.is_unknown(1)) return nullptr;
  const TypeId known = call.args[call.is_unknown(0) ? 1 : 0].id;
  for (const ScalarFunction* function : candidates) {
    if (function->args[0].id == known && function->args[1].id == known) return function;
  }
  return nullptr;
}

void keep_exact(const Call& call, Candidates* candidates) {
  keep_best(candidates, [&](const ScalarFunction& function) {
    int exact = 0;
    for (size_t i = 0; i < call.args.size(); ++i) {
      if (!call.is_unknown(i) && parameter(function, i).id == call.args[i].id) ++exact;
    }
    return exact;
  });
}

void keep_preferred(const Call& call, Candidates* candidates) {
  keep_best(candidates, [&](const ScalarFunction& function) {
    int preferred = 0;
    for (size_t i = 0; i < call.args.size(); ++i) {
      const Type& type = parameter(function, i);
      if (call.is_unknown(i)) continue;
      if (type.id == call.args[i].id || is_preferred(type)) ++preferred;
    }
    return preferred;
  });
}

// Unknown arguments: text if a candidate takes it there, else the one category they all take.
// False: the candidates differ too much to choose.
bool choose_for_unknown(size_t i, Candidates* candidates) {
  const auto category_at = [i](const ScalarFunction* function) {
    return category_of(parameter(*function, i));
  };
  Category wanted = category_at(candidates->front());
  const bool same = std::all_of(candidates->begin(), candidates->end(),
                                [&](const auto* f) { return category_at(f) == wanted; });
  const bool has_text = std::any_of(candidates->begin(), candidates->end(), [&](const auto* f) {
    return category_at(f) == Category::kString;
  });
  if (!same && !has_text) return false;
  if (has_text) wanted = Category::kString;
  keep_best(candidates, [&](const ScalarFunction& function) {
    const Type& type = parameter(function, i);
    if (category_of(type) != wanted) return 0;
    return is_preferred(type) ? 2 : 1;
  });
  return true;
}

// Assumes that unknown arguments have the type of the known ones, if those agree.
void keep_same_as_known(const Call& call, Candidates* candidates) {
  std::optional<TypeId> known;
  for (size_t i = 0; i < call.args.size(); ++i) {
    if (call.is_unknown(i)) continue;
    if (known && *known != call.args[i].id) return;
    known = call.args[i].id;
  }
  if (!known) return;
  Candidates matching;
  for (const ScalarFunction* function : *candidates) {
    bool takes = true;
    for (size_t i = 0; i < call.args.size(); ++i) {
      takes = takes && accepts(parameter(*function, i), Type{*known});
    }
    if (takes) matching.push_back(function);
  }
  if (matching.size() == 1) *candidates = matching;
}

Candidates narrow(const Call& call, Candidates candidates) {
  std::erase_if(candidates, [&](const ScalarFunction* function) {
    if (!takes_count(*function, call.args.size())) return true;
    for (size_t i = 0; i < call.args.size(); ++i) {
      if (!call.is_unknown(i) && !accepts(parameter(*function, i), call.args[i])) return true;
    }
    return false;
  });
  if (candidates.size() <= 1) return candidates;
  if (const ScalarFunction* same = match_same_type(call, candidates)) return {same};
  keep_exact(call, &candidates);
  if (candidates.size() > 1) keep_preferred(call, &candidates);
  bool chosen = true;
  for (size_t i = 0; i < call.args.size() && candidates.size() > 1 && chosen; ++i) {
    if (call.is_unknown(i)) chosen = choose_for_unknown(i, &candidates);
  }
  if (candidates.size() > 1) keep_same_as_known(call, &candidates);
  return candidates;
}

std::string describe_types(const Call& call) {
  std::vector<std::string> names;
  for (size_t i = 0; i < call.args.size(); ++i) {
    const bool literal = call.is_unknown(i) && call.args[i].id != TypeId::kNull;
    names.push_back(call.args[i].id == TypeId::kNull ? "null"
                    : literal                        ? "literal"
                                                     : to_string(call.args[i]));
  }
  if (is_operator(call.name)) {
    if (names.size() == 1) return absl::StrCat(to_absl(call.name), names[0]);
    return absl::StrJoin(names, absl::StrCat(" ", to_absl(call.name), " "));
  }
  return absl::StrCat(to_absl(call.name), "(", absl::StrJoin(names, ", "), ")");
}

std::string describe_candidates(const Candidates& candidates) {
  std::vector<std::string> signatures;
  for (const ScalarFunction* function : candidates) signatures.push_back(signature_of(*function));
  return absl::StrJoin(signatures, ", ");
}

absl::Status no_such_function(const Call& call, const Candidates& overloads) {
  const char* kind = is_operator(call.name) ? "operator " : "function ";
  const std::string start = absl::StrCat(kind, describe_types(call), " does not exist");
  if (!overloads.empty()) {
    return absl::NotFoundError(absl::StrCat(
        start, "; ",
        is_operator(call.name) ? "there is: " : "it takes: ", describe_candidates(overloads)));
  }
  const std::string close = closest_function_name(call.name);
  if (close.empty()) return absl::NotFoundError(start);
  return absl::NotFoundError(absl::StrCat(start, "; did you mean ", close, "?"));
}

// The digits that a literal like '12.50' has, as a numeric type.
Type literal_numeric_type(const Call& call, size_t i) {
  const Value* constant = call.constant(i);
  const auto* text = constant == nullptr ? nullptr : std::get_if<std::string>(&constant->data);
  if (text == nullptr) return kLiteralNumeric;
  std::string_view digits = strip_spaces(*text);
  if (!digits.empty() && (digits[0] == '-' || digits[0] == '+')) digits.remove_prefix(1);
  while (digits.starts_with('0')) digits.remove_prefix(1);  // 0.5 has the digits of .5
  const size_t whole = std::min(digits.find('.'), digits.size());
  const size_t fraction = digits.size() - std::min(whole + 1, digits.size());
  const bool plain = digits.find_first_not_of("0123456789.") == std::string_view::npos;
  if (!plain || whole + fraction > kNumericDigitsMax) return kLiteralNumeric;
  return Type::numeric(static_cast<int>(std::max<size_t>(whole + fraction, 1)),
                       static_cast<int>(fraction));
}

Type argument_type(const Call& call, const ScalarFunction& function, size_t i) {
  const Type& declared = parameter(function, i);
  if (is_any(declared)) return Type::text();
  if (declared.id != TypeId::kNumeric) return declared;
  if (call.args[i].id == TypeId::kNull) return Type::numeric(1, 0);
  if (call.is_unknown(i)) return literal_numeric_type(call, i);
  return numeric_type_of(call.args[i]);
}

absl::StatusOr<ResolvedCall> bind(const Call& call, const ScalarFunction& function) {
  ResolvedCall resolved{&function, {}, function.result};
  for (size_t i = 0; i < call.args.size(); ++i) {
    resolved.arg_types.push_back(argument_type(call, function, i));
  }
  if (function.result_rule != nullptr) {
    KAPPA_ASSIGN_OR_RETURN(resolved.result,
                           function.result_rule(resolved.arg_types, call.constants));
  }
  return resolved;
}

// greatest and least: all arguments take the type that they have in common.
absl::StatusOr<ResolvedCall> bind_unified(const Call& call, const Candidates& overloads) {
  Type common = Type::null();
  for (size_t i = 0; i < call.args.size(); ++i) {
    if (call.is_unknown(i)) continue;
    KAPPA_ASSIGN_OR_RETURN(common, common_type(common, call.args[i]));
  }
  if (common.id == TypeId::kNull) common = Type::text();
  for (const ScalarFunction* function : overloads) {
    if (function->args[0].id != common.id || !takes_count(*function, call.args.size())) continue;
    return ResolvedCall{function, std::vector<Type>(call.args.size(), common),
                        function->result.id == common.id ? common : function->result};
  }
  return no_such_function(call, overloads);
}

}  // namespace

absl::StatusOr<ResolvedCall> resolve_function(std::string_view name, std::span<const Type> args,
                                              const std::vector<bool>& literals,
                                              std::span<const Value* const> constants) {
  const Call call{name, args, literals, constants};
  const Candidates overloads = overloads_of(name);
  if (overloads.empty()) return no_such_function(call, overloads);
  if (overloads.front()->unified) return bind_unified(call, overloads);
  const Candidates candidates = narrow(call, overloads);
  if (candidates.empty()) return no_such_function(call, overloads);
  if (candidates.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        is_operator(name) ? "operator " : "function ", describe_types(call),
        " is not unique; cast an argument to choose one of: ", describe_candidates(candidates)));
  }
  return bind(call, *candidates.front());
}

}  // namespace kappa::operators
