#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/log/log.h"
#include "engine/runtime/pipeline.h"
#include "test/runtime/compare.h"
#include "test/runtime/failing_store.h"
#include "test/runtime/model/dice.h"

namespace kappa::runtime {

// 1, 2 or 4 workers, epochs of 1, 7 or 4096 records.
PipelineOptions random_options(model::Dice& dice);

// The topics of the sources that some statement reads. A pipeline takes no others' records.
std::set<std::string> read_topics(const operators::Plan& plan);

// A pipeline over a store in memory: it can be killed and opened again.
class EngineRun {
 public:
  // Everything borrowed outlives this.
  EngineRun(const operators::Plan& plan, log::Log* log, std::string journal, Clock* clock,
            PipelineOptions options);

  absl::Status open();
  // As a crash would: what no checkpoint holds is lost. A store that failed is healed.
  absl::Status kill_and_open();
  // For the next time it is opened.
  void set_options(PipelineOptions options) { options_ = std::move(options); }
  Pipeline& pipeline() { return *pipeline_; }
  FailingStore& store() { return store_; }

  // Every row is also looked up by its key; a lookup that finds another row is an error.
  absl::StatusOr<SeenView> view(const std::string& name);

 private:
  absl::Status check_points(operators::NodeId view, const std::vector<Row>& rows);

  const operators::Plan& plan_;
  log::Log* log_;
  std::string journal_;
  Clock* clock_;
  PipelineOptions options_;
  FailingStore store_;
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace kappa::runtime
