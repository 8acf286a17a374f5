#pragma once

#include <string>

#include "absl/status/status.h"
#include "engine/sql/parser/tree.h"
#include "engine/sql/plan_builder.h"
#include "engine/sql/product_catalog.h"
#include "engine/sql/source_text.h"
#include "schemas/decoder.h"

namespace kappa::sql {

// What the statements of a product are compiled into. All are borrowed.
struct ProductContext {
  const SourceText& text;              // that the statement stands in
  const schemas::ProductFiles& files;  // the product's, by path
  ProductCatalog& catalog;
  PlanBuilder& builder;
  int statement;                        // its index in the plan
  std::map<int, std::set<int>>& feeds;  // source → the sinks that its records reach
};

// CREATE FOREIGN TABLE … SERVER log: a source, or an output topic.
absl::Status compile_foreign_table(const Node& statement, ProductContext& context);
// CREATE MATERIALIZED VIEW.
absl::Status compile_view(const Node& statement, ProductContext& context);
// INSERT INTO an output topic SELECT.
absl::Status compile_insert(const Node& statement, ProductContext& context);

}  // namespace kappa::sql
