#include "operators/functions.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/types/text.h"
#include "operators/functions_kernel.h"
#include "operators/functions_registry.h"

namespace kappa::operators {
namespace {

struct Registry {
  FunctionList functions;
  std::map<std::string, std::vector<const ScalarFunction*>, std::less<>> by_name;

  Registry() {
    add_arithmetic_functions(functions);
    add_numeric_functions(functions);
    add_math_functions(functions);
    add_comparison_functions(functions);
    add_choice_functions(functions);
    add_text_functions(functions);
    add_text_part_functions(functions);
    add_like_functions(functions);
    add_regexp_functions(functions);
    add_bytes_functions(functions);
    add_header_functions(functions);
    add_time_functions(functions);
    add_time_unit_functions(functions);
    for (const ScalarFunction& function : functions) by_name[function.name].push_back(&function);
  }
};

// Built once, never changed, never destroyed: plans point into it.
const Registry& registry() {
  static const Registry* const instance = new Registry();
  return *instance;
}

// Levenshtein distance, two rows at a time.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

std::string type_name(const Type& type) {
  if (type.id == TypeId::kNull) return "any";
  return type.id == TypeId::kNumeric ? "numeric" : to_string(type);
}

}  // namespace

void ErrorSink::enter(uint32_t line, uint32_t column, bool lenient) {
  line_ = line;
  column_ = column;
  lenient_ = lenient;
  failed_.clear();
}

std::vector<const ScalarFunction*> overloads_of(std::string_view name) {
  const auto& by_name = registry().by_name;
  const auto found = by_name.find(name);
  return found == by_name.end() ? std::vector<const ScalarFunction*>{} : found->second;
}

bool is_operator(std::string_view name) {
  const bool word = !name.empty() && (name[0] == '_' || (name[0] >= 'a' && name[0] <= 'z'));
  return !word || name.find(' ') != std::string_view::npos;
}

std::string signature_of(const ScalarFunction& function) {
  if (is_operator(function.name)) {
    if (function.args.size() == 1) return function.name + type_name(function.args[0]);
    return absl::StrCat(type_name(function.args[0]), " ", function.name, " ",
                        type_name(function.args[1]));
  }
  std::string out = function.name + "(";
  for (size_t i = 0; i < function.args.size(); ++i) {
    absl::StrAppend(&out, i == 0 ? "" : ", ", type_name(function.args[i]));
  }
  return out + (function.variadic ? ", ...)" : ")");
}

std::string closest_function_name(std::string_view name) {
  std::string best;
  size_t best_distance = name.size() <= 4 ? 2 : 3;  // one beyond what counts as a misspelling
  for (const auto& [candidate, overloads] : registry().by_name) {
    if (is_operator(candidate)) continue;
    const size_t distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const auto& [name, overloads] : registry().by_name) names.push_back(name);
  return names;
}

std::vector<std::string> function_signatures() {
  std::vector<std::string> signatures;
  for (const auto& [name, overloads] : registry().by_name) {
    for (const ScalarFunction* function : overloads) signatures.push_back(signature_of(*function));
  }
  return signatures;
}

}  // namespace kappa::operators
