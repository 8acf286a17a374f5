#include "engine/sql/window_function.h"

#include "absl/strings/str_cat.h"
#include "engine/sql/coercion.h"
#include "engine/sql/construct.h"
#include "engine/sql/expression_binder.h"
#include "engine/sql/fault.h"
#include "engine/types/datetime.h"
#include "engine/types/status_macros.h"
#include "engine/types/time.h"

namespace kappa::sql {

using operators::ExprRef;

namespace {

constexpr char kUsage[] = "write tumble(t, event_time, INTERVAL '1 minute')";

// A bare name: the only form that the first two arguments take.
absl::StatusOr<std::string> bare_name(const Node& arg, const std::string& what) {
  if (!arg.is("ColumnRef") || arg.list("fields").size() != 1 || arg.names("fields")[0].empty()) {
    return fault(arg, absl::StrCat("expected the name of ", what), kUsage);
  }
  return arg.names("fields")[0];
}

ExprRef column_of(const Relation& relation, size_t index, operators::SqlPosition position) {
  return operators::column_expr(static_cast<int>(index), relation.columns[index].type, position);
}

// The pseudo column window_time of a relation that sums up windows; null: it sums up none.
absl::StatusOr<ExprRef> result_time(const Relation& relation, const Node& at,
                                    operators::SqlPosition position) {
  for (size_t i = 0; i < relation.columns.size(); ++i) {
    if (relation.columns[i].role == TimeRole::kWindowEnd) {
      return window_time_of_end(column_of(relation, i, position), at);
    }
  }
  for (size_t i = 0; i < relation.columns.size(); ++i) {
    if (relation.columns[i].role == TimeRole::kWindowStart) {
      return window_time_of_start(column_of(relation, i, position),
                                  relation.columns[i].window_size_us, at);
    }
  }
  return ExprRef();
}

absl::Status no_event_time(const Relation& relation, const Node& at, const std::string& name,
                           bool windowed) {
  if (const auto time = relation.event_time()) {
    const std::string& right = relation.columns[static_cast<size_t>(*time)].name;
    return fault(at,
                 absl::StrCat("\"", name, "\" is not the event time of \"", relation.name, "\""),
                 absl::StrCat("windows are taken over \"", right, "\""));
  }
  if (windowed) {
    return fault(at,
                 absl::StrCat("\"", name, "\" is not the event time of \"", relation.name, "\""),
                 "windows over a windowed view are taken over its window_time");
  }
  return fault(at, absl::StrCat("\"", relation.name, "\" has no event time"),
               "declare the source with OPTIONS (event_time 'column'), and select that column in "
               "the views between");
}

absl::StatusOr<ExprRef> bind_event_time(const Relation& relation, const Node& arg,
                                        const SourceText& text) {
  KAPPA_ASSIGN_OR_RETURN(const std::string name, bare_name(arg, "the event time column"));
  const operators::SqlPosition position = text.position(arg.offset);
  for (size_t i = 0; i < relation.columns.size(); ++i) {
    const RelationColumn& column = relation.columns[i];
    if (column.name == name && column.role == TimeRole::kEventTime) {
      return column_of(relation, i, position);
    }
  }
  KAPPA_ASSIGN_OR_RETURN(ExprRef window_time, result_time(relation, arg, position));
  if (window_time && name == "window_time") return window_time;
  return no_event_time(relation, arg, name, window_time != nullptr);
}

absl::StatusOr<ExprRef> shifted(const ExprRef& time, const char* op, int64_t us, const Node& at) {
  const ExprRef span = operators::constant_expr({Type::interval(), us}, time->position);
  return make_call(at, time->position, op, {{time, &at}, {span, &at}});
}

}  // namespace

absl::StatusOr<int64_t> constant_span_us(const Node& arg, const SourceText& text,
                                         const std::string& what, const char* usage) {
  const Scope nothing;
  const ExpressionBinder binder(text, nothing, what);
  bool has_months = false;
  const Node* cast_of = arg.is("TypeCast") ? arg.child("arg") : &arg;
  const Node* literal = cast_of->is("A_Const") ? cast_of->child("sval") : nullptr;
  if (literal && !parse_interval(literal->text("sval"), &has_months) && has_months) {
    return fault(arg, absl::StrCat(what, " cannot be in months or years: their length varies"),
                 "write it in days: INTERVAL '30 days'");
  }
  KAPPA_ASSIGN_OR_RETURN(const Operand operand, binder.bind_operand(arg));
  KAPPA_ASSIGN_OR_RETURN(const ExprRef span, coerce(operand, Type::interval()));
  if (span->kind != operators::ExprKind::kConstant || span->constant.is_null()) {
    return fault(arg, absl::StrCat(what, " must be a constant interval"), usage);
  }
  return std::get<int64_t>(span->constant.data);
}

absl::StatusOr<ExprRef> window_time_of_end(const ExprRef& window_end, const Node& at) {
  return shifted(window_end, "-", 1, at);
}

absl::StatusOr<ExprRef> window_time_of_start(const ExprRef& window_start, int64_t size_us,
                                             const Node& at) {
  return shifted(window_start, "+", size_us - 1, at);
}

absl::StatusOr<ExprRef> window_time_of(const Relation& relation, const Node& at) {
  return result_time(relation, at, {});
}

absl::StatusOr<BoundWindow> bind_window_function(const Node& call, const NestedQueries& queries,
                                                 const SourceText& text) {
  KAPPA_RETURN_IF_ERROR(expect_only(call, {{"funcname"}, {"args"}, {"funcformat"}}));
  const std::string name = call.names("funcname").back();
  if (name == "hop" || name == "cumulate" || name == "session") {
    return fault(call, absl::StrCat(name, "() is not supported yet"), "there is tumble()");
  }
  if (name != "tumble") {
    return fault(call, absl::StrCat(name, "() cannot stand in FROM"), kUsage);
  }
  const auto args = call.list("args");
  if (args.size() != 3 && args.size() != 4) {
    return fault(call, absl::StrCat("tumble takes 3 or 4 arguments, found ", args.size()), kUsage);
  }
  BoundWindow bound;
  KAPPA_ASSIGN_OR_RETURN(const std::string table, bare_name(args[0], "a table or view"));
  KAPPA_ASSIGN_OR_RETURN(bound.relation, queries.find(args[0], table));
  KAPPA_ASSIGN_OR_RETURN(bound.tumble.event_time, bind_event_time(*bound.relation, args[1], text));
  KAPPA_ASSIGN_OR_RETURN(bound.tumble.size_us,
                         constant_span_us(args[2], text, "the window's size", kUsage));
  if (bound.tumble.size_us <= 0) {
    return fault(args[2], "the window's size must be more than zero", kUsage);
  }
  if (args.size() == 4) {
    KAPPA_ASSIGN_OR_RETURN(bound.tumble.offset_us,
                           constant_span_us(args[3], text, "the window's offset", kUsage));
  }
  const int64_t size = bound.tumble.size_us;
  bound.tumble.offset_us = ((bound.tumble.offset_us % size) + size) % size;
  bound.tumble.node = &call;
  return bound;
}

}  // namespace kappa::sql
