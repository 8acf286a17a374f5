#pragma once

#include <string>

namespace kappa::cli {

// `text` as one gzip member, or as one zstd frame.
std::string gzip(const std::string& text);
std::string zstd(const std::string& text);

}  // namespace kappa::cli
