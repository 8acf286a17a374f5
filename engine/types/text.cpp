#include "engine/types/text.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"

namespace kappa {
namespace {

constexpr size_t kExcerptBytesMax = 64;

// Whether the byte continues a UTF-8 character that began before it.
bool continues_character(char byte) {
  return (static_cast<uint8_t>(byte) & 0xc0) == 0x80;
}

// Levenshtein's distance, without regard to case.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> distances(b.size() + 1);
  for (size_t k = 0; k <= b.size(); ++k) distances[k] = k;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = distances[0];
    distances[0] = i;
    for (size_t k = 1; k <= b.size(); ++k) {
      const bool equal = absl::ascii_tolower(static_cast<unsigned char>(a[i - 1])) ==
                         absl::ascii_tolower(static_cast<unsigned char>(b[k - 1]));
      const size_t replaced = diagonal + (equal ? 0 : 1);
      diagonal = distances[k];
      distances[k] = std::min({replaced, distances[k] + 1, distances[k - 1] + 1});
    }
  }
  return distances[b.size()];
}

// How many bytes the well-formed UTF-8 character at the front takes; 0: there is none.
size_t character_bytes(std::string_view text) {
  const auto byte = [&](size_t i) -> uint32_t { return static_cast<uint8_t>(text[i]); };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t size = lead >= 0xf0 ? 4 : (lead >= 0xe0 ? 3 : 2);
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return 0;
  uint32_t code = lead & (0xffu >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    if (!continues_character(text[i])) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return overlong || surrogate || code > 0x10ffff ? 0 : size;
}

// What cannot be shown as it is, as C writes it.
void append_escaped(char c, std::string* out) {
  switch (c) {
    case '\n':
      *out += "\\n";
      return;
    case '\r':
      *out += "\\r";
      return;
    case '\t':
      *out += "\\t";
      return;
    case '"':
    case '\\':
      *out += '\\';
      *out += c;
      return;
    default:
      *out += absl::StrFormat("\\x%02x", static_cast<uint8_t>(c));
  }
}

}  // namespace

std::string_view strip_spaces(std::string_view text) {
  return to_std(absl::StripAsciiWhitespace(to_absl(text)));
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase(to_absl(a), to_absl(b));
}

std::string closest_name(std::string_view name, const std::vector<std::string>& names) {
  std::string closest;
  size_t least = std::max<size_t>(name.size() / 3, 1) + 1;
  for (const std::string& candidate : names) {
    const size_t distance = edit_distance(name, candidate);
    if (distance >= least) continue;
    least = distance;
    closest = candidate;
  }
  return closest;
}

std::string excerpt(std::string_view text) {
  size_t end = text.size();
  if (end > kExcerptBytesMax) {
    end = kExcerptBytesMax;
    while (end > kExcerptBytesMax - 4 && continues_character(text[end])) --end;
  }
  std::string out = "\"";
  for (size_t i = 0; i < end;) {
    const char c = text[i];
    const size_t size = character_bytes(text.substr(i, end - i));
    const bool control = static_cast<uint8_t>(c) < 0x20 || c == 0x7f;
    if (size == 0 || control || c == '"' || c == '\\') {
      append_escaped(c, &out);
      ++i;
    } else {
      out += text.substr(i, size);
      i += size;
    }
  }
  out += end < text.size() ? "…\"" : "\"";
  return out;
}

}  // namespace kappa
