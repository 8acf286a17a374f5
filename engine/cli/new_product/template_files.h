#pragma once

#include <map>
#include <string>

namespace kappa::cli::new_product {

// The files of my_product beside this header, by their paths in it. Generated when the binary is
// built (embed_files.cmake).
std::map<std::string, std::string> template_files();

}  // namespace kappa::cli::new_product
