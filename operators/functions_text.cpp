#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string>

#include "operators/functions_kernel.h"
#include "operators/functions_utf8.h"

// Text as a whole: case, length, concatenation, characters.
namespace kappa::operators {
namespace {

int32_t character_length(RowScope&, StringRef text) {
  return static_cast<int32_t>(count_characters(text.view()));
}
int32_t octet_length(RowScope&, StringRef text) {
  return static_cast<int32_t>(text.size);
}
int32_t bit_length(RowScope&, StringRef text) {
  return static_cast<int32_t>(text.size * 8);
}

StringRef lower(RowScope& scope, StringRef text) {
  return lower_text(text.view(), scope.arena);
}

StringRef upper(RowScope& scope, StringRef text) {
  return upper_text(text.view(), scope.arena);
}

// The first letter of each word in upper case, the rest in lower case.
StringRef initcap(RowScope& scope, StringRef text) {
  char* to = scope.arena.allocate(text.size);
  size_t size = 0;
  bool in_word = false;
  const std::string_view view = text.view();
  for (size_t at = 0; at < view.size();) {
    const size_t begin = at;
    const char32_t from = next_character(view, &at);
    const char32_t changed = in_word ? to_lower(from) : to_upper(from);
    in_word = is_letter_or_digit(from);
    if (changed == from) {  // malformed bytes stay as they are
      std::memcpy(to + size, view.data() + begin, at - begin);
      size += at - begin;
    } else {
      size += write_character(changed, to + size);
    }
  }
  return {to, static_cast<uint32_t>(size)};
}

StringRef concatenate(RowScope& scope, StringRef a, StringRef b) {
  const uint64_t size = uint64_t{a.size} + b.size;
  if (b.size == 0) return a;
  if (a.size == 0) return b;
  if (!fits_text(scope, size)) return {};
  char* to = scope.arena.allocate(size);
  std::memcpy(to, a.data, a.size);
  std::memcpy(to + a.size, b.data, b.size);
  return {to, static_cast<uint32_t>(size)};
}

// Joins the arguments from `first` on that are not null. `separator` may be empty.
StringRef join(const KernelCall& call, uint32_t row, size_t first, std::string_view separator) {
  const auto text_at = [&](const KernelArg& arg) { return ArgReader<StringRef>(arg)[row].view(); };
  uint64_t size = 0;
  for (size_t i = first; i < call.args.size(); ++i) {
    if (!is_null_at(call.args[i], row)) size += text_at(call.args[i]).size() + separator.size();
  }
  if (size == 0) return {};
  if (!fits_text({call.arena, call.errors, nullptr, row}, size)) return {};
  char* const begin = call.arena.allocate(size);
  char* to = begin;
  bool joined = false;
  const auto put = [&to](std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    to += bytes.size();
  };
  for (size_t i = first; i < call.args.size(); ++i) {
    if (is_null_at(call.args[i], row)) continue;
    if (joined) put(separator);
    put(text_at(call.args[i]));
    joined = true;
  }
  return {begin, static_cast<uint32_t>(to - begin)};
}

void concat(const KernelCall& call) {
  StringRef* out = call.out.values<StringRef>().data();
  for_selected(call.selection, [&](uint32_t row) { out[row] = join(call, row, 0, {}); });
}

// A null separator makes a null.
void concat_ws(const KernelCall& call) {
  StringRef* out = call.out.values<StringRef>().data();
  const ArgReader<StringRef> separators(call.args[0]);
  for_selected(call.selection, [&](uint32_t row) {
    if (is_null_at(call.args[0], row)) {
      call.out.set_null(row);
    } else {
      out[row] = join(call, row, 1, separators[row].view());
    }
  });
}

StringRef repeat(RowScope& scope, StringRef text, int32_t count) {
  if (count <= 0 || text.size == 0) return {};
  const uint64_t size = uint64_t{text.size} * static_cast<uint64_t>(count);
  if (!fits_text(scope, size)) return {};
  char* to = scope.arena.allocate(size);
  for (uint64_t at = 0; at < size; at += text.size) std::memcpy(to + at, text.data, text.size);
  return {to, static_cast<uint32_t>(size)};
}

StringRef reverse(RowScope& scope, StringRef text) {
  char* to = scope.arena.allocate(text.size);
  const std::string_view view = text.view();
  for (size_t begin = 0; begin < view.size();) {
    size_t end = begin + 1;
    while (end < view.size() && continues_character(view[end])) ++end;
    std::memcpy(to + (view.size() - end), view.data() + begin, end - begin);
    begin = end;
  }
  return {to, text.size};
}

int32_t ascii(RowScope&, StringRef text) {
  size_t at = 0;
  return text.size == 0 ? 0 : static_cast<int32_t>(next_character(text.view(), &at));
}

StringRef chr(RowScope& scope, int32_t code) {
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code <= 0 || code > 0x10FFFF || is_surrogate) {
    scope.fail([=] {
      return "no character has the code " + std::to_string(code) +
             "; codes are 1 to 1114111 without 55296 to 57343";
    });
    return {};
  }
  char* to = scope.arena.allocate(kCharacterBytesMax);
  return {to, static_cast<uint32_t>(write_character(static_cast<char32_t>(code), to))};
}

// Two's complement, like PostgreSQL; T is the unsigned type of the argument's width.
template <typename T, typename U>
StringRef to_hex(RowScope& scope, T value) {
  std::array<char, 16> digits;
  const char* end =
      std::to_chars(digits.data(), digits.data() + digits.size(), static_cast<U>(value), 16).ptr;
  return scope.arena.copy({digits.data(), end});
}

bool starts_with(RowScope&, StringRef text, StringRef prefix) {
  return text.view().starts_with(prefix.view());
}

void add(FunctionList& list, const char* name, std::vector<Type> args, const Type& result,
         ScalarKernel kernel) {
  ScalarFunction function;
  function.name = name;
  function.args = std::move(args);
  function.result = result;
  function.kernel = kernel;
  list.push_back(std::move(function));
}

void add_concatenation(FunctionList& list) {
  const Type text = Type::text();
  const Type any = Type::null();
  add(list, "||", {text, text}, text, row_kernel<concatenate>);
  add(list, "||", {text, any}, text, row_kernel<concatenate>);
  add(list, "||", {any, text}, text, row_kernel<concatenate>);
  add(list, "||", {Type::bytea(), Type::bytea()}, Type::bytea(), row_kernel<concatenate>);
  add(list, "concat", {any}, text, &concat);
  list.back().variadic = true;
  list.back().strict = false;
  add(list, "concat_ws", {text, any}, text, &concat_ws);
  list.back().variadic = true;
  list.back().strict = false;
}

}  // namespace

void add_text_functions(FunctionList& list) {
  const Type text = Type::text();
  const Type integer = Type::integer();
  for (const char* name : {"length", "char_length", "character_length"}) {
    add(list, name, {text}, integer, row_kernel<character_length>);
    list.back().infallible = true;
  }
  add(list, "length", {Type::bytea()}, integer, row_kernel<octet_length>);
  add(list, "octet_length", {text}, integer, row_kernel<octet_length>);
  add(list, "octet_length", {Type::bytea()}, integer, row_kernel<octet_length>);
  add(list, "bit_length", {text}, integer, row_kernel<bit_length>);
  add(list, "lower", {text}, text, row_kernel<lower>);
  add(list, "upper", {text}, text, row_kernel<upper>);
  add(list, "initcap", {text}, text, row_kernel<initcap>);
  add_concatenation(list);
  add(list, "repeat", {text, integer}, text, row_kernel<repeat>);
  add(list, "reverse", {text}, text, row_kernel<reverse>);
  add(list, "ascii", {text}, integer, row_kernel<ascii>);
  add(list, "chr", {integer}, text, row_kernel<chr>);
  add(list, "to_hex", {integer}, text, row_kernel<to_hex<int32_t, uint32_t>>);
  add(list, "to_hex", {Type::bigint()}, text, row_kernel<to_hex<int64_t, uint64_t>>);
  add(list, "starts_with", {text, text}, Type::boolean(), row_kernel<starts_with>);
  add(list, "^@", {text, text}, Type::boolean(), row_kernel<starts_with>);
}

}  // namespace kappa::operators
