#pragma once

#include <string>
#include <vector>

#include "engine/sql/catalog.h"
#include "operators/plan.h"

namespace kappa::sql {

// Compiles a read of one view of a plan: its columns of these names, all if there are none, of the
// rows for which a condition holds, all if it is empty. The query only scans, filters and projects.
// The condition is what may follow WHERE; what goes on behind it with ORDER BY, UNION and the like
// is refused. Faults have their place in it.
CompiledQuery compile_view_rows(const operators::Plan& plan, operators::NodeId view,
                                const std::vector<std::string>& columns, const SqlText& condition);

}  // namespace kappa::sql
