#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/bench.h"
#include "bench/nexmark.h"
#include "engine/log/embedded/embedded_log.h"
#include "engine/types/crc32c.h"
#include "engine/types/status_macros.h"

// How fast does the embedded log take records and give them back? 200 B JSON bids, four partitions;
// appended 4,096 at a time, then read in 1 MiB blocks with the crc of each batch checked and the
// records walked. The bench's own figures are of reading, from the page cache; `more` has those of
// appending, by 4,096 and one by one.
namespace kappa::bench {
namespace {

constexpr int32_t kPartitions = 4;
constexpr size_t kAppendRecords = 4096;
constexpr size_t kReadBytes = 1 << 20;
constexpr int64_t kSingleAppends = 20'000;
constexpr char kTopic[] = "bids";

// What was appended or read: equal if the same records came in the same order.
struct Sum {
  int64_t records = 0;
  int64_t bytes = 0;
  uint32_t crc = 0;
  bool operator==(const Sum&) const = default;

  void add(std::string_view value) {
    ++records;
    bytes += static_cast<int64_t>(value.size());
    crc = crc32c(value.data(), value.size(), crc);
  }
};

// Bids made beforehand, used again and again: only the log is timed.
std::vector<std::string> make_bids() {
  std::vector<std::string> bids(kAppendRecords * 4);
  for (size_t i = 0; i < bids.size(); ++i) {
    append_json(nexmark_bid(static_cast<int64_t>(i), {}), &bids[i]);
  }
  return bids;
}

absl::Status append_bids(log::Log& log, const std::vector<std::string>& bids, int64_t count,
                         std::vector<Sum>* sums) {
  std::vector<log::RecordToAppend> records(kAppendRecords);
  for (int64_t done = 0; done < count;) {
    const auto size = std::min(count - done, static_cast<int64_t>(kAppendRecords));
    records.resize(static_cast<size_t>(size));
    for (size_t i = 0; i < records.size(); ++i) {
      const std::string& bid = bids[(static_cast<size_t>(done) + i) % bids.size()];
      const auto partition = static_cast<int32_t>(i % kPartitions);
      records[i] = {.value = bid, .timestamp = LogTime{done / 100}, .partition = partition};
      if (sums != nullptr) (*sums)[static_cast<size_t>(partition)].add(bid);
    }
    KAPPA_RETURN_IF_ERROR(log.append(kTopic, records).status());
    done += size;
  }
  return absl::OkStatus();
}

absl::Status append_one_by_one(log::Log& log, const std::vector<std::string>& bids, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const log::RecordToAppend record{.value = bids[static_cast<size_t>(i) % bids.size()],
                                     .partition = static_cast<int32_t>(i % kPartitions)};
    KAPPA_RETURN_IF_ERROR(log.append(kTopic, {&record, 1}).status());
  }
  return absl::OkStatus();
}

// Reads a partition to its end; returns how many records came.
template <typename Visit>
absl::StatusOr<int64_t> read_partition(const log::Log& log, int32_t partition, Visit visit) {
  KAPPA_ASSIGN_OR_RETURN(const std::unique_ptr<log::LogReader> reader,
                         log.open_reader({kTopic, partition}, Offset{0}));
  int64_t count = 0;
  while (true) {
    KAPPA_ASSIGN_OR_RETURN(const RecordBlock block, reader->read(kReadBytes));
    if (block.empty()) return count;
    count += static_cast<int64_t>(block.records.size());
    visit(block.records);
  }
}

absl::Status check(const log::Log& log, const std::vector<Sum>& appended) {
  for (int32_t p = 0; p < kPartitions; ++p) {
    Sum read;
    const auto add_all = [&](const std::vector<RecordView>& records) {
      for (const RecordView& record : records) read.add(*record.value_view());
    };
    KAPPA_RETURN_IF_ERROR(read_partition(log, p, add_all).status());
    if (read == appended[static_cast<size_t>(p)]) continue;
    return absl::InternalError(absl::StrCat(
        "partition ", p, ": read ", read.records, " records with crc ", read.crc, ", appended ",
        appended[static_cast<size_t>(p)].records, " with ", appended[static_cast<size_t>(p)].crc));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<log::EmbeddedLog>> make_log(const std::string& directory) {
  KAPPA_ASSIGN_OR_RETURN(auto log, log::open_embedded_log(directory, {}));
  KAPPA_RETURN_IF_ERROR(log->create_topic(kTopic, {.partitions = kPartitions}));
  return log;
}

double nanoseconds_each(double seconds, int64_t count) {
  return seconds * 1e9 / static_cast<double>(std::max<int64_t>(count, 1));
}

absl::StatusOr<Result> run_log(const Options& options) {
  const int64_t count = *options.records;
  const std::vector<std::string> bids = make_bids();
  std::vector<Sum> sums(kPartitions);
  KAPPA_ASSIGN_OR_RETURN(auto checked_log, make_log(options.directory + "/checked"));
  KAPPA_RETURN_IF_ERROR(append_bids(*checked_log, bids, count, &sums));
  KAPPA_RETURN_IF_ERROR(check(*checked_log, sums));

  Result append;
  KAPPA_ASSIGN_OR_RETURN(auto log, make_log(options.directory + "/appended"));
  const Stopwatch append_watch;
  KAPPA_RETURN_IF_ERROR(append_bids(*log, bids, count, nullptr));
  append_watch.stop(&append);

  Result sync;
  const Stopwatch sync_watch;
  KAPPA_RETURN_IF_ERROR(log->sync());
  sync_watch.stop(&sync);

  Result single;
  const int64_t singles = std::min(count, kSingleAppends);
  KAPPA_ASSIGN_OR_RETURN(auto single_log, make_log(options.directory + "/single"));
  const Stopwatch single_watch;
  KAPPA_RETURN_IF_ERROR(append_one_by_one(*single_log, bids, singles));
  single_watch.stop(&single);

  Result result;
  int64_t read = 0;
  uint64_t walked = 0;
  const Stopwatch read_watch;
  for (int32_t p = 0; p < kPartitions; ++p) {
    const auto walk = [&](const std::vector<RecordView>& records) {
      for (const RecordView& record : records) walked += record.value_size;
    };
    KAPPA_ASSIGN_OR_RETURN(const int64_t records, read_partition(*log, p, walk));
    read += records;
  }
  read_watch.stop(&result);

  result.records = count;
  int64_t bytes = 0;
  for (const Sum& sum : sums) bytes += sum.bytes;
  result.bytes_per_record = static_cast<double>(bytes) / static_cast<double>(count);
  result.checked = read == count && walked == static_cast<uint64_t>(bytes);
  result.more = {
      {"read_cpu_ns", nanoseconds_each(result.cpu_seconds, count)},
      {"append_cpu_ns", nanoseconds_each(append.cpu_seconds, count)},
      {"append_wall_ns", nanoseconds_each(append.wall_seconds, count)},
      {"append_single_cpu_ns", nanoseconds_each(single.cpu_seconds, singles)},
      {"sync_wall_seconds", sync.wall_seconds},
  };
  return result;
}

const bool added = add(
    {"log", "How fast does the embedded log take records and give them back?", 4'000'000, run_log});

}  // namespace
}  // namespace kappa::bench
