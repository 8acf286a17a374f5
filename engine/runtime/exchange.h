#pragma once

#include <cstdint>
#include <memory>
#include <span>
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

// What one worker has dealt out to one receiver for one node, in a turn: batches, each ascending by
// place and tie. Its memory is used again in later turns.
class SentRows {
 public:
  // Forgets them. The receiver is done with them, and so is everybody to whom it gave columns.
  void clear() { used_ = 0; }
  std::span<const Batch> batches() const { return std::span(batches_).first(used_); }

  // The whole batch, sharing its columns.
  void share(const Batch& batch, std::span<const uint64_t> key_hashes);
  // Copies of the rows `picked`, which are ascending. They become part of the last batch if they
  // come after it, or if the receiver takes `any_order`.
  void append(const Batch& batch, std::span<const uint64_t> key_hashes,
              std::span<const uint32_t> picked, bool any_order);

 private:
  size_t add_batch();
  void add_columns(size_t index, const Batch& like);

  std::vector<Batch> batches_;  // those from used_ on are kept for their memory
  std::vector<std::vector<std::shared_ptr<Column>>> columns_;  // of copies, to go on with
  size_t used_ = 0;
};

// Deals rows out to workers by the key group of their key. Each worker has its own, which keeps the
// memory that it needs on the way.
class Dealer {
 public:
  // Adds the rows of a node's batches that are worker w's to (*sent)[w]. With `any_order` the
  // receiver does not care, and rows are not numbered. Ties are put into `arena`.
  void deal_out(const std::vector<Batch>& batches, const std::vector<int>& key, bool any_order,
                Arena& arena, std::vector<SentRows>* sent);

 private:
  void split_by_key(const Batch& batch, const std::vector<int>& key, bool any_order,
                    std::vector<SentRows>* sent);
  void pick(uint32_t workers);

  std::vector<ColumnRef> key_columns_;
  std::vector<uint64_t> hashes_;
  std::vector<std::vector<uint32_t>> picked_;  // by worker
};

// Rows of different branches of a union that one record or one timer's row caused come in the order
// of the branches, whatever numbers and marks they have from before. That is seen where they are on
// one worker; this says it in their ties.
Batch mark_branch(const Batch& batch, uint16_t branch, Arena& arena);

}  // namespace kappa::runtime
