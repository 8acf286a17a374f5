#include "engine/runtime/pipeline.h"

#include "engine/runtime/live_pipeline.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {

absl::StatusOr<std::unique_ptr<Pipeline>> Pipeline::open(operators::Plan plan,
                                                         schemas::ProductFiles files, log::Log* log,
                                                         state::StateStore* store,
                                                         const std::string& journal_path,
                                                         Clock* clock, PipelineOptions options) {
  auto pipeline = std::make_unique<LivePipeline>(std::move(plan), std::move(files), log, store,
                                                 clock, std::move(options));
  KAPPA_RETURN_IF_ERROR(pipeline->open_at(journal_path));
  return pipeline;
}

}  // namespace kappa::runtime
