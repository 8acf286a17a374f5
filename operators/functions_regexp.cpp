#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <re2/re2.h>

#include "absl/strings/str_cat.h"
#include "engine/types/text.h"
#include "operators/functions_kernel.h"
#include "operators/functions_utf8.h"

// Regular expressions, in RE2's syntax: linear in the text, so without back-references in a pattern
// and without looking around.
namespace kappa::operators {
namespace {

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

// Flags as regexp_replace takes them.
struct Flags {
  bool global = false;
  bool ignore_case = false;
  bool operator==(const Flags&) const = default;
};

std::optional<Flags> parse_flags(std::string_view text) {
  Flags flags;
  for (const char c : text) {
    if (c == 'g') {
      flags.global = true;
    } else if (c == 'i' || c == 'c') {
      flags.ignore_case = c == 'i';
    } else {
      return std::nullopt;
    }
  }
  return flags;
}

class Regexp final : public KernelState {
 public:
  Regexp(std::string_view pattern, bool ignore_case)
      : pattern_(pattern),
        ignore_case_(ignore_case),
        compiled_(piece(pattern), options(ignore_case)) {}

  bool is(std::string_view pattern, bool ignore_case) const {
    return ignore_case == ignore_case_ && pattern == pattern_;
  }
  const RE2& compiled() const { return compiled_; }

 private:
  static RE2::Options options(bool ignore_case) {
    RE2::Options result;
    result.set_log_errors(false);
    result.set_case_sensitive(!ignore_case);
    return result;
  }

  std::string pattern_;
  bool ignore_case_;
  RE2 compiled_;
};

// The compiled pattern of a row: the prepared one, or the last row's if it is the same.
class RowRegexp {
 public:
  RowRegexp(const KernelCall& call, bool ignore_case)
      : call_(call),
        prepared_(static_cast<const Regexp*>(call.state)),
        patterns_(call.args[1]),
        ignore_case_(ignore_case) {}

  // Null after failing the row: the pattern is none.
  const RE2* at(uint32_t row) { return at(row, ignore_case_); }
  const RE2* at(uint32_t row, bool ignore_case) {
    const std::string_view pattern = patterns_[row].view();
    if (prepared_ != nullptr && prepared_->is(pattern, ignore_case)) {
      return &prepared_->compiled();
    }
    if (!last_ || !last_->is(pattern, ignore_case)) {
      last_ = std::make_unique<Regexp>(pattern, ignore_case);
    }
    if (last_->compiled().ok()) return &last_->compiled();
    call_.errors.fail(row, [&] {
      return absl::StrCat("invalid regular expression ", excerpt(pattern), ": ",
                          last_->compiled().error());
    });
    return nullptr;
  }

 private:
  const KernelCall& call_;
  const Regexp* prepared_;
  ArgReader<StringRef> patterns_;
  bool ignore_case_;
  std::unique_ptr<Regexp> last_;
};

template <bool kIgnoreCase>
std::unique_ptr<KernelState> prepare_regexp(std::span<const Value* const> constants) {
  if (constants[1] == nullptr || constants[1]->is_null()) return nullptr;
  auto result = std::make_unique<Regexp>(std::get<std::string>(constants[1]->data), kIgnoreCase);
  return result->compiled().ok() ? std::move(result) : nullptr;
}

// With flags as the argument `at`, if they are constant too.
template <size_t at>
std::unique_ptr<KernelState> prepare_with_flags(std::span<const Value* const> constants) {
  if (constants.size() <= at) return prepare_regexp<false>(constants);
  if (constants[at] == nullptr || constants[at]->is_null()) return nullptr;
  const auto flags = parse_flags(std::get<std::string>(constants[at]->data));
  if (!flags) return nullptr;
  return flags->ignore_case ? prepare_regexp<true>(constants) : prepare_regexp<false>(constants);
}

template <bool kIgnoreCase, bool kNegated>
void match(const KernelCall& call) {
  RowRegexp regexps(call, kIgnoreCase);
  const ArgReader<StringRef> texts(call.args[0]);
  int8_t* out = call.out.values<int8_t>().data();
  for_not_null(call, [&](uint32_t row) {
    const RE2* regexp = regexps.at(row);
    if (regexp == nullptr) return;
    out[row] = RE2::PartialMatch(piece(texts[row].view()), *regexp) != kNegated ? 1 : 0;
  });
}

// The flags of a row, or nothing after failing it. No such argument: none are set.
std::optional<Flags> flags_at(const KernelCall& call, size_t index, uint32_t row) {
  if (call.args.size() <= index) return Flags{};
  const std::string_view text = ArgReader<StringRef>(call.args[index])[row].view();
  const auto flags = parse_flags(text);
  if (!flags) {
    call.errors.fail(row, [&] {
      return absl::StrCat("invalid regular expression options ", excerpt(text),
                          "; there are g (all matches), i (ignore case) and c (heed case)");
    });
  }
  return flags;
}

void regexp_like(const KernelCall& call) {
  RowRegexp regexps(call, false);
  const ArgReader<StringRef> texts(call.args[0]);
  int8_t* out = call.out.values<int8_t>().data();
  for_not_null(call, [&](uint32_t row) {
    const auto flags = flags_at(call, 2, row);
    const RE2* regexp = flags ? regexps.at(row, flags->ignore_case) : nullptr;
    if (regexp == nullptr) return;
    out[row] = RE2::PartialMatch(piece(texts[row].view()), *regexp) ? 1 : 0;
  });
}

constexpr int kGroupsMax = 10;  // the whole match and \1 to \9
using Groups = std::array<re2::StringPiece, kGroupsMax>;

// Appends a replacement: \1 to \9 are groups, \& the whole match, \\ a backslash.
void append_replacement(std::string_view replacement, const Groups& groups, std::string* out) {
  for (size_t i = 0; i < replacement.size(); ++i) {
    if (replacement[i] != '\\' || i + 1 == replacement.size()) {
      out->push_back(replacement[i]);
      continue;
    }
    const char next = replacement[++i];
    if (next == '&' || (next >= '1' && next <= '9')) {
      const re2::StringPiece group = groups[next == '&' ? 0 : static_cast<size_t>(next - '0')];
      if (group.data() != nullptr) out->append(group.data(), group.size());
    } else {
      if (next != '\\') out->push_back('\\');
      out->push_back(next);
    }
  }
}

void replace_matches(const RE2& regexp, std::string_view text, std::string_view replacement,
                     bool all, std::string* out) {
  const int count = std::min(kGroupsMax, regexp.NumberOfCapturingGroups() + 1);
  size_t at = 0;
  size_t last_end = std::string_view::npos;  // no empty match right behind a match
  while (at <= text.size()) {
    Groups groups;
    if (!regexp.Match(piece(text), at, text.size(), RE2::UNANCHORED, groups.data(), count)) break;
    const auto begin = static_cast<size_t>(groups[0].data() - text.data());
    const size_t end = begin + groups[0].size();
    out->append(text.substr(at, begin - at));
    at = begin;
    if (begin != end || begin != last_end) {
      append_replacement(replacement, groups, out);
      at = end;
      last_end = end;
      if (!all) break;
      if (begin != end) continue;
    }
    // After an empty match one character is passed over.
    if (at == text.size()) return;
    const size_t step = offset_of_character(text.substr(at), 1);
    out->append(text.substr(at, step));
    at += step;
  }
  if (at < text.size()) out->append(text.substr(at));
}

void regexp_replace(const KernelCall& call) {
  RowRegexp regexps(call, false);
  const ArgReader<StringRef> texts(call.args[0]);
  const ArgReader<StringRef> replacements(call.args[2]);
  StringRef* out = call.out.values<StringRef>().data();
  std::string buffer;
  for_not_null(call, [&](uint32_t row) {
    const auto flags = flags_at(call, 3, row);
    const RE2* regexp = flags ? regexps.at(row, flags->ignore_case) : nullptr;
    if (regexp == nullptr) return;
    buffer.clear();
    replace_matches(*regexp, texts[row].view(), replacements[row].view(), flags->global, &buffer);
    if (fits_text({call.arena, call.errors, nullptr, row}, buffer.size())) {
      out[row] = call.arena.copy(buffer);
    }
  });
}

// The first match, or null; `kGroup`: its first group, if the pattern has one.
template <bool kGroup>
void regexp_substr(const KernelCall& call) {
  RowRegexp regexps(call, false);
  const ArgReader<StringRef> texts(call.args[0]);
  StringRef* out = call.out.values<StringRef>().data();
  for_not_null(call, [&](uint32_t row) {
    const RE2* regexp = regexps.at(row);
    if (regexp == nullptr) return;
    const bool has_group = kGroup && regexp->NumberOfCapturingGroups() > 0;
    const std::string_view text = texts[row].view();
    std::array<re2::StringPiece, 2> groups;
    const bool found = regexp->Match(piece(text), 0, text.size(), RE2::UNANCHORED, groups.data(),
                                     has_group ? 2 : 1);
    const re2::StringPiece result = groups[has_group ? 1 : 0];
    if (found && result.data() != nullptr) {
      out[row] = {result.data(), static_cast<uint32_t>(result.size())};
    } else {
      call.out.set_null(row);
    }
  });
}

void regexp_count(const KernelCall& call) {
  RowRegexp regexps(call, false);
  const ArgReader<StringRef> texts(call.args[0]);
  int32_t* out = call.out.values<int32_t>().data();
  for_not_null(call, [&](uint32_t row) {
    const RE2* regexp = regexps.at(row);
    if (regexp == nullptr) return;
    const std::string_view text = texts[row].view();
    int32_t count = 0;
    re2::StringPiece found;
    size_t at = 0;
    while (at <= text.size() &&
           regexp->Match(piece(text), at, text.size(), RE2::UNANCHORED, &found, 1)) {
      ++count;
      at = static_cast<size_t>(found.data() - text.data()) + found.size();
      if (!found.empty()) continue;
      at += at < text.size() ? offset_of_character(text.substr(at), 1) : 1;
    }
    out[row] = count;
  });
}

void add(FunctionList& list, const char* name, size_t args, const Type& result, ScalarKernel kernel,
         PrepareRule prepare) {
  ScalarFunction function;
  function.name = name;
  function.args.assign(args, Type::text());
  function.result = result;
  function.kernel = kernel;
  function.prepare = prepare;
  list.push_back(std::move(function));
}

}  // namespace

void add_regexp_functions(FunctionList& list) {
  const Type boolean = Type::boolean();
  const Type text = Type::text();
  add(list, "~", 2, boolean, &match<false, false>, &prepare_regexp<false>);
  add(list, "!~", 2, boolean, &match<false, true>, &prepare_regexp<false>);
  add(list, "~*", 2, boolean, &match<true, false>, &prepare_regexp<true>);
  add(list, "!~*", 2, boolean, &match<true, true>, &prepare_regexp<true>);
  add(list, "regexp_like", 2, boolean, &regexp_like, &prepare_regexp<false>);
  add(list, "regexp_like", 3, boolean, &regexp_like, &prepare_with_flags<2>);
  add(list, "regexp_replace", 3, text, &regexp_replace, &prepare_regexp<false>);
  add(list, "regexp_replace", 4, text, &regexp_replace, &prepare_with_flags<3>);
  add(list, "regexp_substr", 2, text, &regexp_substr<false>, &prepare_regexp<false>);
  add(list, "substring", 2, text, &regexp_substr<true>, &prepare_regexp<false>);
  add(list, "regexp_count", 2, Type::integer(), &regexp_count, &prepare_regexp<false>);
}

}  // namespace kappa::operators
