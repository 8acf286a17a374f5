#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/types/record.h"
#include "test/runtime/model/aggregates.h"
#include "test/runtime/model/frames.h"
#include "test/runtime/model/joins.h"
#include "test/runtime/model/plan.h"
#include "test/runtime/model/top_n.h"

namespace kappa::model {

struct Record {
  std::string topic;
  int32_t partition = 0;
  int64_t offset = 0;
  int64_t timestamp_ms = 0;
  std::optional<Row> row;  // nullopt: the payload is malformed
};

// A journal entry: records (any order), or a moment without records.
struct Entry {
  enum class Kind : uint8_t { kRecords, kTick, kEnd } kind = Kind::kRecords;
  int64_t clock_ms = 0;
  std::vector<Record> records;
};

// What left the way: a dead letter, a late row, a row for an output topic.
struct SideRow {
  enum class Kind : uint8_t { kMalformed, kFuture, kError, kDuplicate, kLate, kOutput } kind;
  std::string topic;                        // to which it goes
  std::optional<TopicPartition> partition;  // of the record whose place it is; a moment has none
  int64_t offset = 0;
  Row row;               // of an output
  std::string view;      // that refused it, of a late row or a duplicate
  bool deletes = false;  // of an output: a tombstone, for the key of the row
};

struct Waiting {
  int64_t rows = 0;
  int64_t until_us = 0;
};

// The plan, applied to the records of entry after entry in the order.
class Model {
 public:
  explicit Model(Plan plan);

  // Calls `after`, if given, after each record of the entry, in the order.
  void apply(const Entry& entry, const std::function<void(const Record&)>& after = {});

  // A view's rows as a query sees them now: what SELECT names, a line a row ("1|NULL|x"), sorted.
  std::vector<std::string> view(const std::string& name) const;
  // The groups of final windows that wait, by the view's name.
  Waiting waiting(const std::string& name) const;
  // The watermark on a view's rows.
  int64_t watermark_us(const std::string& name) const;
  const std::vector<SideRow>& side() const { return side_; }
  // The relation whose changes go to a topic of mode 'upsert', a row a key.
  std::vector<Row> upserted(const std::string& topic) const;

 private:
  struct Group {
    Bag bag;
    bool fired = false;
  };
  struct NodeState {
    int64_t in_us;   // watermark on what comes in
    int64_t out_us;  // and on what is passed on
    std::map<Row, Group, RowLess> groups;
    std::map<Row, Row, RowLess> keyed;
    std::vector<Row> bag;
    std::map<Row, std::vector<Row>, RowLess> partitions;  // of a Sliding
    std::vector<Row> waiting;                             // of a Reorder: its rows out
    Rankings rankings;                                    // of a TopN
    JoinedBags joined;
    TimedBags timed;
    std::vector<Change> out;      // of the present step
    std::vector<Change> changes;  // of the present place, of an output by key
  };
  struct SourceState {
    int64_t event_time_max_us;
    std::optional<int64_t> first_record_ms;
    std::optional<int64_t> last_record_ms;
    std::optional<int64_t> active_ms;
  };
  struct Timer {
    int64_t due_us;
    Row key;
    bool expires;
  };

  void apply_record(const Record& record, std::optional<int64_t> log_time_ms, int64_t clock_ms);
  void apply_moment(const Entry& entry);
  bool is_read(size_t source) const;
  // Moves watermarks and fires timers, from upstream to downstream.
  void pass_time();
  void name_cause(size_t node, size_t first);
  void step(size_t node, const std::vector<Change>& input);
  void apply_change(size_t node, const Change& change, size_t ordinal);
  // What the node gave out from `first` on is due to that.
  void pass_cause_on(size_t node, size_t first, const Cause& cause);
  std::vector<Change> inputs_of(size_t node) const;
  // The changes of a join's two sides in the order in which they come, and whether they are the
  // left one's: of equal causes the right side's come first.
  std::vector<std::pair<bool, Change>> sides_of(size_t join) const;

  // A watermark so far back, unless it is none or the end.
  static int64_t less(int64_t watermark_us, int64_t held_back_us);
  int64_t input_watermark(size_t node) const;
  int64_t merged_watermark(size_t node) const;
  std::vector<size_t> sources_of(size_t node) const;

  void join(size_t node);
  void join_by_time(size_t node);
  void filter(size_t node, const Change& change);
  void project(size_t node, const Change& change);
  void lookup(size_t node, const Change& change);
  std::optional<Row> find(size_t node, const Row& key) const;
  void aggregate_change(size_t node, const Change& change);
  void join_session(size_t node, const Row& group, const Change& change);
  void change_group(size_t node, const Row& key, const Change& change);
  void wait(size_t node, const Change& change, size_t ordinal);
  void slide(size_t node, const std::vector<Change>& input);
  void keep(size_t node, const Change& change);
  void fire_timers(const AggregateNode& op, NodeState& state);
  static void release(const ReorderNode& op, NodeState& state);
  bool expired(const ViewNode& op, const Row& row, const NodeState& state) const;
  size_t find_view(const std::string& name) const;
  std::vector<size_t> closing_below(size_t node) const;
  // The place is over: what it has changed by key goes out.
  void send_changes();
  void send_change(size_t node, const Row& key, const std::vector<Change>& changes);

  // The topic for a node's dead letters of this place.
  std::string dead_letters(size_t node) const;
  std::string view_below(size_t node) const;
  void note_late(size_t node);
  void note(SideRow::Kind kind, std::string topic, Row row = {}, std::string view = {});

  Plan plan_;
  std::vector<NodeState> nodes_;
  std::vector<SourceState> sources_;
  std::vector<SideRow> side_;
  int64_t arrivals_ = 0;                 // of rows in sessions
  std::optional<TopicPartition> place_;  // the record whose place this is
  int64_t place_offset_ = 0;
};

}  // namespace kappa::model
