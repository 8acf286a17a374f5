#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/log/log.h"
#include "engine/runtime/pipeline.h"
#include "test/runtime/failing_store.h"

namespace kappa::runtime {

// A pipeline moved by hand over a store in memory: it can be killed and opened again.
class EngineRun {
 public:
  // Everything borrowed outlives this.
  EngineRun(const operators::Plan& plan, log::Log* log, std::string journal, Clock* clock,
            PipelineOptions options);

  absl::Status open();
  // As a crash would: what no checkpoint holds is lost. A store that failed is healed.
  absl::Status kill_and_open();
  Pipeline& pipeline() { return *pipeline_; }
  FailingStore& store() { return store_; }

  // What a query of one view sees.
  struct View {
    std::vector<std::string> lines;  // a row each ("1|NULL|x"), sorted
    Stamp stamp;
    Snapshot::Waiting waiting;
  };
  // Every row is also looked up by its key; a lookup that finds another row is an error.
  absl::StatusOr<View> view(const std::string& name);

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

// A record of a topic as it lies in the log.
struct PublishedRecord {
  std::string value;
  bool has_value = false;
  RecordHeaders headers;

  // Empty if there is none.
  std::string header(const std::string& name) const;
};

// All records of a topic, partition after partition; none if there is no such topic.
absl::StatusOr<std::vector<PublishedRecord>> read_topic(const log::Log& log,
                                                        const std::string& topic);

}  // namespace kappa::runtime
