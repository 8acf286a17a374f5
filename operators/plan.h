#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/expression.h"
#include "operators/model.h"
#include "operators/rules.h"
#include "schemas/source.h"

// A plan is a graph of immutable nodes in an array, inputs before users. engine/sql makes it,
// engine/runtime runs it (one operator instance a node and worker), replay compares two of them.
//
//   Source → (Filter | Project | Union)* → Aggregate | Sliding | … → … → View | Output
//                                             ↑______________________________↓
//                       … → Arrange ─► Lookup | Rules | RelationJoin | IntervalJoin → …
//                       … → Arrange ──────────↑
namespace kappa::operators {

using NodeId = uint32_t;  // index into Plan::nodes
inline constexpr NodeId kNoNode = ~NodeId{0};

struct Field {
  std::string name;
  Type type;
  bool operator==(const Field&) const = default;
};
using Schema = std::vector<Field>;

// Reads a source. Its schema: the `wanted` columns of the source, in order.
struct SourceNode {
  int source;               // index into Plan::sources
  std::vector<int> wanted;  // of schemas::readable_columns(), ascending
};

struct FilterNode {
  ExprRef predicate;
};

struct ProjectNode {
  std::vector<ExprRef> exprs;
};

// Its inputs have the same types, column by column.
struct UnionNode {};

enum class AggregateKind : uint8_t {
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
  AggregateKind kind;
  int argument = -1;  // input column; -1: none (count(*))
  int filter = -1;    // input column of type boolean: FILTER (WHERE …); -1: none
  Type result;
  SqlPosition position;
  // Input column: of arg_min and arg_max what is to be the least or greatest, of first, last and
  // decayed_sum the event time; -1: none.
  int by = -1;
  int64_t half_life_us = 0;  // of decayed_sum; more than zero
  double quantile = 0;       // of approx_quantile: 0 to 1
};

// The result type of an aggregate, or InvalidArgument if it does not take such a value. The
// standard deviation of numerics of more than 18 digits is taken of doubles, to which the front end
// casts.
absl::StatusOr<Type> aggregate_result_type(AggregateKind kind, Type argument);
std::string_view aggregate_name(AggregateKind kind);

enum class Emit : uint8_t { kChanges, kFinal };

// The windows of a GROUP BY, half-open, over the input column `event_time`. Those of tumble, hop
// and cumulate lie where they lie; a session is where the rows of its group are.
// operators/windows.h computes with them.
struct GroupWindow {
  enum class Kind : uint8_t { kTumble, kHop, kCumulate, kSession } kind = Kind::kTumble;
  int event_time = -1;
  int64_t size_us = 0;  // of cumulate: of the longest window; of a session: the gap that ends it
  int64_t step_us = 0;  // of hop: from start to start; of cumulate: from end to end; else 0
  int64_t offset_us = 0;
  int64_t grace_us = 0;
};

std::string_view window_name(GroupWindow::Kind kind);

// Groups its input by columns (they may be none: one group) and aggregates. Schema: group columns,
// then window_start and window_end if there is a window, then the calls' results. Expressions in
// GROUP BY and in arguments are computed by a Project below.
struct AggregateNode {
  std::vector<int> groups;
  std::optional<GroupWindow> window;
  std::vector<AggregateCall> calls;
  Emit emit = Emit::kChanges;
  // How long a closed window (or, without a window, nothing) is kept; nullopt: for ever.
  std::optional<int64_t> retention_us;
};

// The first row of each key in the order of its append-only input: DISTINCT ON. Schema: the
// input's.
struct DistinctNode {
  std::vector<int> key;
};

// The first `limit` rows of each key by `order`, those that are equal by it in the order in which
// they came: ROW_NUMBER() … <= limit, and DISTINCT ON … ORDER BY. Schema: the input's columns,
// then, if `ranked`, the row's number among its key's, from 1, as bigint.
struct TopNNode {
  struct Order {
    int column;
    bool descending = false;
    bool nulls_first = false;
  };
  std::vector<int> key;
  std::vector<Order> order;
  int64_t limit = 0;  // 0: not known yet, which no finished plan has
  bool ranked = false;
  SqlPosition position;
};

// Holds rows back until the watermark has passed their event time, and then gives them out in the
// order of event time (emit = 'final' over OVER). Equal times come out at one place, one after the
// other, in the order of their records. Rows below the watermark go to the late output. Schema: the
// input's columns, then the record that caused the row: topic text, partition integer, offset
// bigint, ordinal integer.
struct ReorderNode {
  int event_time;
};

enum class FrameFunction : uint8_t {
  kCountStar,
  kCount,
  kSum,
  kAvg,
  kStddev,
  kStddevPop,
  kCountDistinct,
  kMin,
  kMax,
  kFirstValue,
  kLastValue,
  kLag,
  kIsLate,  // whether the row was below the watermark; whatever the frame
};

// Which rows of its partition a call sees from a row with event time t: those from t - start to
// t - end, both included, or counted in rows from `start` to `end` rows before it.
struct Frame {
  enum class Unit : uint8_t { kRange, kRows } unit = Unit::kRange;
  int64_t start = 0;  // microseconds or rows, start >= end >= 0
  int64_t end = 0;    // 0: CURRENT ROW
  bool operator==(const Frame&) const = default;
};

struct FrameCall {
  FrameFunction function;
  int argument = -1;     // input column; -1: none (count(*))
  int filter = -1;       // input column of type boolean; -1: none
  Frame frame;           // of lag: what bounds how far back it looks
  int64_t distance = 0;  // of lag: how many rows back
  Type result;
  SqlPosition position;
};

// OVER (PARTITION BY partition ORDER BY event_time …): each row of its append-only input with the
// calls' results over the rows of its partition that came before it in the order, itself included.
// With emit = kFinal the input is a Reorder's, and a row's peers (equal event time) are all
// included. Schema: the input's columns, then the calls' results.
//
// A row below the watermark is late: it is answered, counted in later frames, and noted in the late
// output if `notes_late`. Rows older than the watermark less `horizon_us` count for nobody.
//
// A SELECT with several partitions makes one node for each, one after the other.
struct SlidingNode {
  std::vector<int> partition;
  int event_time;
  std::vector<FrameCall> calls;
  Emit emit = Emit::kChanges;
  int64_t horizon_us = 0;  // the longest range of time of the whole SELECT
  bool notes_late = true;  // the first one of its SELECT
};

std::string_view frame_function_name(FrameFunction function);

// Brings rows to the worker of their key: what stands on either side of a join. Schema: the
// input's.
struct ArrangeNode {
  std::vector<int> key;
};

// The columns of a join's left and of its right input that must be equal, pair by pair, of the same
// types. NULL equals nothing.
struct JoinKey {
  std::vector<int> left;
  std::vector<int> right;
};

// Every join has two inputs, each an Arrange by its side of the key. Schema: the left input's
// columns, then the right one's, which are NULL where an outer join found no match. If one record
// causes rows on both sides, those on the right come first.

// Until when a row is part of a relation that forgets: until the relation's watermark reaches the
// time in `column` + `after_us`. A NULL stays.
struct Expiry {
  int column;
  int64_t after_us;
};

// Each row of its append-only left input with the row that the right one, a relation with the key
// as its key, has at the row's place. Later changes on the right do not change it. All that the
// right side has at a place is there before its left rows look; what the record of a place causes
// comes after the timers that fire there.
struct LookupNode {
  JoinKey key;
  bool outer = false;
  // With `outer`: what else two rows must fulfil to match, over the node's columns; null: nothing.
  ExprRef condition;
  // Of an append-only right input whose rows expire: the column is one of that input.
  std::optional<Expiry> expiry;
};

// Each row of its append-only left input with what the rules of the right one, a relation, say
// about it at the row's place: those whose condition is true of the row and that are valid at its
// event time. Everything else as for a lookup. Schema: the left input's columns, then rule_ids and
// reason_codes, texts separated by commas, in the order of the rules' ids, and rule_weight, the sum
// of the weights.
//
// The right input's columns: rule_id text, condition text, reason_code text, weight numeric of at
// most 18 digits, valid_from and valid_until timestamptz: valid in [from, until), NULL is no bound.
struct RulesNode {
  JoinKey key;  // of no columns: all rows meet all rules
  int event_time;
  std::shared_ptr<const RuleCompiler> compiler;
  SqlPosition position;
};

// The join of two relations, kept up to date with retractions as either changes. With `outer`, left
// rows without a match are in it too; `condition`, over the join's columns, then says what else a
// pair must meet to be a match (null: nothing).
struct RelationJoinNode {
  JoinKey key;
  bool outer = false;
  // What tells the rows of each side apart, among those of one join key.
  std::vector<int> left_id;
  std::vector<int> right_id;
  ExprRef condition;
};

// The pairs of rows of two append-only inputs whose event times are close: from_us <= right -
// left <= to_us. With `outer`, a left row that found no match is given out once none can come.
struct IntervalJoinNode {
  JoinKey key;
  bool outer = false;
  int left_time = 0;   // column of the left input
  int right_time = 0;  // column of the right input
  int64_t from_us = 0;
  int64_t to_us = 0;
  int64_t grace_us = 0;  // a row may be so far below the watermark
};

// Keeps its input as a keyed relation. Schema: the input's columns.
struct ViewNode {
  std::string name;
  // Columns of the input. Empty with `by_record`: the key is (topic, partition, offset, ordinal)
  // of the record that caused the row, hidden from SELECT.
  std::vector<int> key;
  bool by_record = false;
  // So many of the last columns are in the key only: they can be named, but SELECT * leaves them
  // out. (A union's `branch`.)
  int hidden = 0;
  // What happens to a second row of a key: kGrouped cannot see one (the aggregate below retracts
  // first); kFirstWins counts and dead-letters it (a source's PRIMARY KEY); kLatestWins replaces
  // it (WITH (key = …)).
  enum class Conflict : uint8_t { kGrouped, kFirstWins, kLatestWins } conflict = Conflict::kGrouped;
  Emit emit = Emit::kChanges;
  std::optional<int> event_time;  // the column that is the rows' event time, if one is
  std::optional<int64_t> retention_us;
  std::optional<Expiry> expiry;  // what the retention means for rows that the view keeps itself
  int statement = 0;             // index into Plan::statements
  // The rows of a source of mode 'upsert', which this view is itself: index into Plan::sources.
  std::optional<int> of_source = {};
};

// Writes its input to an output topic. Schema: the columns of the topic's table. Into one of mode
// 'upsert' goes a keyed relation as a changelog (operators/upsert_output.h), whose key is the
// table's; any other takes an append-only input, every row of it.
struct OutputNode {
  int sink;  // index into Plan::sources
  int statement = 0;
};

struct PlanNode {
  NodeId id = 0;
  std::variant<SourceNode, FilterNode, ProjectNode, UnionNode, AggregateNode, DistinctNode,
               TopNNode, ReorderNode, SlidingNode, ArrangeNode, LookupNode, RulesNode,
               RelationJoinNode, IntervalJoinNode, ViewNode, OutputNode>
      op;
  std::vector<NodeId> inputs;
  Schema schema;
  // Whether its output may hold retractions.
  bool changelog = false;
  // The column of `schema` that is the rows' event time (a source's, or a window's result time
  // window_end - 1 µs computed from window_end), if it still has it. Windows are taken over no
  // other.
  std::optional<int> event_time;
  // Hash of the operator's canonical text and its inputs' fingerprints: equal logic, equal value.
  uint64_t fingerprint = 0;
};

// The key of a join; null if the node is none.
const JoinKey* join_key(const PlanNode& node);
// Whether a node is a join that gives out rows of its left input alone, each at its own place, and
// at most one for each: a Lookup, or Rules.
bool looks_up(const PlanNode& node);

struct Statement {
  std::string text;
  SqlPosition position;
};

struct Plan {
  std::vector<PlanNode> nodes;
  std::vector<schemas::Source> sources;
  std::vector<Statement> statements;
  std::vector<std::string> warnings;
  Models models;  // of the product, called or not

  const PlanNode& node(NodeId id) const { return nodes[id]; }
  // The view of that name, or kNoNode.
  NodeId find_view(std::string_view name) const;
  std::vector<NodeId> views() const;
};

// The table of an output's topic, and where its INSERT stands. The node is an OutputNode.
const schemas::Source& sink_of(const Plan& plan, NodeId output);
SqlPosition insert_position(const Plan& plan, NodeId output);

// The models that a node's expressions call, by name.
std::map<std::string, ModelRef> called_models(const PlanNode& node);

// The topics of tables of mode 'upsert': the last record of each key must stay.
std::set<std::string> compacted_topics(const Plan& plan);

// A node's fingerprint, from its text, its schema and its inputs' fingerprints: what the planner
// stores in PlanNode::fingerprint once the inputs have theirs.
uint64_t node_fingerprint(const Plan& plan, const PlanNode& node);
// Of the whole plan: names the logic.
uint64_t fingerprint(const Plan& plan);
// The node's canonical text, without its inputs.
std::string describe(const Plan& plan, const PlanNode& node);

}  // namespace kappa::operators
