#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/types/record.h"

namespace kappa::runtime {

// The end of a dead-letter topic's name, and of a late topic's.
inline constexpr std::string_view kDeadLetterSuffix = ".dead-letters";
inline constexpr std::string_view kLateSuffix = ".late";

// A dead letter has the original record's key and payload, and headers of two kinds:
//
//   kappa-…            ours: reason, source position, view, SQL position, identity
//   kappa-original-X   the original record's header X, whose name begins with "kappa-" itself
//   any other          the original record's header, as it was
//
// So each header can be told to be ours or the record's, even if the record was an output of ours
// or is a dead letter read again. Original headers without a value have an empty one here, and
// kappa-null-headers says which they are: "0,3", the numbers of the record's headers from 0 on.

// Appends the headers that `record` has to those of its dead letter, in their order.
void add_original_headers(const RecordView& record, RecordHeaders* headers);

// What the headers of a record in a dead-letter or late topic tell. What they do not say is empty.
struct DeadLetter {
  std::string product;
  std::string reason;  // empty in a late topic
  std::string view;
  std::string sql_position;  // "line:column"
  // The record that caused it: none for what fails at a tick or an end mark.
  std::optional<TopicPartition> source;
  Offset source_offset;
  // By the names that the original record gave them; nullopt: without a value.
  std::vector<std::pair<std::string, std::optional<std::string>>> original;
};
DeadLetter read_dead_letter(const RecordHeaders& headers);

}  // namespace kappa::runtime
