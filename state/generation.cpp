#include "state/generation.h"

#include <charconv>
#include <filesystem>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/types/status_macros.h"
#include "state/durable_file.h"

namespace kappa::state {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr int kFormat = 1;
constexpr const char* kDroppedSuffix = ".dropped";

std::string manifest_path(const std::string& path) {
  return path + "/MANIFEST.json";
}
std::string db_path(const std::string& path) {
  return path + "/db";
}

absl::Status file_error(const std::error_code& error, const std::string& what) {
  return absl::ErrnoToStatus(error.value(), what);
}

absl::StatusOr<std::string> encode(const GenerationManifest& manifest) {
  try {
    const json object = {
        {"plan_fingerprint", absl::StrFormat("%016x", manifest.plan_fingerprint)},
        {"plan", manifest.plan_text},
        {"journal", manifest.journal},
        {"start", manifest.start},
    };
    return seal_json(object.dump(), kFormat);
  } catch (const json::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("a generation's manifest must be UTF-8 text: ", error.what()));
  }
}

}  // namespace

absl::StatusOr<GenerationManifest> read_manifest(const std::string& path) {
  const auto text = read_file(manifest_path(path));
  if (absl::IsNotFound(text.status())) {
    return absl::NotFoundError(absl::StrCat("there is no generation in ", path));
  }
  KAPPA_RETURN_IF_ERROR(text.status());
  KAPPA_ASSIGN_OR_RETURN(const std::string object, open_json(*text, kFormat, manifest_path(path)));
  try {
    const json fields = json::parse(object);
    GenerationManifest manifest;
    const auto hex = fields.at("plan_fingerprint").get<std::string>();
    std::from_chars(hex.data(), hex.data() + hex.size(), manifest.plan_fingerprint, 16);
    manifest.plan_text = fields.at("plan").get<std::string>();
    manifest.journal = fields.at("journal").get<std::string>();
    manifest.start = fields.at("start").get<std::string>();
    return manifest;
  } catch (const json::exception& error) {
    return absl::DataLossError(absl::StrCat(manifest_path(path), " is damaged: ", error.what()));
  }
}

absl::StatusOr<OpenGeneration> create_generation(const std::string& path,
                                                 const GenerationManifest& manifest,
                                                 const FillStore& fill) {
  std::error_code error;
  if (fs::exists(manifest_path(path), error)) {
    return absl::AlreadyExistsError(absl::StrCat("there is a generation in ", path));
  }
  fs::remove_all(path, error);
  if (error) return file_error(error, absl::StrCat("cannot clear ", path));
  fs::create_directories(path, error);
  if (error) return file_error(error, absl::StrCat("cannot make ", path));
  if (fill) KAPPA_RETURN_IF_ERROR(fill(db_path(path)));
  OpenGeneration generation{manifest, nullptr};
  KAPPA_ASSIGN_OR_RETURN(generation.store, open_rocksdb_store(db_path(path)));
  KAPPA_RETURN_IF_ERROR(sync_directory(fs::absolute(path).parent_path().string()));
  KAPPA_ASSIGN_OR_RETURN(const std::string text, encode(manifest));
  KAPPA_RETURN_IF_ERROR(replace_file(manifest_path(path), text));
  return generation;
}

absl::StatusOr<OpenGeneration> open_generation(const std::string& path) {
  OpenGeneration generation;
  KAPPA_ASSIGN_OR_RETURN(generation.manifest, read_manifest(path));
  if (std::error_code error; !fs::exists(db_path(path), error)) {
    return absl::DataLossError(
        absl::StrCat(path, " has a manifest but no state: ", db_path(path), " is missing"));
  }
  KAPPA_ASSIGN_OR_RETURN(generation.store, open_rocksdb_store(db_path(path)));
  return generation;
}

absl::Status drop_generation(const std::string& path) {
  std::error_code error;
  const std::string dropped = path + kDroppedSuffix;
  fs::remove_all(dropped, error);
  if (error) return file_error(error, absl::StrCat("cannot remove ", dropped));
  fs::rename(path, dropped, error);
  if (error) return file_error(error, absl::StrCat("cannot drop ", path));
  KAPPA_RETURN_IF_ERROR(sync_directory(fs::absolute(path).parent_path().string()));
  fs::remove_all(dropped, error);
  return error ? file_error(error, absl::StrCat("cannot remove ", dropped)) : absl::OkStatus();
}

absl::Status sweep_dropped_generations(const std::string& generations_path) {
  std::error_code error;
  fs::directory_iterator entries(generations_path, error);
  if (error == std::errc::no_such_file_or_directory) return absl::OkStatus();
  if (error) return file_error(error, absl::StrCat("cannot read ", generations_path));
  for (const auto& entry : entries) {
    if (entry.path().extension() != kDroppedSuffix) continue;
    fs::remove_all(entry.path(), error);
    if (error) return file_error(error, absl::StrCat("cannot remove ", entry.path().string()));
  }
  return absl::OkStatus();
}

}  // namespace kappa::state
