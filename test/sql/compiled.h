#pragma once

#include <string>
#include <vector>

#include "engine/sql/catalog.h"
#include "engine/sql/query.h"
#include "schemas/decoder.h"

namespace kappa::sql {

using Lines = std::vector<std::string>;

// The plan of a product of one file; its statements must be right.
operators::Plan plan_of(const std::string& sql, const schemas::ProductFiles& files = {});
// What is wrong with a product, one line a fault: "1:8: message" or "1:8: message; hint".
Lines faults_of(const std::string& sql, const schemas::ProductFiles& files = {});
// A plan, one line a node: "3 <- 2: describe() => name type, …", with " changelog" and
// " event_time #1" where they hold. Sources are named with their columns only.
Lines lines_of(const operators::Plan& plan);

// A query over a plan as an indented tree, a line a node; it must be right.
Lines query_lines(const std::string& sql, const operators::Plan& plan);
// What is wrong with a query.
Lines query_faults(const std::string& sql, const operators::Plan& plan);
// The expression of SELECT <expression> FROM a table of one column of each type: text(), as
// describe() writes it.
std::string expression(const std::string& text);
// What is wrong with it; columns count from its start.
Lines expression_faults(const std::string& text);

}  // namespace kappa::sql
