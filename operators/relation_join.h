#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "operators/evaluator.h"
#include "operators/join_rows.h"
#include "operators/operator.h"

namespace kappa::operators {

// The join of two relations, inner or left, on one worker: it holds the rows of both sides whose
// join key falls to it, and keeps their pairs up to date by retractions and inserts.
//
// State: a table a side, see JoinRows. With `outer`, a left row counts its matches.
//
//   row comes or goes ─► rows of the other side with its join key ─► condition ─► a change a pair
//
//   outer, a left row's matches:  0 ─first comes─► − (left, NULLs)  + (left, right)
//                                 1 ─last goes───► − (left, right)  + (left, NULLs)
//
// The changes of one row come by the key of the other side's rows. A row whose join key is NULL in
// some column matches nothing and is not kept.
class RelationJoin final : public JoinOperator {
 public:
  RelationJoin(const Plan& plan, NodeId node);

  void process_both(const Batch& left, const Batch& right, const OperatorContext& context,
                    std::vector<Batch>* out) override;
  std::vector<state::Table*> tables() override;
  void restored(int64_t watermark_us) override;

 private:
  enum : size_t { kLeft = 0, kRight = 1 };
  struct Changes;

  // A batch's rows of one side, and in which bucket each is.
  void find(size_t side, const Batch& batch);
  void apply(size_t side, const Batch& batch, size_t row, Changes& changes);
  void add(size_t side, state::RowId row, state::RowId bucket, Changes& changes);
  void remove(size_t side, state::RowId row, state::RowId bucket, Changes& changes);
  // The rows of the other side that match one, in `matches_`.
  void match(size_t side, state::RowId row, state::RowId bucket, Changes& changes);
  void keep_those_that_meet_condition(size_t side, state::RowId row, Changes& changes);
  void change_link(size_t side, state::RowId row, state::RowId bucket, bool into);
  state::RowId first_of(size_t side, state::RowId bucket) const;
  bool key_is_null(size_t side, size_t row) const;
  void drop_empty_buckets();

  const PlanNode& node_;
  const RelationJoinNode& op_;
  size_t left_width_;
  std::array<std::unique_ptr<JoinRows>, 2> sides_;
  // By join key, where the chain of each side begins: row + 1, 0 if it has none.
  std::unique_ptr<state::Table> buckets_;
  std::optional<Evaluator> condition_;
  // Scratch of one process_both().
  std::array<std::vector<ColumnRef>, 2> keys_;
  std::array<std::vector<state::RowId>, 2> bucket_of_;  // by row of the batch
  std::vector<state::RowId> matches_;
};

}  // namespace kappa::operators
