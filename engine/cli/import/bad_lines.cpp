#include "engine/cli/import/bad_lines.h"

#include <cstring>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/cli/terminal.h"
#include "engine/cli/value_json.h"
#include "engine/types/text.h"
#include "schemas/base64.h"
#include "schemas/utf8.h"

namespace kappa::cli {
namespace {

constexpr int kToldMax = 5;

absl::Status file_error(const char* what, const std::string& path) {
  return absl::UnavailableError(absl::StrCat("cannot ", what, " ", path, ": ", std::strerror(errno),
                                             " (name another with --bad)"));
}

}  // namespace

absl::Status BadLines::begin(bool goes_on) {
  std::error_code error;
  if (!goes_on) {
    std::filesystem::remove(path_, error);
    return error ? file_error("remove", path_) : absl::OkStatus();
  }
  std::ifstream file(path_);
  uintmax_t whole = 0;
  for (std::string text; std::getline(file, text) && !file.eof();) {
    const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("line") || !json["line"].is_number_integer()) break;
    lines_.insert(json["line"].get<int64_t>());
    whole += text.size() + 1;
  }
  // A kill may have left half a line.
  if (std::filesystem::exists(path_, error)) std::filesystem::resize_file(path_, whole, error);
  return error ? file_error("write", path_) : absl::OkStatus();
}

absl::Status BadLines::add(int64_t line, std::string_view reason, std::string_view text) {
  if (!lines_.insert(line).second) return absl::OkStatus();
  if (told_++ < kToldMax) {
    note(absl::StrCat("kappa: line ", line, ": ", to_absl(reason), "\n"));
  } else if (told_ == kToldMax + 1) {
    note(absl::StrCat("kappa: more bad lines: see ", path_, "\n"));
  }
  if (!file_.is_open()) {
    file_.open(path_, std::ios::app | std::ios::binary);
    if (!file_) return file_error("write", path_);
  }
  nlohmann::ordered_json json;
  json["line"] = line;
  json["reason"] = reason;
  if (schemas::is_valid_utf8(text)) {
    json["text"] = text;
  } else {
    std::string base64;
    schemas::append_base64(text, &base64);
    json["text_base64"] = base64;
  }
  file_ << json_text(json, /*one_line=*/true) << std::flush;
  return file_ ? absl::OkStatus() : file_error("write", path_);
}

}  // namespace kappa::cli
