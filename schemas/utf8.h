#pragma once

#include <string_view>

namespace kappa::schemas {

// Whether the bytes are well-formed UTF-8.
bool is_valid_utf8(std::string_view bytes);

}  // namespace kappa::schemas
