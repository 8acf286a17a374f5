#include "engine/runtime/dead_letter.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace kappa::runtime {
namespace {

constexpr std::string_view kOurs = "kappa-";
constexpr std::string_view kOriginal = "kappa-original-";
constexpr std::string_view kNulls = "kappa-null-headers";

// Numbers that are none, or too large, name no header.
void take_away_values(const std::string& numbers, DeadLetter* letter) {
  for (const absl::string_view text : absl::StrSplit(numbers, ',')) {
    size_t number = 0;
    if (!absl::SimpleAtoi(text, &number) || number >= letter->original.size()) continue;
    letter->original[number].second.reset();
  }
}

}  // namespace

void add_original_headers(const RecordView& record, RecordHeaders* headers) {
  HeaderReader reader(record);
  std::string_view name;
  std::optional<std::string_view> value;
  std::vector<size_t> nulls;
  for (size_t number = 0; reader.next(&name, &value); ++number) {
    if (!value) nulls.push_back(number);
    std::string theirs(name);
    if (name.starts_with(kOurs)) theirs.insert(0, kOriginal);
    headers->emplace_back(std::move(theirs), std::string(value.value_or("")));
  }
  if (!nulls.empty()) headers->emplace_back(kNulls, absl::StrJoin(nulls, ","));
}

DeadLetter read_dead_letter(const RecordHeaders& headers) {
  DeadLetter letter;
  TopicPartition source;
  std::string nulls;
  for (const auto& [name, value] : headers) {
    if (name.starts_with(kOriginal)) {
      letter.original.emplace_back(name.substr(kOriginal.size()), value);
    } else if (!name.starts_with(kOurs)) {
      letter.original.emplace_back(name, value);
    } else if (name == kNulls) {
      nulls = value;
    } else if (name == "kappa-reason") {
      letter.reason = value;
    } else if (name == "kappa-view") {
      letter.view = value;
    } else if (name == "kappa-sql-position") {
      letter.sql_position = value;
    } else if (name == "kappa-outbox") {
      letter.product = value.substr(0, value.rfind('/'));
    } else if (name == "kappa-topic") {
      source.topic = value;
    } else if (name == "kappa-partition") {
      if (!absl::SimpleAtoi(value, &source.partition)) source.partition = -1;
    } else if (name == "kappa-offset") {
      if (!absl::SimpleAtoi(value, &letter.source_offset.value)) letter.source_offset.value = -1;
    }
  }
  take_away_values(nulls, &letter);
  if (!source.topic.empty()) letter.source = std::move(source);
  return letter;
}

}  // namespace kappa::runtime
