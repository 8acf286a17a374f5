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
// Each row of the first input with the row that a view has for its key at that moment. Rows out:
// the first input's columns, then the view's.
struct LookupNode {
  size_t view = 0;            // the node; the second input is it, or a filter over it
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
};

struct Node {
  std::variant<SourceNode, FilterNode, ProjectNode, UnionNode, DistinctNode, AggregateNode,
               LookupNode, ViewNode, OutputNode>
      op;
  std::vector<size_t> inputs;
};

// Inputs before users.
struct Plan {
  std::vector<Source> sources;
  std::vector<Node> nodes;
};

}  // namespace kappa::model
