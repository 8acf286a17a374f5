#pragma once

#include "absl/status/statusor.h"
#include "engine/sql/parser/tree.h"
#include "engine/sql/source_text.h"
#include "operators/plan.h"

namespace kappa::sql {

// The frame of a WindowDef: RANGE BETWEEN INTERVAL '1 day' PRECEDING AND CURRENT ROW, or ROWS. Its
// bounds are constant, and it ends at the current row or before.
absl::StatusOr<operators::Frame> bind_frame(const Node& window, const Node& call,
                                            const SourceText& text);

}  // namespace kappa::sql
