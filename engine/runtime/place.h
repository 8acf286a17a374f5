#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/runtime/order_journal.h"
#include "engine/types/record.h"
#include "engine/types/time.h"

namespace kappa::runtime {

// How far a partition is applied.
struct PartitionPlace {
  TopicPartition partition;
  Offset next;
  // The running maximum of its record timestamps since the entry began that is being applied.
  LogTime log_time = kNoLogTime;
  // Where the last entry that was applied to its end has ended here, and what it said of its last
  // record. 0: none has.
  Offset known_to = {};
  uint64_t known_record = 0;
};

// What time a source has shown.
struct SourceClock {
  int64_t event_time_max_us = kNoEventTime.us;  // ticks move it on too
  int64_t first_record_ms = kNoLogTime.ms;      // log time of the first record
  int64_t last_record_ms = kNoLogTime.ms;       // and of the last
  int64_t active_ms = kNoLogTime.ms;  // of the last record or tick that moved the watermark
};

// What has left the data's way at a view or source.
struct SideCounts {
  uint64_t errors = 0;
  uint64_t duplicates = 0;
  uint64_t late = 0;
  uint64_t outputs = 0;
  // Sum of the hashes of what left, so that two runs can be compared whatever order they counted
  // in.
  uint64_t content = 0;
};

// Nodes whose state another generation has brought along, from where it stood (beginning.h). Until
// the order has come there, they rest: rows that would come in are ones that they have seen.
struct Rest {
  struct Node {  // as Watermarks had them there
    int64_t watermark = kNoEventTime.us;
    int64_t input_watermark = kNoEventTime.us;
    int64_t expiry_watermark = kNoEventTime.us;
  };
  uint64_t until_entries = 0;  // of the journal are applied: they go on
  std::map<uint32_t, Node> nodes;
  // Where they go on in partitions that nobody else reads, and how many records they have seen
  // there.
  std::vector<PartitionPlace> partitions;
  uint64_t records = 0;
};

// Everything of a pipeline that is not in a table: with the tables it is the whole state. Written
// with each checkpoint.
struct Place {
  uint64_t plan_fingerprint = 0;
  uint64_t journal_id = 0;
  JournalBookmark journal;            // behind the entry that is being applied
  std::optional<JournalEntry> entry;  // the one of which a part is still to be applied
  std::vector<PartitionPlace> partitions;
  std::vector<SourceClock> sources;  // by Plan::sources
  std::map<uint32_t, int64_t>
      watermarks;  // of nodes whose watermark is more than a function of inputs
  std::map<uint32_t, SideCounts> side;   // by node
  std::vector<uint64_t> source_records;  // records applied, by Plan::sources
  LogTime clock;                         // of the last entry
  uint64_t records = 0;
  uint64_t outbox_next = 0;  // number of the next outbox entry
  // Where published outbox entries ended in each topic partition.
  std::vector<std::pair<TopicPartition, Offset>> published;
  bool untouched = false;  // what a total over nothing shows has not been shown yet
  std::optional<Rest> rest;
  // Of final outputs, by node: rows whose event time is below have been said by the generation that
  // led before.
  std::map<uint32_t, int64_t> final_from;
};

std::string encode(const Place& place);
// DataLoss: not a place, or of another format.
absl::StatusOr<Place> decode_place(std::string_view bytes);

}  // namespace kappa::runtime
