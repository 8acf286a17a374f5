#pragma once

#include <memory>

#include "engine/sql/scope.h"
#include "operators/rules.h"

namespace kappa::sql {

// Compiles conditions over the columns of a scope: whatever can stand in a WHERE, but for models,
// whose files a rule could not name as part of the logic.
std::shared_ptr<const operators::RuleCompiler> make_rule_compiler(Scope scope);

}  // namespace kappa::sql
