#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "test/runtime/model/expression.h"

namespace kappa::model {

struct Field {
  std::string name;
  Type type;
};

struct Source {
  std::string name;  // the topic's, too
  std::vector<Field> fields;
  std::vector<bool> not_null;
  std::vector<size_t> primary_key;
  std::optional<size_t> event_time;
  int64_t out_of_orderness_us = 0;
  int64_t max_future_us = 3'600'000'000;
  std::optional<int64_t> idle_timeout_us;
  int partitions = 1;
};

// What a source's rows have behind its fields: the record's own columns, in this order.
inline std::vector<Field> record_fields() {
  return {{"kafka_timestamp", Type::timestamptz()},
          {"kafka_partition", Type::integer()},
          {"kafka_offset", Type::bigint()}};
}

enum class Call : uint8_t {
  kCountStar,
  kCount,
  kSum,
  kAvg,
  kMin,
  kMax,
  kCountDistinct,
  kStddev,
  kStddevPop,
  kFirst,
  kLast,
  kArgMin,
  kArgMax,
  kDecayedSum,
  kApproxCountDistinct,
  kApproxQuantile,
};

struct AggregateCall {
  Call call;
  size_t argument = 0;           // column of the input; not for kCountStar
  std::optional<size_t> filter;  // a boolean column of the input
  Type result;
  // Of kFirst, kLast and kDecayedSum the column with the event time, of kArgMin and kArgMax the
  // one that decides.
  std::optional<size_t> by = {};
  int64_t half_life_us = 0;
  double quantile = 0;
};

struct Window {
  enum class Kind : uint8_t { kTumble, kHop, kCumulate, kSession } kind = Kind::kTumble;
  size_t event_time;    // column of the input
  int64_t size_us;      // of a session: the gap
  int64_t step_us = 0;  // of hop and cumulate
  int64_t offset_us = 0;
  int64_t grace_us = 0;
};

struct SourceNode {
  size_t source;
};
struct FilterNode {
  ExprRef predicate;
};
struct ProjectNode {
  std::vector<ExprRef> exprs;
};
struct UnionNode {};
// The first row of each key.
struct DistinctNode {
  std::vector<size_t> key;
};
// The first rows of each key by an order, with their numbers behind if they are ranked.
struct TopNNode {
  struct Order {
    size_t column;
    bool descending = false;
    bool nulls_first = false;
  };
  std::vector<size_t> key;
  std::vector<Order> order;
  size_t limit = 1;
  bool ranked = false;
  bool changelog = false;  // of rows that may be taken back
};
// Rows out: the groups, then the window's start and end if there is one, then the calls.
struct AggregateNode {
  std::vector<size_t> groups;
  std::optional<Window> window;
  std::vector<AggregateCall> calls;
  bool final = false;  // emit
  std::optional<int64_t> retention_us;
};
// Holds rows back until the watermark has passed their time, and gives them out in the order of
// time; those below the watermark are late. Rows out: the input's columns, then the record that
// caused the row: topic, partition, offset, and the row's number among those of that record.
struct ReorderNode {
  size_t event_time;
};
enum class FrameFunction : uint8_t {
  kAggregate,
  kStddev,
  kStddevPop,
  kFirstValue,
  kLastValue,
  kLag,
  kIsLate,  // whether the row is below the watermark, whatever the frame
};
// From `start` to `end` before the row, both included: microseconds of event time, or rows.
struct Frame {
  bool rows = false;
  int64_t start = 0;
  int64_t end = 0;
};
struct FrameCall {
  FrameFunction function;
  AggregateCall call;  // which one, of kAggregate; argument, filter and result of all
  Frame frame;
  size_t distance = 0;  // of lag
};
// OVER. Rows out: the input's columns, then the calls.
struct SlidingNode {
  std::vector<size_t> partition;
  size_t event_time;
  std::vector<FrameCall> calls;
  bool final = false;      // emit: the input is a ReorderNode's
  int64_t horizon_us = 0;  // the longest frame of time of the whole SELECT
  bool notes_late = true;
};
// The pairs of two relations' rows with equal columns for which the condition is true; with
// `outer`, left rows without such a pair too, with NULLs of these types.
struct RelationJoinNode {
  std::vector<std::pair<size_t, size_t>> equal;  // columns of the left and of the right input
  bool outer = false;
  ExprRef condition;  // over both sides' columns; null: none
  std::vector<size_t> left_key;
  std::vector<size_t> right_key;
  std::vector<Type> right_types;
};
// The pairs of two inputs' rows with equal columns and from_us <= right time - left time <= to_us,
// and the later time of both behind them; with `outer`, left rows that found none, too.
struct IntervalJoinNode {
  std::vector<std::pair<size_t, size_t>> equal;
  bool outer = false;
  size_t left_time = 0;
  size_t right_time = 0;
  int64_t from_us = 0;
  int64_t to_us = 0;
  int64_t grace_us = 0;
  std::vector<Type> right_types;
};
struct ViewNode {
  std::string name;
  std::vector<size_t> key = {};  // empty with by_record
  bool by_record = false;
  bool latest_wins = false;  // else the first row of a key stays
  bool grouped = false;      // the rows below have one row a key
  std::optional<size_t> event_time = {};
  std::optional<int64_t> retention_us = {};
  size_t visible = 0;  // the first columns, which SELECT names
};
// Each row of the first input with the row that a view has for its key at that moment: the second
// input, or what that filters. Rows out: the first input's columns, then the view's.
struct LookupNode {
  std::vector<ExprRef> left;  // over the first input; equal to
  std::vector<size_t> right;  // the view's key
  bool outer = false;
  ExprRef right_filter;           // over the view; null: none
  ExprRef condition;              // over both: what else a match must fulfil; null: nothing
  std::vector<Type> right_types;  // of the view's columns
};
struct OutputNode {
  std::string topic;
  std::vector<std::string> names;
  // Of a topic of mode 'upsert': the columns of its key. Empty: every row goes out.
  std::vector<size_t> key = {};
  bool text_key = false;  // it is a single text column
};

// Where a node stands among those that give out rows when the watermark passes: those of less depth
// come first at a place, of equal depth what is due first, then the lower number.
struct TimerOwner {
  uint32_t depth = 0;
  uint32_t node = 0;
};

struct Node {
  std::variant<SourceNode, FilterNode, ProjectNode, UnionNode, DistinctNode, TopNNode,
               AggregateNode, ReorderNode, SlidingNode, LookupNode, RelationJoinNode,
               IntervalJoinNode, ViewNode, OutputNode>
      op;
  std::vector<size_t> inputs;
  TimerOwner timers = {};  // as the engine's plan has it (timer_order.h)
};

// Inputs before users.
struct Plan {
  std::vector<Source> sources;
  // Of doubles there are few values, most of them odd: NaN, infinities, -0. They are keys like any.
  bool odd_doubles = false;
  std::vector<Node> nodes;
};

}  // namespace kappa::model
