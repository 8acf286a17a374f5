#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/sql/catalog.h"
#include "schemas/decoder.h"

namespace kappa::cli {

// The files of a data product, by their paths relative to its directory: product.sql, contract.yaml
// and everything below events/, models/ and rules/. Tests and documentation are not part of it.
struct ProductFiles {
  std::string name;       // the directory's
  std::string directory;  // as it was named; shown in errors
  std::map<std::string, std::string> files;
  std::string sql_file = {};  // as errors name it, if it lies elsewhere than in the directory

  std::vector<sql::SqlText> sql() const;
  schemas::ProductFiles protos() const;
};

// Whether a name can be a product's: 1 to 63 of [a-z0-9_-], a letter first.
bool is_product_name(std::string_view name);
inline constexpr const char* kProductNameRule =
    "a product's name is 1 to 63 of a-z, 0-9, '_' and '-', and begins with a letter";

// NotFound: no such directory, or it has no product.sql. InvalidArgument: its name cannot be a
// product's.
absl::StatusOr<ProductFiles> read_product(const std::string& directory);
// Of a directory, or of a lone SQL file, which is taken as the product.sql of the directory that it
// lies in.
absl::StatusOr<ProductFiles> read_product_or_sql(const std::string& path);

// The paths of files that one of two versions of a product has and the other has not, or otherwise.
std::vector<std::string> different_files(const std::map<std::string, std::string>& a,
                                         const std::map<std::string, std::string>& b);

}  // namespace kappa::cli
