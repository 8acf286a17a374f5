#include "replay/recompute.h"

#include <cstdint>

#include "engine/types/status_macros.h"

namespace kappa::replay {

absl::StatusOr<std::unique_ptr<runtime::Pipeline>> recompute(
    operators::Plan plan, schemas::ProductFiles files, log::Log* log, state::StateStore* store,
    const std::string& journal_path, Clock* clock, runtime::PipelineOptions options) {
  options.follow_only = true;
  options.mute_outputs = true;
  KAPPA_ASSIGN_OR_RETURN(auto pipeline,
                         runtime::Pipeline::open(std::move(plan), std::move(files), log, store,
                                                 journal_path, clock, std::move(options)));
  KAPPA_RETURN_IF_ERROR(pipeline->follow(UINT64_MAX));
  return pipeline;
}

}  // namespace kappa::replay
