#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "engine/log/log.h"
#include "engine/runtime/patience.h"
#include "engine/runtime/pipeline.h"
#include "replay/changed_outputs.h"
#include "replay/logic_change.h"

namespace kappa::replay {

// Tables of mode 'upsert' hold a relation by key: the last record of each key in their topic is its
// row. When a generation takes the place of another one, its rows there may be others. It then says
// what is different before the order goes on:
//
//   by the former logic   by the later one   leaves
//   none, or a row        another row        the row's payload, under its key
//   a row                 the same           nothing
//   a row                 none               a tombstone
//
// What rows a generation has there, it is asked: those of the view that the INSERT reads, through
// its filters and projections. If the former logic does not write the topic, or its rows are kept
// nowhere, the topic itself is read. What an append-only view has forgotten, its topic keeps.

// A generation that stands at the place of the swap.
struct Standing {
  Logic logic;
  runtime::Pipeline& pipeline;
};

// How topics are read, where that is needed.
struct TopicAccess {
  const log::Log& log;
  const runtime::Patience& patience;
};

// What the later one has to say, output by output in the order of its plan, each in the order of
// keys' bytes. Of the former relation, keys and hashes of payloads are held in memory, one output
// after the other; of the later one, what is different. Nothing that the former one has caused is
// still to be published. `outputs` are changed_outputs() that check_readable() lets pass.
//
// Unavailable, DeadlineExceeded: a pipeline, or the log, does not answer (in time).
absl::StatusOr<std::vector<runtime::OutputRecord>> difference(
    const std::vector<ChangedOutput>& outputs, const Standing& before, const Standing& after,
    const TopicAccess& topics, runtime::Deadline deadline);

}  // namespace kappa::replay
