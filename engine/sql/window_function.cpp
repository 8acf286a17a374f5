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
                                        const char* usage, const SourceText& text) {
  KAPPA_ASSIGN_OR_RETURN(const std::string name, bare_name(arg, "the event time column", usage));
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

absl::StatusOr<std::string> bare_name(const Node& arg, const std::string& what, const char* usage) {
  if (!arg.is("ColumnRef") || arg.list("fields").size() != 1 || arg.names("fields")[0].empty()) {
    return fault(arg, absl::StrCat("expected the name of ", what), usage);
  }
  return arg.names("fields")[0];
}

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

namespace {

using Kind = operators::GroupWindow::Kind;

// A window function's name, how it is written, and what its arguments behind the event time are;
// the last one of all but session() may be left out.
struct Signature {
  Kind kind;
  const char* usage;
  std::vector<const char*> spans;
};

const Signature* find_signature(const std::string& name) {
  static const std::vector<Signature> kSignatures = {
      {Kind::kTumble,
       "write tumble(t, event_time, INTERVAL '1 minute')",
       {"the window's size", "the window's offset"}},
      {Kind::kHop,
       "write hop(t, event_time, INTERVAL '10 seconds', INTERVAL '1 minute'): slide, then size",
       {"the window's slide", "the window's size", "the window's offset"}},
      {Kind::kCumulate,
       "write cumulate(t, event_time, INTERVAL '1 hour', INTERVAL '1 day'): step, then size",
       {"the window's step", "the window's size", "the window's offset"}},
      {Kind::kSession,
       "write session(t, event_time, INTERVAL '30 minutes'): the gap",
       {"the session's gap"}},
  };
  for (const Signature& signature : kSignatures) {
    if (operators::window_name(signature.kind) == name) return &signature;
  }
  return nullptr;
}

// No longer than that, so that window arithmetic stays within its 64 bits.
constexpr int64_t kSpanMaxUs = 1000 * 366 * kMicrosPerDay;
// A row is counted in all of its windows.
constexpr int64_t kWindowsOfARowMax = 10'000;

absl::Status check_steps(const Node& call, const Signature& signature, const WindowFrom& window) {
  if (window.step_us == 0) return absl::OkStatus();
  const auto args = call.list("args");
  if (window.step_us > window.size_us) {
    const bool hop = window.kind == Kind::kHop;
    return fault(args[2],
                 hop ? "the slide is longer than the size: some rows would be in no window"
                     : "the step is longer than the size",
                 signature.usage);
  }
  if (window.kind == Kind::kCumulate && window.size_us % window.step_us != 0) {
    return fault(args[3], "the size is not a multiple of the step", signature.usage);
  }
  if (window.size_us / window.step_us > kWindowsOfARowMax) {
    return fault(args[2],
                 absl::StrCat("each row would be in more than ", kWindowsOfARowMax, " windows"),
                 "make the steps longer or the windows shorter");
  }
  return absl::OkStatus();
}

// The arguments behind the event time.
absl::Status bind_spans(const Node& call, const Signature& signature, const SourceText& text,
                        WindowFrom* window) {
  const auto args = call.list("args");
  const bool stepped = window->kind == Kind::kHop || window->kind == Kind::kCumulate;
  const size_t size_at = stepped ? 3 : 2;
  for (size_t i = 2; i < args.size(); ++i) {
    const std::string what = signature.spans[i - 2];
    KAPPA_ASSIGN_OR_RETURN(const int64_t span,
                           constant_span_us(args[i], text, what, signature.usage));
    if (i > size_at) {
      const int64_t period = window->kind == Kind::kHop ? window->step_us : window->size_us;
      window->offset_us = ((span % period) + period) % period;
      continue;
    }
    if (span <= 0) return fault(args[i], what + " must be more than zero", signature.usage);
    if (span > kSpanMaxUs) return fault(args[i], what + " is more than a thousand years");
    (i == size_at ? window->size_us : window->step_us) = span;
  }
  return check_steps(call, signature, *window);
}

}  // namespace

absl::StatusOr<ExprRef> window_time_of(const Relation& relation, const Node& at) {
  return result_time(relation, at, {});
}

absl::StatusOr<BoundWindow> bind_window_function(const Node& call, const NestedQueries& queries,
                                                 const SourceText& text) {
  KAPPA_RETURN_IF_ERROR(expect_only(call, {{"funcname"}, {"args"}, {"funcformat"}}));
  const std::string name = call.names("funcname").back();
  const Signature* signature = find_signature(name);
  if (!signature) {
    return fault(call, absl::StrCat(name, "() cannot stand in FROM"),
                 "functions in FROM are tumble(), hop(), cumulate(), session() and apply_rules()");
  }
  const auto args = call.list("args");
  const size_t most = 2 + signature->spans.size();
  const size_t least = signature->kind == Kind::kSession ? most : most - 1;
  if (args.size() < least || args.size() > most) {
    const std::string takes =
        least == most ? absl::StrCat(most) : absl::StrCat(least, " or ", most);
    return fault(call, absl::StrCat(name, " takes ", takes, " arguments, found ", args.size()),
                 signature->usage);
  }
  BoundWindow bound;
  bound.window.kind = signature->kind;
  bound.window.node = &call;
  KAPPA_ASSIGN_OR_RETURN(const std::string table,
                         bare_name(args[0], "a table or view", signature->usage));
  KAPPA_ASSIGN_OR_RETURN(bound.relation, queries.find(args[0], table));
  KAPPA_ASSIGN_OR_RETURN(bound.window.event_time,
                         bind_event_time(*bound.relation, args[1], signature->usage, text));
  KAPPA_RETURN_IF_ERROR(bind_spans(call, *signature, text, &bound.window));
  return bound;
}

}  // namespace kappa::sql
