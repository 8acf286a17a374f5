#include "schemas/headers_json.h"

#include <vector>

#include <simdjson.h>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "engine/types/text.h"
#include "schemas/base64.h"
#include "schemas/encoder.h"
#include "schemas/utf8.h"

namespace kappa::schemas {
namespace {

namespace ondemand = simdjson::ondemand;

struct Header {
  std::string_view name;
  std::optional<std::string_view> value;
};

// Whether SQL's type text can hold the bytes.
bool is_text(std::string_view bytes) {
  return (is_ascii(bytes) || is_valid_utf8(bytes)) && bytes.find('\0') == std::string_view::npos;
}

void append_text_or_base64(std::string_view bytes, std::string* out) {
  if (is_text(bytes)) {
    append_json_string(bytes, out);
    return;
  }
  out->push_back('"');
  append_base64(bytes, out);
  out->push_back('"');
}

absl::Status no_object(std::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("expected a JSON object such as kafka_headers has, got ", excerpt(text)));
}

}  // namespace

bool append_headers_json(const RecordView& record, std::string* out) {
  std::vector<Header> headers;
  absl::flat_hash_map<std::string_view, size_t> last;  // header by name
  HeaderReader reader(record);
  Header header;
  while (reader.next(&header.name, &header.value)) {
    last[header.name] = headers.size();
    headers.push_back(header);
  }
  if (headers.empty()) return false;
  char before = '{';
  for (size_t i = 0; i < headers.size(); ++i) {
    if (last[headers[i].name] != i) continue;
    out->push_back(before);
    before = ',';
    append_text_or_base64(headers[i].name, out);
    out->push_back(':');
    if (headers[i].value) {
      append_text_or_base64(*headers[i].value, out);
    } else {
      *out += "null";
    }
  }
  out->push_back('}');
  return true;
}

absl::StatusOr<std::optional<std::string>> header_in_json(std::string_view headers,
                                                          std::string_view name) {
  const simdjson::padded_string padded(headers);
  ondemand::parser parser;
  ondemand::document document;
  ondemand::object object;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS) {
    return no_object(headers);
  }
  std::optional<std::string> found;
  for (auto entry : object) {
    ondemand::field field;
    std::string_view key;
    if (std::move(entry).get(field) != simdjson::SUCCESS ||
        field.unescaped_key().get(key) != simdjson::SUCCESS) {
      return no_object(headers);
    }
    if (key != name) continue;
    ondemand::value value = field.value();
    bool is_null = false;
    std::string_view text;
    if (value.is_null().get(is_null) != simdjson::SUCCESS) return no_object(headers);
    if (is_null) {
      found.reset();
    } else if (value.get_string().get(text) == simdjson::SUCCESS) {
      found = std::string(text);
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("header ", excerpt(name), " is no string in ", excerpt(headers)));
    }
  }
  // Only at the end of the document is there no current location.
  const char* rest = nullptr;
  if (document.current_location().get(rest) == simdjson::SUCCESS) return no_object(headers);
  return found;
}

}  // namespace kappa::schemas
