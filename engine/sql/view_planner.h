#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/sql/from_clause.h"
#include "engine/sql/parser/tree.h"
#include "engine/sql/plan_builder.h"
#include "engine/sql/product_catalog.h"
#include "engine/sql/relation.h"
#include "engine/sql/select.h"
#include "engine/sql/source_text.h"

namespace kappa::sql {

// How a view's groups are answered and kept.
struct Emission {
  operators::Emit emit = operators::Emit::kChanges;
  int64_t grace_us = 0;
  std::optional<int64_t> retention_us;
};

// Turns the SELECT of a view or an INSERT into plan nodes:
//
//   source or view → [Project what is used → Filter] → Project → [Aggregate → Project] → …
//                                                              → [[Reorder →] Sliding … → Project]
//
// A UNION ALL puts a Union over its branches.
class ViewPlanner {
 public:
  // All are borrowed. `where` ends the message that something is not supported: "in a view".
  ViewPlanner(const SourceText& text, const ProductCatalog& catalog, PlanBuilder& builder,
              Emission emission, std::string_view where)
      : text_(text), catalog_(catalog), builder_(builder), emission_(emission), where_(where) {}

  // The rows of the query. Their relation has no name. `with_hidden_key`: the key gets the columns
  // that it needs beside those of the SELECT: the branch of a union whose branches have a key; the
  // record that caused a row, for OVER with emit = 'final'.
  absl::StatusOr<Relation> plan(const Node& select, bool with_hidden_key);

  // What the planned query has, for judging options.
  bool all_windowed() const { return windows_ == selects_; }
  bool all_final() const { return windows_ + overs_ == selects_; }
  bool has_group() const { return groups_ > 0; }

 private:
  struct Branch {
    const Node* select = nullptr;
    FromClause from = {};
    BoundSelect bound = {};
  };

  absl::Status collect_selects(const Node& select, std::vector<const Node*>* selects) const;
  absl::StatusOr<Branch> bind_branch(const Node& select) const;
  absl::Status unify_branches(std::vector<Branch>& branches) const;
  absl::Status check_over(const Branch& branch) const;
  static void keep_roles(const Branch& branch, Relation* relation);
  absl::StatusOr<Relation> plan_branch(const Branch& branch, bool with_identity);
  absl::StatusOr<Relation> plan_union(const std::vector<Branch>& branches, bool with_branch);
  Relation plan_rows(const Branch& branch, operators::NodeId input);
  void find_key(const Branch& branch, Relation* relation) const;
  std::optional<std::vector<int>> common_key(const std::vector<Branch>& branches) const;
  absl::Status add_branch_column(const Branch& branch, int32_t ordinal, Relation* relation);

  const SourceText& text_;
  const ProductCatalog& catalog_;
  PlanBuilder& builder_;
  Emission emission_;
  std::string_view where_;
  int selects_ = 0;
  int groups_ = 0;
  int windows_ = 0;
  int overs_ = 0;
};

}  // namespace kappa::sql
