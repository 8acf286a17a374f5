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

enum class Call : uint8_t { kCountStar, kCount, kSum, kAvg, kMin, kMax, kCountDistinct };

struct AggregateCall {
  Call call;
  size_t argument = 0;           // column of the input; not for kCountStar
  std::optional<size_t> filter;  // a boolean column of the input
  Type result;
};

struct Window {
  size_t event_time;  // column of the input
  int64_t size_us;
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
// Rows out: the groups, then the window's start and end if there is one, then the calls.
struct AggregateNode {
  std::vector<size_t> groups;
  std::optional<Window> window;
  std::vector<AggregateCall> calls;
  bool final = false;  // emit
  std::optional<int64_t> retention_us;
  std::string view;  // that it is of: late rows are its
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
struct OutputNode {
  std::string topic;
  std::vector<std::string> names;
};

struct Node {
  std::variant<SourceNode, FilterNode, ProjectNode, UnionNode, DistinctNode, AggregateNode,
               RelationJoinNode, IntervalJoinNode, ViewNode, OutputNode>
      op;
  std::vector<size_t> inputs;
};

// Inputs before users.
struct Plan {
  std::vector<Source> sources;
  std::vector<Node> nodes;
};

}  // namespace kappa::model
