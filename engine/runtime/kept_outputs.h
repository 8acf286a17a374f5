#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/log/outbox_publisher.h"
#include "operators/plan.h"
#include "state/checkpoint.h"

namespace kappa::runtime {

// Rows of final outputs that a follower keeps: those that it has to say if it comes to lead,
// because the leader will not have said them by then. They are stored with the state that caused
// them, and have no number of the outbox until they leave.
//
//   kept ─below what the leader has said─► dropped
//     └───────────take()─► the outbox
//
// The coordinator's.
class KeptOutputs {
 public:
  // `nth`: its number among the rows of its output; grows.
  void keep(operators::NodeId output, int64_t event_time_us, uint64_t nth,
            const log::OutboxRecord& record);
  // Rows of this output below are the leader's for good.
  void drop_below(operators::NodeId output, int64_t event_time_us);
  // All that is kept of an output from there on, by event time. A checkpoint must have been written
  // since the last keep().
  absl::StatusOr<std::vector<log::OutboxRecord>> read(const state::CheckpointStore& store,
                                                      operators::NodeId output,
                                                      int64_t from_us) const;
  void drop_all();
  // What has changed since the last call, for a checkpoint.
  state::KeptChanges take_unsaved();

 private:
  std::map<std::string, log::OutboxRecord> unsaved_;  // by key
  struct Dropped {
    int64_t to_us;         // rows below
    int64_t stored_to_us;  // of which a checkpoint has told the store
  };
  std::map<operators::NodeId, Dropped> dropped_;  // by output
  bool all_dropped_ = false;                      // since the last checkpoint
};

}  // namespace kappa::runtime
