#include "schemas/json_reader.h"

#include <simdjson.h>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "engine/types/record.h"
#include "engine/types/text.h"
#include "schemas/json_scan.h"

namespace kappa::schemas {
namespace {

namespace ondemand = simdjson::ondemand;

static_assert(kRecordPadding >= simdjson::SIMDJSON_PADDING);

// Deeper documents are refused: checking them takes a stack frame a level.
constexpr int kDepthMax = 100;

std::string_view trim(std::string_view token) {
  while (!token.empty() && (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' ||
                            token.back() == '\t'))
    token.remove_suffix(1);
  return token;
}

// What the token of a scalar other than a string is, if it is well formed.
std::optional<ScalarKind> classify(std::string_view token) {
  if (token == "true") return ScalarKind::kTrue;
  if (token == "false") return ScalarKind::kFalse;
  if (token == "null") return ScalarKind::kNull;
  const char* const end = token.data() + token.size();
  if (scan_number(token.data(), end) == end) return ScalarKind::kNumber;
  return std::nullopt;
}

}  // namespace

class JsonReader::Impl {
 public:
  explicit Impl(const std::vector<JsonColumn>& columns)
      : columns_(columns), seen_(columns.size(), 0) {
    for (size_t i = 0; i < columns.size(); ++i) by_field_.emplace(columns[i].field, i);
  }

  std::optional<std::string> read(std::string_view payload, RowWriter& row, Arena& arena);

 private:
  std::optional<std::string> read_fields(ondemand::object object, RowWriter& row, Arena& arena);
  simdjson::simdjson_result<std::string_view> read_key(ondemand::field& field);
  std::optional<size_t> find_column(std::string_view key);
  static simdjson::error_code read_string(ondemand::value& value, std::string_view token,
                                          Arena& arena, std::string_view* text);
  std::optional<std::string> read_column(size_t index, ondemand::value value, RowWriter& row,
                                         Arena& arena);
  std::optional<std::string> fill_missing(RowWriter& row);
  // Checks a value that no column takes. On demand, simdjson would step over it unseen.
  std::optional<std::string> check(ondemand::value value, int depth);
  std::optional<std::string> check_object(ondemand::object object, int depth);
  std::optional<std::string> check_array(ondemand::array array, int depth);

  std::string broken(simdjson::error_code error) const {
    return absl::StrCat("not valid JSON: ", simdjson::error_message(error), ", in ",
                        excerpt(payload_));
  }
  std::string broken(const char* what, std::string_view token) const {
    return absl::StrCat("not valid JSON: ", what, " ", excerpt(token));
  }

  const std::vector<JsonColumn> columns_;
  absl::flat_hash_map<std::string, size_t> by_field_;
  ondemand::parser parser_;
  std::string_view payload_;
  size_t next_ = 0;  // the column whose field is expected next
  uint64_t documents_ = 0;
  std::vector<uint64_t> seen_;  // for each column the number of the last document that had it
};

JsonReader::JsonReader(const std::vector<JsonColumn>& columns)
    : impl_(std::make_unique<Impl>(columns)) {}
JsonReader::~JsonReader() = default;

std::optional<std::string> JsonReader::read(std::string_view payload, RowWriter& row,
                                            Arena& arena) {
  return impl_->read(payload, row, arena);
}

std::optional<std::string> JsonReader::Impl::read(std::string_view payload, RowWriter& row,
                                                  Arena& arena) {
  payload_ = payload;
  next_ = 0;
  ++documents_;
  ondemand::document document;
  const simdjson::padded_string_view padded(payload.data(), payload.size(),
                                            payload.size() + kRecordPadding);
  if (const auto error = parser_.iterate(padded).get(document)) return broken(error);
  ondemand::json_type type{};
  if (const auto error = document.type().get(type)) return broken(error);
  if (type != ondemand::json_type::object)
    return absl::StrCat("expected a JSON object, got ", excerpt(payload));
  ondemand::object object;
  if (const auto error = document.get_object().get(object)) return broken(error);
  if (auto reason = read_fields(object, row, arena)) return reason;
  // Only at the end of the document is there no current location.
  const char* rest = nullptr;
  if (document.current_location().get(rest) == simdjson::SUCCESS) {
    return broken("unexpected bytes after the object:",
                  payload.substr(static_cast<size_t>(rest - payload.data())));
  }
  return fill_missing(row);
}

std::optional<std::string> JsonReader::Impl::read_fields(ondemand::object object, RowWriter& row,
                                                         Arena& arena) {
  for (auto entry : object) {
    ondemand::field field;
    if (const auto error = std::move(entry).get(field)) return broken(error);
    std::string_view key;
    if (const auto error = read_key(field).get(key)) return broken(error);
    const std::optional<size_t> column = find_column(key);
    auto reason =
        column ? read_column(*column, field.value(), row, arena) : check(field.value(), 1);
    if (reason) return reason;
  }
  return std::nullopt;
}

// A key without escapes is the same in the payload, and most have none.
simdjson::simdjson_result<std::string_view> JsonReader::Impl::read_key(ondemand::field& field) {
  const char* const begin = field.key().raw();
  const char* const end = payload_.data() + payload_.size();
  bool ascii = true;
  const char* const close = scan_string(begin, end, &ascii);
  if (close == nullptr) return field.unescaped_key();
  return std::string_view(begin, static_cast<size_t>(close - begin));
}

// Most records have their fields in the order of the columns, or nearly so.
std::optional<size_t> JsonReader::Impl::find_column(std::string_view key) {
  if (next_ < columns_.size() && columns_[next_].field == key) return next_++;
  const auto found = by_field_.find(to_absl(key));
  if (found == by_field_.end()) return std::nullopt;
  next_ = found->second + 1;
  return found->second;
}

// The content of a string whose token is `token`. What has escapes is put into `arena`: the
// parser's own buffer is overwritten by the next document.
simdjson::error_code JsonReader::Impl::read_string(ondemand::value& value, std::string_view token,
                                                   Arena& arena, std::string_view* text) {
  if (token.find('\\') == std::string_view::npos) {
    ondemand::raw_json_string raw;
    if (const auto error = value.get_raw_json_string().get(raw)) return error;
    *text = token.substr(1, token.size() - 2);
    return simdjson::SUCCESS;
  }
  if (const auto error = value.get_string().get(*text)) return error;
  *text = arena.copy(*text).view();
  return simdjson::SUCCESS;
}

std::optional<std::string> JsonReader::Impl::read_column(size_t index, ondemand::value value,
                                                         RowWriter& row, Arena& arena) {
  const JsonColumn& column = columns_[index];
  if (seen_[index] == documents_) {
    return absl::StrCat("column ", column.name, ": field ", excerpt(column.field),
                        " is given twice");
  }
  seen_[index] = documents_;
  const std::string_view token = trim(value.raw_json_token());
  if (token.empty()) return broken("a value is missing in", payload_);
  if (token[0] == '{' || token[0] == '[') {
    const auto from = static_cast<size_t>(token.data() - payload_.data());
    return mismatch(column, payload_.substr(from));
  }
  if (token[0] != '"') {
    const std::optional<ScalarKind> kind = classify(token);
    if (!kind) return broken("unknown value", token);
    if (store_scalar(column, index, {*kind, token}, row, arena)) return std::nullopt;
    return mismatch(column, token);
  }
  std::string_view text;
  if (const auto error = read_string(value, token, arena, &text)) return broken(error);
  if (store_scalar(column, index, {ScalarKind::kString, text}, row, arena)) return std::nullopt;
  return mismatch(column, token);
}

std::optional<std::string> JsonReader::Impl::fill_missing(RowWriter& row) {
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (seen_[i] == documents_ || row.set_null(i)) continue;
    return absl::StrCat("column ", columns_[i].name, ": field ", excerpt(columns_[i].field),
                        " is missing and must not be; expected ", columns_[i].expected);
  }
  return std::nullopt;
}

std::optional<std::string> JsonReader::Impl::check(ondemand::value value, int depth) {
  const std::string_view token = trim(value.raw_json_token());
  if (token.empty()) return broken("a value is missing in", payload_);
  if (depth > kDepthMax)
    return absl::StrCat("nested deeper than ", kDepthMax, " levels, at ", excerpt(token));
  if (token[0] == '{') {
    ondemand::object object;
    if (const auto error = value.get_object().get(object)) return broken(error);
    return check_object(object, depth);
  }
  if (token[0] == '[') {
    ondemand::array array;
    if (const auto error = value.get_array().get(array)) return broken(error);
    return check_array(array, depth);
  }
  if (token[0] == '"') {
    std::string_view text;
    if (const auto error = value.get_string().get(text)) return broken(error);
    return std::nullopt;
  }
  if (!classify(token)) return broken("unknown value", token);
  return std::nullopt;
}

std::optional<std::string> JsonReader::Impl::check_object(ondemand::object object, int depth) {
  for (auto entry : object) {
    ondemand::field field;
    if (const auto error = std::move(entry).get(field)) return broken(error);
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return broken(error);
    if (auto reason = check(field.value(), depth + 1)) return reason;
  }
  return std::nullopt;
}

std::optional<std::string> JsonReader::Impl::check_array(ondemand::array array, int depth) {
  for (auto entry : array) {
    if (const auto error = entry.error()) return broken(error);
    if (auto reason = check(entry.value_unsafe(), depth + 1)) return reason;
  }
  return std::nullopt;
}

}  // namespace kappa::schemas
