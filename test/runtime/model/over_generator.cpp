#include "test/runtime/model/over_generator.h"

#include <algorithm>

#include "engine/types/time.h"
#include "test/runtime/model/call_types.h"
#include "test/runtime/model/expression_generator.h"

namespace kappa::model {
namespace {

struct FrameText {
  Frame frame;
  std::string sql;
};

// One of the partitions of a SELECT.
struct Partition {
  std::string sql;  // PARTITION BY …, or nothing
  std::vector<size_t> columns;
  std::vector<FrameCall> calls;
};

struct PlacedCall {
  size_t partition;
  size_t call;  // of the partition
};

std::string span(int64_t us) {
  const int64_t odd_us = (kMicrosPerMilli - us % kMicrosPerMilli) % kMicrosPerMilli;
  const std::string whole = "INTERVAL " + seconds(us + odd_us);
  return odd_us == 0 ? whole : whole + " - INTERVAL '" + std::to_string(odd_us) + " microseconds'";
}

std::string bound(bool rows, int64_t back) {
  if (back == 0) return "CURRENT ROW";
  return (rows ? std::to_string(back) : span(back)) + " PRECEDING";
}

class OverSelect {
 public:
  OverSelect(Draft& draft, const Relation& input)
      : draft_(draft), dice_(draft.dice()), input_(input), columns_(input.fields) {
    for (size_t i = 0; i < input.fields.size(); ++i) read_.push_back(Draft::bare(input, i));
    from_ = " FROM " + input.name;
    filtered_ = draft_.add_where(input, &from_);
    for (int64_t i = dice_.one_in(3) ? dice_.between(2, 3) : 1; i > 0; --i) add_partition();
    for (int64_t i = dice_.between(1, 3); i > 0; --i) frames_.push_back(random_frame());
    for (int64_t i = dice_.between(1, 6); i > 0; --i) add_call();
    select_outputs();
  }

  // Over the input's columns, then the calls.
  const std::vector<ExprRef>& outputs() const { return outputs_; }

  // `distinct`: what stands behind SELECT.
  std::string sql(const std::string& distinct = "") const {
    std::vector<std::string> items;
    for (const ExprRef& output : outputs_) {
      items.push_back(to_sql(*output, names_of(columns_)) + " AS c" + std::to_string(items.size()));
    }
    return "SELECT " + distinct + join(items, ", ") + from_ +
           (windows_.empty() ? "" : " WINDOW " + join(windows_, ", "));
  }

  // The nodes from the input to the SELECT list, behind which `identity` follows.
  size_t add_nodes(bool final, bool identity) {
    size_t node = draft_.add(ProjectNode{read_}, {filtered_});
    if (final) node = draft_.add(ReorderNode{*input_.event_time}, {node});
    std::vector<size_t> first_result;
    size_t width = read_.size() + (final ? 4 : 0);
    const size_t first_identity = read_.size();
    bool first = true;
    for (const Partition& partition : partitions_) {
      first_result.push_back(width);
      if (partition.calls.empty()) continue;
      node = draft_.add(SlidingNode{.partition = partition.columns,
                                    .event_time = *input_.event_time,
                                    .calls = partition.calls,
                                    .final = final,
                                    .horizon_us = longest_us(),
                                    .notes_late = !final && first},
                        {node});
      width += partition.calls.size();
      first = false;
    }
    std::vector<ExprRef> by(read_.begin(),
                            read_.begin() + static_cast<std::ptrdiff_t>(input_.fields.size()));
    for (const PlacedCall& call : calls_) {
      by.push_back(column(first_result[call.partition] + call.call, columns_[by.size()].type));
    }
    std::vector<ExprRef> shown;
    for (const ExprRef& output : outputs_) shown.push_back(replace_columns(output, by));
    const std::vector<Type> types{Type::text(), Type::integer(), Type::bigint(), Type::integer()};
    for (size_t i = 0; identity && i < types.size(); ++i) {
      shown.push_back(column(first_identity + i, types[i]));
    }
    return draft_.add(ProjectNode{shown}, {node});
  }

 private:
  size_t read(const ExprRef& expr) {
    if (expr->op == Op::kColumn) return expr->column;
    read_.push_back(expr);
    return read_.size() - 1;
  }

  std::string text(const ExprRef& expr) const { return to_sql(*expr, names_of(input_.fields)); }

  void add_partition() {
    Partition partition;
    std::vector<std::string> texts;
    for (int64_t i = dice_.one_in(5) ? 0 : dice_.between(1, 2); i > 0; --i) {
      const ExprRef expr =
          dice_.one_in(8) ? ExpressionGenerator(dice_, input_.fields).of_type(Type::integer(), 1)
                          : Draft::bare(input_, draft_.key_column(input_));
      const std::string sql = text(expr);
      if (expr->op == Op::kConstant || std::find(texts.begin(), texts.end(), sql) != texts.end())
        continue;
      texts.push_back(sql);
      partition.columns.push_back(read(expr));
    }
    if (!texts.empty()) partition.sql = "PARTITION BY " + join(texts, ", ") + " ";
    // Calls of equal partitions are one partition's.
    for (const Partition& other : partitions_) {
      if (other.sql == partition.sql) return;
    }
    partitions_.push_back(std::move(partition));
  }

  FrameText random_frame() {
    Frame frame;
    frame.rows = dice_.one_in(3);
    if (frame.rows) {
      frame.start = dice_.between(0, 4);
      if (dice_.one_in(3)) frame.end = dice_.between(0, frame.start);
    } else {
      frame.start = dice_.between(0, dice_.coin() ? 8 : 50) * 500 * kMicrosPerMilli;
      if (!dice_.one_in(3)) frame.end = frame.start * dice_.between(0, 4) / 4;
      // Half-open, now and then.
      if (dice_.one_in(4) && frame.start > frame.end) --frame.start;
    }
    const std::string unit = frame.rows ? "ROWS " : "RANGE ";
    const std::string start = bound(frame.rows, frame.start);
    if (frame.end == 0 && dice_.coin()) return {frame, unit + start};
    return {frame, unit + "BETWEEN " + start + " AND " + bound(frame.rows, frame.end)};
  }

  int64_t longest_us() const {
    int64_t longest = 0;
    for (const Partition& partition : partitions_) {
      for (const FrameCall& call : partition.calls) {
        if (!call.frame.rows) longest = std::max(longest, call.frame.start);
      }
    }
    return longest;
  }

  // OVER w, or OVER (…).
  std::string over(const Partition& partition, const FrameText& frame) {
    const std::string window = "(" + partition.sql + "ORDER BY " +
                               input_.fields[*input_.event_time].name + " " + frame.sql + ")";
    if (dice_.coin()) return " OVER " + window;
    for (const std::string& named : windows_) {
      const size_t as = named.find(" AS ");
      if (named.substr(as + 4) == window) return " OVER " + named.substr(0, as);
    }
    windows_.push_back("w" + std::to_string(windows_.size()) + " AS " + window);
    return " OVER w" + std::to_string(windows_.size() - 1);
  }

  // The call without its window: its text.
  std::string random_call(const ExprRef& argument, FrameCall* call) {
    call->call.result = argument->type;
    const std::string of = "(" + text(argument);
    switch (dice_.below(9)) {
      case 0:
        call->function = FrameFunction::kFirstValue;
        return "first_value" + of + ")";
      case 1:
        call->function = FrameFunction::kLastValue;
        return "last_value" + of + ")";
      case 2: {
        call->function = FrameFunction::kLag;
        call->distance = static_cast<size_t>(dice_.between(0, 3));
        if (call->distance == 1 && dice_.coin()) return "lag" + of + ")";
        return "lag" + of + ", " + std::to_string(call->distance) + ")";
      }
      case 3: {
        if (!summable(argument->type.id)) break;
        const bool sample = dice_.coin();
        call->function = sample ? FrameFunction::kStddev : FrameFunction::kStddevPop;
        call->call.result = Type::double_precision();
        return (sample ? "stddev" : "stddev_pop") + of + ")" + random_filter(call);
      }
      case 4:
        call->function = FrameFunction::kIsLate;
        call->call.result = Type::boolean();
        return "is_late()";
      default:
        break;
    }
    return random_aggregate(argument, call) + random_filter(call);
  }

  std::string random_aggregate(const ExprRef& argument, FrameCall* call) {
    static const std::vector<Call> calls{Call::kCountStar,    Call::kCount, Call::kSum,
                                         Call::kAvg,          Call::kMin,   Call::kMax,
                                         Call::kCountDistinct};
    static const std::vector<std::string> names{"count(*)", "count(", "sum(",           "avg(",
                                                "min(",     "max(",   "count(DISTINCT "};
    Call kind = dice_.pick(calls);
    const bool extreme = kind == Call::kMin || kind == Call::kMax;
    const bool sums = kind == Call::kSum || kind == Call::kAvg;
    if ((extreme && argument->type.id == TypeId::kBoolean) ||
        (sums && !summable(argument->type.id))) {
      kind = Call::kCount;
    }
    call->function = FrameFunction::kAggregate;
    call->call.call = kind;
    call->call.result = result_type(kind, argument->type);
    const std::string& name = names[static_cast<size_t>(kind)];
    return kind == Call::kCountStar ? name : name + text(argument) + ")";
  }

  std::string random_filter(FrameCall* call) {
    if (!dice_.one_in(3)) return "";
    const ExprRef filter = ExpressionGenerator(dice_, input_.fields).of_type(Type::boolean(), 1);
    call->call.filter = read(filter);
    return " FILTER (WHERE " + text(filter) + ")";
  }

  static bool takes_argument(const FrameCall& call) {
    const bool star =
        call.function == FrameFunction::kAggregate && call.call.call == Call::kCountStar;
    return !star && call.function != FrameFunction::kIsLate;
  }

  void add_call() {
    const auto index = static_cast<size_t>(dice_.below(static_cast<int64_t>(partitions_.size())));
    Partition& partition = partitions_[index];
    const FrameText& frame = dice_.pick(frames_);
    FrameCall call{.function = FrameFunction::kAggregate, .call = {}, .frame = frame.frame};
    const ExprRef argument = draft_.item(input_);
    const std::string sql = random_call(argument, &call) + over(partition, frame);
    if (takes_argument(call)) call.call.argument = read(argument);
    columns_.push_back({sql, call.call.result});
    calls_.push_back({index, partition.calls.size()});
    partition.calls.push_back(call);
  }

  // The key if the rows need one, columns as they are, every call, and what is computed of both.
  void select_outputs() {
    if (!input_.by_records || dice_.coin()) {
      for (const size_t column : input_.key) outputs_.push_back(Draft::bare(input_, column));
    }
    if (dice_.coin()) outputs_.push_back(Draft::bare(input_, *input_.event_time));
    for (int64_t i = dice_.between(0, 2); i > 0; --i) outputs_.push_back(draft_.item(input_));
    for (size_t i = input_.fields.size(); i < columns_.size(); ++i) {
      outputs_.push_back(column(i, columns_[i].type));
    }
    if (dice_.one_in(3)) {
      outputs_.push_back(ExpressionGenerator(dice_, columns_).anything());
    }
  }

  Draft& draft_;
  Dice& dice_;
  const Relation& input_;
  std::vector<Field> columns_;  // the input's, then the calls with their text as names
  std::string from_;
  size_t filtered_ = 0;
  std::vector<ExprRef> read_;  // the input's columns, then what calls and partitions compute
  std::vector<Partition> partitions_;
  std::vector<FrameText> frames_;
  std::vector<std::string> windows_;  // of the WINDOW clause
  std::vector<PlacedCall> calls_;
  std::vector<ExprRef> outputs_;
};

}  // namespace

bool takes_over(const Relation& input) {
  return !input.changelog && input.event_time.has_value();
}

namespace {

// Of equal columns the first row, once OVER has answered.
void add_distinct_over(Draft& draft, const Relation& input, bool final) {
  OverSelect select(draft, input);
  ViewNode view{.name = draft.next_view(), .key = draft.choose_key(select.outputs().size())};
  Relation made{.name = view.name, .node = 0, .fields = Draft::fields_of(select.outputs())};
  made.event_time = Draft::position_of(select.outputs(), *input.event_time);
  made.by_records = input.by_records && !final;
  made.timed = input.timed || final;
  made.key = view.key;
  view.grouped = true;
  view.event_time = made.event_time;
  view.visible = made.fields.size();
  const size_t distinct = draft.add(DistinctNode{view.key}, {select.add_nodes(final, false)});
  made.node = draft.add(view, {distinct});
  draft.create_view(view.name,
                    final ? std::vector<std::string>{"emit = 'final'"} : std::vector<std::string>(),
                    select.sql("DISTINCT ON (" + Draft::key_names(made) + ") "));
  draft.relations().push_back(std::move(made));
}

}  // namespace

void add_over(Draft& draft, const Relation& input) {
  const bool final = input.by_records && !input.takes_no_options && draft.dice().one_in(3);
  if (draft.dice().one_in(6)) return add_distinct_over(draft, input, final);
  OverSelect select(draft, input);
  Draft::RowsView rows = draft.view_of_rows(input, select.outputs(), final);
  rows.made.node = draft.add(rows.view, {select.add_nodes(final, rows.by_identity)});
  draft.create_view(rows.view.name, rows.options, select.sql());
  draft.relations().push_back(std::move(rows.made));
}

void add_final_over_twice(Draft& draft, const Relation& input) {
  OverSelect select(draft, input);
  std::vector<Field> fields = Draft::fields_of(select.outputs());
  auto key = Draft::kept_key(input, select.outputs()).value_or(std::vector<size_t>());
  const bool by_identity = key.empty();
  for (const Field& field : by_identity ? identity_fields() : std::vector<Field>()) {
    key.push_back(fields.size());
    fields.push_back(field);
  }
  std::vector<size_t> branches;
  for (const int32_t branch : {0, 1}) {
    std::vector<ExprRef> exprs;
    for (size_t i = 0; i < fields.size(); ++i) exprs.push_back(column(i, fields[i].type));
    exprs.push_back(constant(Value::integer(branch)));
    branches.push_back(draft.add(ProjectNode{exprs}, {select.add_nodes(true, by_identity)}));
  }
  key.push_back(fields.size());
  ViewNode view{.name = draft.next_view(), .key = key};
  view.grouped = by_identity || !input.is_source;
  view.visible = fields.size() + 1;
  draft.create_view(view.name, {"emit = 'final'"}, select.sql() + " UNION ALL " + select.sql());
  draft.add(view, {draft.add(UnionNode{}, branches)});
}

Query over_query(Draft& draft, const Relation& input, bool final) {
  OverSelect select(draft, input);
  Query query{select.sql(),
              {.name = "",
               .node = select.add_nodes(final, false),
               .fields = Draft::fields_of(select.outputs())}};
  Relation& rows = query.rows;
  rows.event_time = Draft::position_of(select.outputs(), *input.event_time);
  rows.is_source = input.is_source;
  rows.by_records = input.by_records && !final;
  rows.timed = input.timed || final;
  rows.key = Draft::kept_key(input, select.outputs()).value_or(std::vector<size_t>());
  rows.takes_no_options = !final;
  rows.is_final = final;
  return query;
}

}  // namespace kappa::model
