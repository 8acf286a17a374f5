#include "engine/cli/export/row_text.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engine/cli/value_json.h"

namespace kappa::cli {
namespace {

std::string json_of(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string csv_of(const std::string& text) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string::npos) return text;
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

}  // namespace

RowText::RowText(ExportFormat format, const operators::Schema& schema) : format_(format) {
  for (const operators::Field& field : schema) {
    names_.push_back(format == ExportFormat::kCsv ? csv_of(field.name)
                                                  : absl::StrCat(json_of(field.name), ":"));
  }
}

std::string RowText::head() const {
  std::string text;
  if (format_ == ExportFormat::kNdjson) return text;
  for (const std::string& name : names_) absl::StrAppend(&text, text.empty() ? "" : ",", name);
  return text + "\n";
}

void RowText::append(const Row& row, std::string* text) const {
  const bool csv = format_ == ExportFormat::kCsv;
  for (size_t i = 0; i < row.size(); ++i) {
    if (i > 0) *text += ',';
    if (csv) {
      if (!row[i].is_null()) *text += csv_of(to_text(row[i]));
    } else {
      absl::StrAppend(text, i > 0 ? "" : "{", names_[i], json_of(to_json(row[i])));
    }
  }
  *text += csv ? "\n" : "}\n";
}

}  // namespace kappa::cli
