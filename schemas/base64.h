#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/types/arena.h"

namespace kappa::schemas {

// The bytes of a text in base64 (RFC 4648, section 4), in `arena`. The padding may be left out.
// nullopt: a character that is none of the alphabet, a length that no bytes have, or bits left over
// that are not zero (so that one value has one spelling).
std::optional<StringRef> decode_base64(std::string_view text, Arena& arena);
// Appends `bytes` in base64, padded.
void append_base64(std::string_view bytes, std::string* out);

}  // namespace kappa::schemas
