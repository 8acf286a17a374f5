#include "engine/cli/commands/new_product.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engine/cli/new_product/template_files.h"
#include "engine/cli/product_files.h"
#include "engine/cli/value_json.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTemplateName = "my_product";

std::map<std::string, std::string> files_of(const std::string& name) {
  std::map<std::string, std::string> files = new_product::template_files();
  for (auto& [path, text] : files) text = absl::StrReplaceAll(text, {{kTemplateName, name}});
  return files;
}

absl::Status cannot_make(const fs::path& path, const std::string& why) {
  return absl::UnavailableError(absl::StrCat("cannot make ", path.string(), ": ", why));
}

absl::Status make_directory(const fs::path& directory) {
  std::error_code error;
  const fs::path parent = directory.parent_path();
  if (!parent.empty()) fs::create_directories(parent, error);
  if (error) return cannot_make(parent, error.message());
  if (fs::create_directory(directory, error)) return absl::OkStatus();
  if (error) return cannot_make(directory, error.message());
  return absl::AlreadyExistsError(absl::StrCat(
      directory.string(), " is there already; take another name, or another place with --into"));
}

absl::Status write_file(const fs::path& path, const std::string& text) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  return file ? absl::OkStatus() : cannot_make(path, "it cannot be written");
}

absl::Status write_files(const fs::path& directory,
                         const std::map<std::string, std::string>& files) {
  for (const auto& [path, text] : files) {
    KAPPA_RETURN_IF_ERROR(write_file(directory / path, text));
  }
  return absl::OkStatus();
}

void tell(const NewProductOptions& options, const fs::path& directory,
          const std::map<std::string, std::string>& files) {
  if (options.output == OutputFormat::kJson) {
    nlohmann::ordered_json json = {{"product", options.name}, {"directory", directory.string()}};
    json["files"] = nlohmann::ordered_json::array();
    for (const auto& [path, text] : files) json["files"].push_back(path);
    return print(json_text(json));
  }
  for (const auto& [path, text] : files) print((directory / path).string() + "\n");
  note(absl::StrCat("kappa: ", (directory / "README.md").string(),
                    " leads from here to a live view of your own\n"));
}

int wrong(const absl::Status& status) {
  report(status);
  return kExitUsage;
}

}  // namespace

int run_new_product(const NewProductOptions& options) {
  if (!is_product_name(options.name)) {
    return wrong(absl::InvalidArgumentError(
        absl::StrCat("\"", options.name, "\" cannot be a product's name: ", kProductNameRule)));
  }
  const fs::path directory = (fs::path(options.into) / options.name).lexically_normal();
  const absl::Status made = make_directory(directory);
  if (absl::IsAlreadyExists(made)) return wrong(made);
  if (!made.ok()) return report(made);
  const std::map<std::string, std::string> files = files_of(options.name);
  if (const absl::Status written = write_files(directory, files); !written.ok()) {
    std::error_code ignored;
    fs::remove_all(directory, ignored);
    return report(written);
  }
  tell(options, directory, files);
  return kExitOk;
}

}  // namespace kappa::cli
