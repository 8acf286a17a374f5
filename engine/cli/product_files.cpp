#include "engine/cli/product_files.h"

#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"
#include "state/durable_file.h"

namespace kappa::cli {
namespace {

namespace fs = std::filesystem;

const char* const kFolders[] = {"events", "models", "rules"};

absl::Status add_file(const fs::path& root, const fs::path& path,
                      std::map<std::string, std::string>* files) {
  KAPPA_ASSIGN_OR_RETURN(std::string text, state::read_file(path.string()));
  (*files)[path.lexically_relative(root).generic_string()] = std::move(text);
  return absl::OkStatus();
}

}  // namespace

bool is_product_name(std::string_view name) {
  if (name.empty() || name.size() > 63 || name[0] < 'a' || name[0] > 'z') return false;
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
}

std::vector<sql::SqlText> ProductFiles::sql() const {
  const auto file = files.find("product.sql");
  if (file == files.end()) return {};
  if (!sql_file.empty()) return {{sql_file, file->second}};
  const fs::path shown = directory.empty() ? "product.sql" : fs::path(directory) / "product.sql";
  return {{shown.generic_string(), file->second}};
}

schemas::ProductFiles ProductFiles::protos() const {
  schemas::ProductFiles protos;
  for (const auto& [path, text] : files) {
    if (path.ends_with(".proto")) protos[path] = text;
  }
  return protos;
}

absl::StatusOr<ProductFiles> read_product(const std::string& directory) {
  std::error_code error;
  const fs::path root = fs::path(directory) / "";
  if (!fs::is_directory(root, error)) {
    return absl::NotFoundError(absl::StrCat("no such directory: ", directory));
  }
  if (!fs::exists(root / "product.sql", error)) {
    return absl::NotFoundError(
        absl::StrCat(directory, " is no data product: it has no product.sql"));
  }
  ProductFiles product;
  product.name = fs::canonical(root, error).filename().string();
  product.directory = root.parent_path().generic_string();
  if (!is_product_name(product.name)) {
    return absl::InvalidArgumentError(absl::StrCat("the directory ", directory,
                                                   " names its product \"", product.name, "\"; ",
                                                   kProductNameRule));
  }
  for (const char* file : {"product.sql", "contract.yaml"}) {
    if (!fs::exists(root / file, error)) continue;
    KAPPA_RETURN_IF_ERROR(add_file(root, root / file, &product.files));
  }
  for (const char* folder : kFolders) {
    if (!fs::is_directory(root / folder, error)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder, error)) {
      if (!entry.is_regular_file(error)) continue;
      KAPPA_RETURN_IF_ERROR(add_file(root, entry.path(), &product.files));
    }
  }
  return product;
}

absl::StatusOr<ProductFiles> read_product_or_sql(const std::string& path) {
  if (fs::is_directory(path)) return read_product(path);
  KAPPA_ASSIGN_OR_RETURN(std::string text, state::read_file(path));
  const fs::path directory = fs::path(path).parent_path();
  ProductFiles files;
  if (fs::exists(directory / "product.sql")) {
    const auto around = read_product(directory.empty() ? "." : directory.string());
    if (around.ok()) files.files = around->files;
  }
  files.files["product.sql"] = std::move(text);
  files.sql_file = path;
  return files;
}

std::vector<std::string> different_files(const std::map<std::string, std::string>& a,
                                         const std::map<std::string, std::string>& b) {
  std::set<std::string> names;
  for (const auto& [name, text] : a) {
    const auto other = b.find(name);
    if (other == b.end() || other->second != text) names.insert(name);
  }
  for (const auto& [name, text] : b) {
    if (!a.contains(name)) names.insert(name);
  }
  return {names.begin(), names.end()};
}

}  // namespace kappa::cli
