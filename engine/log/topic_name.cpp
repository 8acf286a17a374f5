#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/log/log.h"

namespace kappa::log {
namespace {

// Readable whatever it holds: the message may end in a log file or on a terminal.
std::string escaped(std::string_view text) {
  return absl::CHexEscape(absl::string_view(text.data(), text.size()));
}

}  // namespace

absl::Status validate_topic_name(std::string_view name) {
  constexpr size_t kTopicNameBytesMax = 249;
  if (name.empty()) return absl::InvalidArgumentError("a topic name must not be empty");
  if (name.size() > kTopicNameBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "topic name of ", name.size(), " bytes: it may have ", kTopicNameBytesMax, " at most"));
  }
  if (name == "." || name == "..") {
    return absl::InvalidArgumentError(
        absl::StrCat("topic name \"", escaped(name), "\": \".\" and \"..\" are no topic names"));
  }
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  };
  const auto bad = std::find_if_not(name.begin(), name.end(), allowed);
  if (bad == name.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("topic name \"", escaped(name), "\": found \"",
                   escaped(std::string_view(&*bad, 1)), "\" at character ", bad - name.begin() + 1,
                   "; letters, digits, \".\", \"_\" and \"-\" are allowed"));
}

}  // namespace kappa::log
