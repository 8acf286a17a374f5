#include "engine/runtime/dead_letter.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace kappa::runtime {
namespace {

constexpr std::string_view kOurs = "kappa-";
constexpr std::string_view kOriginal = "kappa-original-";

}  // namespace

void add_original_headers(const RecordView& record, RecordHeaders* headers) {
  for (auto& [name, value] : parse_headers(record)) {
    if (name.starts_with(kOurs)) name.insert(0, kOriginal);
    headers->emplace_back(std::move(name), std::move(value));
  }
}

DeadLetter read_dead_letter(const RecordHeaders& headers) {
  DeadLetter letter;
  TopicPartition source;
  for (const auto& [name, value] : headers) {
    if (name.starts_with(kOriginal)) {
      letter.original.emplace_back(name.substr(kOriginal.size()), value);
    } else if (!name.starts_with(kOurs)) {
      letter.original.emplace_back(name, value);
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
  if (!source.topic.empty()) letter.source = std::move(source);
  return letter;
}

}  // namespace kappa::runtime
