#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "absl/container/btree_set.h"
#include "operators/operator.h"
#include "operators/ranked_rows.h"
#include "operators/row_changes.h"

namespace kappa::operators {

// ROW_NUMBER() … <= n on one worker: the first n rows of each key that falls to it, as changes. See
// TopOne for one row a key of append-only input.
//
//   row arrives ─► takes its place ─► among the first n? ─yes─► the n-th before goes, it comes
//   row is taken back ─► was among the first n? ─yes─► it goes, the next behind comes
//
// If the rows are numbered, each row whose number changes goes with the old one and comes with the
// new one, number by number; so no number of a key is there twice at any place.
//
// Of append-only input no row comes back: what is behind the first n is let go for ever. A row that
// is taken back is the last of those equal to it in all columns.
class TopN final : public Operator {
 public:
  TopN(const Plan& plan, NodeId node);

  void process(const Batch& input, const OperatorContext& context,
               std::vector<Batch>* out) override;
  std::vector<state::Table*> tables() override { return {&rows_.table()}; }
  void restored(int64_t watermark_us) override;

 private:
  struct Before {
    const RankedRows* rows;
    bool operator()(state::RowId a, state::RowId b) const { return rows->before(a, b); }
  };
  using Rest = absl::btree_set<state::RowId, Before>;
  // The rows of a key in order: the first n, and those behind.
  struct Ranking {
    std::vector<state::RowId> top;
    std::unique_ptr<Rest> rest;
    state::RowId key = state::kNoRow;  // in rankings_of_
  };

  std::vector<size_t> find_rankings(std::vector<ColumnRef> key, size_t rows);
  // The rows that may change something.
  std::vector<uint32_t> candidates(const Batch& input, const std::vector<size_t>& rankings) const;
  void insert(Ranking& ranking, size_t row, RowChanges& changes);
  void put_behind(Ranking& ranking, state::RowId id);
  void remove(Ranking& ranking, size_t row, RowChanges& changes);
  void drop_if_empty(size_t ranking);
  // Gives out that row `before` has made way for row `after` at index `at`; each may be kNoRow.
  void change(state::RowId before, state::RowId after, size_t at, size_t row, RowChanges& changes);

  const PlanNode& node_;
  const TopNNode& op_;
  const size_t limit_;
  const bool bounded_;  // the input is append-only
  RankedRows rows_;

  std::unique_ptr<state::Table> rankings_of_;  // key → index into rankings_
  std::vector<Ranking> rankings_;
  std::vector<size_t> spare_;  // indexes that no key has
};

}  // namespace kappa::operators
