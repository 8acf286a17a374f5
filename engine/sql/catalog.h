#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/sql/diagnostic.h"
#include "operators/plan.h"
#include "schemas/decoder.h"

namespace kappa::sql {

// One SQL file of a product, or one text typed by a user.
struct SqlText {
  std::string file;  // as errors name it: "product.sql"
  std::string text;
};

struct CompiledPlan {
  operators::Plan plan;                 // meaningful only if there is no error
  std::vector<Diagnostic> diagnostics;  // every faulty statement of every file, in order
  bool ok() const { return diagnostics.empty(); }
};

// Compiles a product's statements, in order, into one plan. A statement that refers to a faulty
// one is not reported again. `files` are the product's by path: its .proto files and its models,
// models/NAME.json.
CompiledPlan compile_product(const std::vector<SqlText>& texts, const schemas::ProductFiles& files);

// A read: SELECT over views, with its own little tree (engine/sql/query.h).
struct BoundQuery;
// Compiles one SELECT over the views of the plans of a product. Faults come as diagnostics.
struct CompiledQuery {
  std::shared_ptr<const BoundQuery> query;
  std::vector<Diagnostic> diagnostics;
  bool ok() const { return diagnostics.empty(); }
};
CompiledQuery compile_query(const SqlText& text, const operators::Plan& plan);

}  // namespace kappa::sql
