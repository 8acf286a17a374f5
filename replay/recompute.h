#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/log/log.h"
#include "engine/runtime/pipeline.h"
#include "engine/types/clock.h"
#include "operators/plan.h"
#include "schemas/decoder.h"
#include "state/store.h"

namespace kappa::replay {

// A product recomputed from its log into a fresh store: a pipeline of the plan that has followed
// the whole order journal, written nothing to it, and published nothing. Its canonical dump equals
// that of any other pipeline of the plan at the journal's end.
//
// What is borrowed outlives the pipeline; the journal may belong to a running one, in which case
// its end is where it was when it was reached. DataLoss: the log no longer holds what the journal
// names.
absl::StatusOr<std::unique_ptr<runtime::Pipeline>> recompute(
    operators::Plan plan, schemas::ProductFiles files, log::Log* log, state::StateStore* store,
    const std::string& journal_path, Clock* clock, runtime::PipelineOptions options);

}  // namespace kappa::replay
