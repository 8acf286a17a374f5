#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "operators/functions.h"

// All functions by name. Internal to operators/functions_*.cpp.
namespace kappa::operators {

// The overloads of `name`, in the order of their registration; empty: there is no such function.
std::vector<const ScalarFunction*> overloads_of(std::string_view name);

// Whether SQL writes it between or before its arguments: "+", "~~", "is distinct from".
bool is_operator(std::string_view name);

// "upper(text)", "bigint + bigint", "-numeric", "concat(any, ...)".
std::string signature_of(const ScalarFunction& function);

// The name that was probably meant, or "".
std::string closest_function_name(std::string_view name);

}  // namespace kappa::operators
