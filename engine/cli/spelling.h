#pragma once

#include <span>
#include <string>
#include <string_view>

namespace kappa::cli {

// The word of `known` that `word` is most likely a misspelling of, or empty if none is near.
std::string nearest_word(std::string_view word, std::span<const std::string_view> known);

}  // namespace kappa::cli
