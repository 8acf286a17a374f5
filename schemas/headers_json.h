#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/types/record.h"

// A record's headers as the text of one JSON object, which is what SQL sees of them.
namespace kappa::schemas {

// Appends the headers of a record: {"name":"value",…}, in their order. Of headers of one name the
// last counts. A value without bytes (null) is null; one that is not UTF-8, or has the character
// U+0000, is in base64, and a name likewise. False, and nothing is appended, without headers.
bool append_headers_json(const RecordView& record, std::string* out);

// The value of a header in such a text; nullopt if there is none of that name, or a null one.
// InvalidArgument: the text is no JSON object, or the value is neither a string nor null.
absl::StatusOr<std::optional<std::string>> header_in_json(std::string_view headers,
                                                          std::string_view name);

}  // namespace kappa::schemas
