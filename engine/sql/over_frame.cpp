#include "engine/sql/over_frame.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/sql/coercion.h"
#include "engine/sql/expression_binder.h"
#include "engine/sql/fault.h"
#include "engine/sql/window_function.h"
#include "engine/types/status_macros.h"

namespace kappa::sql {

using operators::ExprRef;
using operators::Frame;

namespace {

// PostgreSQL's FRAMEOPTION_… bits.
constexpr uint32_t kNonDefault = 0x00001;
constexpr uint32_t kRows = 0x00004;
constexpr uint32_t kGroups = 0x00008;
constexpr uint32_t kStartUnboundedPreceding = 0x00020;
constexpr uint32_t kEndUnboundedPreceding = 0x00040;
constexpr uint32_t kStartUnboundedFollowing = 0x00080;
constexpr uint32_t kEndUnboundedFollowing = 0x00100;
constexpr uint32_t kStartPreceding = 0x00800;
constexpr uint32_t kEndPreceding = 0x01000;
constexpr uint32_t kStartFollowing = 0x02000;
constexpr uint32_t kEndFollowing = 0x04000;
constexpr uint32_t kExclude = 0x08000 | 0x10000 | 0x20000;

constexpr char kUsage[] =
    "write RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW, or ROWS BETWEEN 10 "
    "PRECEDING AND CURRENT ROW";

uint32_t frame_options(const Node& window) {
  uint32_t options = 0;
  return absl::SimpleAtoi(std::string(window.text("frameOptions")), &options) ? options : 0;
}

absl::Status check_options(uint32_t options, const Node& at) {
  const auto refuse = [&](const char* what) {
    return fault(at, absl::StrCat("a frame with ", what, " is not supported yet"), kUsage);
  };
  if ((options & kNonDefault) == 0) {
    return fault(at, "OVER needs a frame: without one it begins at UNBOUNDED PRECEDING", kUsage);
  }
  if (options & kGroups) return refuse("GROUPS");
  if (options & kExclude) return refuse("EXCLUDE");
  if (options & (kStartUnboundedPreceding | kEndUnboundedPreceding)) {
    return refuse("UNBOUNDED PRECEDING");
  }
  constexpr uint32_t kAnyFollowing =
      kStartUnboundedFollowing | kEndUnboundedFollowing | kStartFollowing | kEndFollowing;
  if (options & kAnyFollowing) return refuse("FOLLOWING");
  return absl::OkStatus();
}

absl::StatusOr<int64_t> constant_rows(const Node& node, const SourceText& text) {
  const Scope nothing;
  const ExpressionBinder binder(text, nothing, "a frame");
  KAPPA_ASSIGN_OR_RETURN(const Operand operand, binder.bind_operand(node));
  if (!operand.untyped() && !operand.expr->type.is_integer()) {
    return fault(node,
                 absl::StrCat("ROWS takes a whole number, found ", to_string(operand.expr->type)),
                 kUsage);
  }
  KAPPA_ASSIGN_OR_RETURN(const ExprRef rows, coerce(operand, Type::bigint()));
  if (rows->kind != operators::ExprKind::kConstant || rows->constant.is_null()) {
    return fault(node, "ROWS takes a constant number", kUsage);
  }
  return std::get<int64_t>(rows->constant.data);
}

// An offset of the frame: microseconds or rows before the current row.
absl::StatusOr<int64_t> bind_bound(const Node& node, Frame::Unit unit, const SourceText& text) {
  KAPPA_ASSIGN_OR_RETURN(const int64_t bound,
                         unit == Frame::Unit::kRows
                             ? constant_rows(node, text)
                             : constant_span_us(node, text, "the frame's bound", kUsage));
  if (bound < 0) return fault(node, "a frame's bound must not be negative", kUsage);
  return bound;
}

}  // namespace

absl::StatusOr<Frame> bind_frame(const Node& window, const Node& call, const SourceText& text) {
  const uint32_t options = frame_options(window);
  const Node& at = window.has("startOffset") ? *window.child("startOffset") : call;
  KAPPA_RETURN_IF_ERROR(check_options(options, at));
  Frame frame;
  if (options & kRows) frame.unit = Frame::Unit::kRows;
  if (options & kStartPreceding) {
    KAPPA_ASSIGN_OR_RETURN(frame.start, bind_bound(*window.child("startOffset"), frame.unit, text));
  }
  if (options & kEndPreceding) {
    const Node& end = *window.child("endOffset");
    KAPPA_ASSIGN_OR_RETURN(frame.end, bind_bound(end, frame.unit, text));
    if (frame.end > frame.start) {
      return fault(end, "the frame ends before it begins", "put the earlier bound first");
    }
  }
  return frame;
}

}  // namespace kappa::sql
