#pragma once

#include <optional>
#include <string>
#include <string_view>

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
// or is a dead letter read again. An original header without a value reads as one with an empty
// value.

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
  RecordHeaders original;  // by the names that the original record gave them
};
DeadLetter read_dead_letter(const RecordHeaders& headers);

}  // namespace kappa::runtime
