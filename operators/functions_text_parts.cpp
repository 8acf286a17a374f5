#include <algorithm>
#include <cstring>
#include <string>

#include "operators/functions_kernel.h"
#include "operators/functions_utf8.h"

// Parts of a text. Positions and lengths count characters, from 1.
namespace kappa::operators {
namespace {

// The characters [from, to) counted from 1, cut to those there are.
StringRef characters(StringRef text, int64_t from, int64_t to) {
  from = std::max<int64_t>(from, 1);
  if (to <= from || text.size == 0) return {};
  const std::string_view view = text.view();
  if (from > static_cast<int64_t>(view.size())) return {};
  const size_t begin = offset_of_character(view, from - 1);
  const size_t length = offset_of_character(view.substr(begin), to - from);
  return piece_of(text, begin, begin + length);
}

StringRef substring_from(RowScope&, StringRef text, int32_t from) {
  return characters(text, from, int64_t{text.size} + 2);
}

StringRef substring_for(RowScope& scope, StringRef text, int32_t from, int32_t count) {
  if (count < 0) {
    scope.fail("negative substring length not allowed");
    return {};
  }
  return characters(text, from, int64_t{from} + count);
}

// A negative count means all but that many at the other end.
StringRef left(RowScope&, StringRef text, int32_t count) {
  const int64_t kept = count >= 0 ? count : count_characters(text.view()) + count;
  return characters(text, 1, kept + 1);
}

StringRef right(RowScope&, StringRef text, int32_t count) {
  const int64_t all = count_characters(text.view());
  const int64_t kept = count >= 0 ? std::min<int64_t>(count, all) : all + count;
  return kept <= 0 ? StringRef{} : characters(text, all - kept + 1, all + 1);
}

// Whether `character` (its bytes) is one of `set`.
bool contains_character(std::string_view set, std::string_view character) {
  for (size_t begin = 0; begin < set.size();) {
    size_t end = begin + 1;
    while (end < set.size() && continues_character(set[end])) ++end;
    if (set.substr(begin, end - begin) == character) return true;
    begin = end;
  }
  return false;
}

std::string_view trim_left(std::string_view text, std::string_view set) {
  while (!text.empty()) {
    size_t end = 1;
    while (end < text.size() && continues_character(text[end])) ++end;
    if (!contains_character(set, text.substr(0, end))) break;
    text.remove_prefix(end);
  }
  return text;
}

std::string_view trim_right(std::string_view text, std::string_view set) {
  while (!text.empty()) {
    size_t begin = text.size() - 1;
    while (begin > 0 && continues_character(text[begin])) --begin;
    if (!contains_character(set, text.substr(begin))) break;
    text.remove_suffix(text.size() - begin);
  }
  return text;
}

template <bool kLeft, bool kRight>
StringRef trim_set(RowScope&, StringRef text, StringRef set) {
  std::string_view view = text.view();
  if (kLeft) view = trim_left(view, set.view());
  if (kRight) view = trim_right(view, set.view());
  return {view.data(), static_cast<uint32_t>(view.size())};
}

template <bool kLeft, bool kRight>
StringRef trim_spaces(RowScope& scope, StringRef text) {
  return trim_set<kLeft, kRight>(scope, text, StringRef{" ", 1});
}

// 0: not found. An empty needle is at 1.
int32_t position(RowScope&, StringRef text, StringRef needle) {
  const size_t at = text.view().find(needle.view());
  if (at == std::string_view::npos) return 0;
  return static_cast<int32_t>(count_characters(text.view().substr(0, at)) + 1);
}

size_t count_matches(std::string_view text, std::string_view from) {
  size_t count = 0;
  for (size_t at = text.find(from); at != std::string_view::npos;
       at = text.find(from, at + from.size())) {
    ++count;
  }
  return count;
}

StringRef replace(RowScope& scope, StringRef text, StringRef from, StringRef to) {
  if (from.size == 0) return text;
  const std::string_view view = text.view();
  const size_t matches = count_matches(view, from.view());
  if (matches == 0) return text;
  const uint64_t size = view.size() - matches * uint64_t{from.size} + matches * uint64_t{to.size};
  if (!fits_text(scope, size)) return {};
  char* const begin = scope.arena.allocate(size);
  char* out = begin;
  const auto put = [&out](std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
    out += bytes.size();
  };
  size_t done = 0;
  for (size_t i = 0; i < matches; ++i) {
    const size_t at = view.find(from.view(), done);
    put(view.substr(done, at - done));
    put(to.view());
    done = at + from.size;
  }
  put(view.substr(done));
  return {begin, static_cast<uint32_t>(size)};
}

// Each character of `from` becomes the one at its place in `to`, or nothing if there is none.
StringRef translate(RowScope& scope, StringRef text, StringRef from, StringRef to) {
  const uint64_t most = uint64_t{text.size} * kCharacterBytesMax;
  char* out = scope.arena.allocate(most);
  uint64_t size = 0;
  const std::string_view view = text.view();
  for (size_t begin = 0; begin < view.size();) {
    size_t end = begin + 1;
    while (end < view.size() && continues_character(view[end])) ++end;
    std::string_view character = view.substr(begin, end - begin);
    begin = end;
    if (const size_t at = from.view().find(character); at != std::string_view::npos) {
      const int64_t index = count_characters(from.view().substr(0, at));
      const StringRef other = characters(to, index + 1, index + 2);
      character = other.view();
    }
    if (!character.empty()) std::memcpy(out + size, character.data(), character.size());
    size += character.size();
  }
  if (!fits_text(scope, size)) return {};
  return {out, static_cast<uint32_t>(size)};
}

// Field n from 1; counted from the end if negative; empty if there is none.
StringRef split_part(RowScope& scope, StringRef text, StringRef delimiter, int32_t n) {
  if (n == 0) {
    scope.fail("field position must not be zero");
    return {};
  }
  const std::string_view view = text.view();
  if (delimiter.size == 0) return n == 1 || n == -1 ? text : StringRef{};
  int64_t wanted = n;
  if (n < 0) {
    wanted = static_cast<int64_t>(count_matches(view, delimiter.view())) + 2 + n;
    if (wanted < 1) return {};
  }
  size_t begin = 0;
  for (int64_t field = 1;; ++field) {
    const size_t end = view.find(delimiter.view(), begin);
    if (field == wanted) return piece_of(text, begin, std::min(end, view.size()));
    if (end == std::string_view::npos) return {};
    begin = end + delimiter.size;
  }
}

// Fills to `length` characters with those of `fill`, again and again; cuts at the right what is
// longer.
template <bool kLeft>
StringRef pad_with(RowScope& scope, StringRef text, int32_t length, StringRef fill) {
  if (length <= 0) return {};
  const int64_t has = count_characters(text.view());
  if (has >= length) return characters(text, 1, int64_t{length} + 1);
  if (fill.size == 0) return text;
  const int64_t missing = length - has;
  const int64_t fill_count = count_characters(fill.view());
  const auto times = static_cast<uint64_t>(missing / fill_count);
  const StringRef rest = characters(fill, 1, missing % fill_count + 1);
  const uint64_t size = text.size + times * fill.size + rest.size;
  if (!fits_text(scope, size)) return {};
  char* const begin = scope.arena.allocate(size);
  char* out = begin;
  const auto put = [&out](StringRef bytes) {
    if (bytes.size > 0) std::memcpy(out, bytes.data, bytes.size);
    out += bytes.size;
  };
  if (!kLeft) put(text);
  for (uint64_t i = 0; i < times; ++i) put(fill);
  put(rest);
  if (kLeft) put(text);
  return {begin, static_cast<uint32_t>(size)};
}

template <bool kLeft>
StringRef pad(RowScope& scope, StringRef text, int32_t length) {
  return pad_with<kLeft>(scope, text, length, StringRef{" ", 1});
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

}  // namespace

void add_text_part_functions(FunctionList& list) {
  const Type text = Type::text();
  const Type integer = Type::integer();
  for (const char* name : {"substring", "substr"}) {
    add(list, name, {text, integer}, text, row_kernel<substring_from>);
    add(list, name, {text, integer, integer}, text, row_kernel<substring_for>);
  }
  add(list, "left", {text, integer}, text, row_kernel<left>);
  add(list, "right", {text, integer}, text, row_kernel<right>);
  for (const char* name : {"btrim", "trim"}) {
    add(list, name, {text}, text, row_kernel<trim_spaces<true, true>>);
    add(list, name, {text, text}, text, row_kernel<trim_set<true, true>>);
  }
  add(list, "ltrim", {text}, text, row_kernel<trim_spaces<true, false>>);
  add(list, "ltrim", {text, text}, text, row_kernel<trim_set<true, false>>);
  add(list, "rtrim", {text}, text, row_kernel<trim_spaces<false, true>>);
  add(list, "rtrim", {text, text}, text, row_kernel<trim_set<false, true>>);
  add(list, "position", {text, text}, integer, row_kernel<position>);
  add(list, "strpos", {text, text}, integer, row_kernel<position>);
  add(list, "replace", {text, text, text}, text, row_kernel<replace>);
  add(list, "translate", {text, text, text}, text, row_kernel<translate>);
  add(list, "split_part", {text, text, integer}, text, row_kernel<split_part>);
  add(list, "lpad", {text, integer}, text, row_kernel<pad<true>>);
  add(list, "lpad", {text, integer, text}, text, row_kernel<pad_with<true>>);
  add(list, "rpad", {text, integer}, text, row_kernel<pad<false>>);
  add(list, "rpad", {text, integer, text}, text, row_kernel<pad_with<false>>);
}

}  // namespace kappa::operators
