#include <memory>
#include <string>
#include <utility>

#include "operators/functions_kernel.h"
#include "operators/functions_utf8.h"

// LIKE and ILIKE: % is any text, _ one character, \ takes away a special meaning.
namespace kappa::operators {
namespace {

constexpr const char* kEndsWithEscape = "LIKE pattern must not end with escape character";

// A pattern that is constant, by its form. `literal` is what stands between the %s.
struct LikePattern final : KernelState {
  enum class Form { kEqual, kPrefix, kSuffix, kContains, kOther };
  Form form = Form::kOther;
  std::string literal;
  std::string pattern;
};

bool ends_with_escape(std::string_view pattern) {
  size_t escapes = 0;
  while (escapes < pattern.size() && pattern[pattern.size() - 1 - escapes] == '\\') ++escapes;
  return escapes % 2 == 1;
}

size_t end_of_character(std::string_view text, size_t at) {
  ++at;
  while (at < text.size() && continues_character(text[at])) ++at;
  return at;
}

// Greedy with one point to go back to, the last %: linear but for patterns with several %s.
bool matches(std::string_view text, std::string_view pattern) {
  size_t i = 0;
  size_t j = 0;
  size_t after_percent = std::string_view::npos;
  size_t retry = 0;
  while (i < text.size()) {
    if (j < pattern.size() && pattern[j] == '%') {
      after_percent = ++j;
      retry = i;
      continue;
    }
    if (j < pattern.size() && pattern[j] == '_') {
      i = end_of_character(text, i);
      ++j;
      continue;
    }
    const size_t literal = j < pattern.size() && pattern[j] == '\\' ? j + 1 : j;
    if (literal < pattern.size() && pattern[literal] == text[i]) {
      ++i;
      j = literal + 1;
      continue;
    }
    if (after_percent == std::string_view::npos) return false;
    retry = end_of_character(text, retry);
    i = retry;
    j = after_percent;
  }
  while (j < pattern.size() && pattern[j] == '%') ++j;
  return j == pattern.size();
}

bool matches(std::string_view text, const LikePattern& pattern) {
  switch (pattern.form) {
    case LikePattern::Form::kEqual:
      return text == pattern.literal;
    case LikePattern::Form::kPrefix:
      return text.starts_with(pattern.literal);
    case LikePattern::Form::kSuffix:
      return text.ends_with(pattern.literal);
    case LikePattern::Form::kContains:
      return text.find(pattern.literal) != std::string_view::npos;
    case LikePattern::Form::kOther:
      return matches(text, pattern.pattern);
  }
  return false;
}

std::unique_ptr<LikePattern> classify(std::string_view pattern) {
  auto result = std::make_unique<LikePattern>();
  result->pattern = pattern;
  const bool open_start = pattern.starts_with('%');
  const bool open_end = pattern.size() > 1 && pattern.ends_with('%');
  std::string_view middle = pattern;
  if (open_start) middle.remove_prefix(1);
  if (open_end) middle.remove_suffix(1);
  if (middle.find_first_of("%_\\") != std::string_view::npos) return result;
  result->literal = middle;
  using Form = LikePattern::Form;
  result->form = open_start ? (open_end ? Form::kContains : Form::kSuffix)
                            : (open_end ? Form::kPrefix : Form::kEqual);
  return result;
}

template <bool kIgnoreCase>
std::unique_ptr<KernelState> prepare_like(std::span<const Value* const> constants) {
  if (constants[1] == nullptr || constants[1]->is_null()) return nullptr;
  const auto& pattern = std::get<std::string>(constants[1]->data);
  if (ends_with_escape(pattern)) return nullptr;
  if (!kIgnoreCase) return classify(pattern);
  Arena arena;
  return classify(lower_text(pattern, arena).view());
}

template <bool kIgnoreCase, bool kNegated>
bool like(RowScope& scope, StringRef text, StringRef pattern) {
  const StringRef cased = kIgnoreCase ? lower_text(text.view(), scope.arena) : text;
  if (scope.state != nullptr) {
    const auto& prepared = *static_cast<const LikePattern*>(scope.state);
    return matches(cased.view(), prepared) != kNegated;
  }
  if (ends_with_escape(pattern.view())) {
    scope.fail(kEndsWithEscape);
    return false;
  }
  const StringRef wanted = kIgnoreCase ? lower_text(pattern.view(), scope.arena) : pattern;
  return matches(cased.view(), wanted.view()) != kNegated;
}

// LIKE … ESCAPE: the pattern with `escape` in place of the backslash. None if it is empty.
StringRef like_escape(RowScope& scope, StringRef pattern, StringRef escape) {
  if (count_characters(escape.view()) > 1) {
    scope.fail("invalid escape string: it must be empty or one character");
    return {};
  }
  if (escape.view() == "\\") return pattern;
  const uint64_t most = uint64_t{pattern.size} * 2;
  if (!fits_text(scope, most)) return {};
  char* to = scope.arena.allocate(most);
  size_t size = 0;
  const std::string_view view = pattern.view();
  for (size_t at = 0; at < view.size();) {
    if (escape.size > 0 && view.substr(at).starts_with(escape.view())) {
      to[size++] = '\\';
      at += escape.size;
      if (at == view.size()) break;
      // What is escaped stands for itself; a backslash must then be so too.
      to[size++] = view[at++];
      continue;
    }
    if (view[at] == '\\') to[size++] = '\\';
    to[size++] = view[at++];
  }
  return {to, static_cast<uint32_t>(size)};
}

void add(FunctionList& list, const char* name, ScalarKernel kernel, PrepareRule prepare) {
  ScalarFunction function;
  function.name = name;
  function.args = {Type::text(), Type::text()};
  function.result = Type::boolean();
  function.kernel = kernel;
  function.prepare = prepare;
  list.push_back(std::move(function));
}

}  // namespace

void add_like_functions(FunctionList& list) {
  add(list, "~~", row_kernel<like<false, false>>, &prepare_like<false>);
  add(list, "!~~", row_kernel<like<false, true>>, &prepare_like<false>);
  add(list, "~~*", row_kernel<like<true, false>>, &prepare_like<true>);
  add(list, "!~~*", row_kernel<like<true, true>>, &prepare_like<true>);
  add(list, "like_escape", row_kernel<like_escape>, nullptr);
  list.back().result = Type::text();
}

}  // namespace kappa::operators
