#pragma once

#include <map>
#include <string>

namespace kappa::cli::playground {

// The files of schemas/playground that make up the product, by their paths in it. Generated when
// the binary is built (embed_files.cmake).
std::map<std::string, std::string> embedded_files();

}  // namespace kappa::cli::playground
