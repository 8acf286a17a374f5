#pragma once

#include <map>
#include <string>
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

  std::vector<sql::SqlText> sql() const;
  schemas::ProductFiles protos() const;
};

// NotFound: no such directory, or it has no product.sql. InvalidArgument: its name cannot be a
// product's (1 to 63 of [a-z0-9_-], a letter first).
absl::StatusOr<ProductFiles> read_product(const std::string& directory);

}  // namespace kappa::cli
