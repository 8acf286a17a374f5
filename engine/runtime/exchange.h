#pragma once

#include <cstdint>
#include <vector>

#include "engine/types/arena.h"
#include "engine/types/batch.h"

// Rows on their way from worker to worker.
//
// One record may cause several rows (the old and the new row of a key, a row for each branch of a
// union), and they may go to different workers. So that they come together again in the order in
// which one worker would have made them, an exchange numbers rows of one place before it parts
// them: the number is put behind the row's tie, which goes with everything that comes of the row.
// Rows that have a place and a tie in common are therefore always on one worker.
namespace kappa::runtime {

// Puts batches, each ascending by place and tie, together into one that is. Rows that have both in
// common: in the order of the batches, which is that of the operator's inputs.
Batch merge_batches(const std::vector<const Batch*>& batches);

// Deals the rows of a node's batches out to workers by the key group of their key: appends worker
// w's rows, in order, to (*parts)[w], if it gets any. With `any_order` the receiver does not care,
// and rows are not numbered. Ties are put into `arena`.
void deal_out(const std::vector<Batch>& batches, const std::vector<int>& key, bool any_order,
              Arena& arena, std::vector<std::vector<Batch>>* parts);

// Rows of different branches of a union that one record or one timer's row caused come in the order
// of the branches, whatever numbers and marks they have from before. That is seen where they are on
// one worker; this says it in their ties.
Batch mark_branch(const Batch& batch, uint16_t branch, Arena& arena);

}  // namespace kappa::runtime
