#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/cli/log_choice.h"
#include "engine/cli/product_files.h"
#include "engine/log/embedded/embedded_log.h"
#include "engine/runtime/pipeline.h"
#include "engine/serve/product.h"
#include "engine/types/clock.h"
#include "state/data_directory.h"
#include "state/generation.h"

namespace kappa::cli {

struct DeploymentOptions {
  std::string data = "./kappa-data";
  std::string command;  // that takes the data directory: "kappa serve"
  uint32_t workers = 1;
  int32_t partitions = 4;  // of topics that have to be made for sources
  int64_t checkpoint_interval_ms = 1000;
  LogChoice log;
  log::Fsync fsync = log::Fsync::kOnSync;  // of the embedded log
};

// A product that runs, or could: its state and its pipeline.
struct DeployedProduct {
  std::string name;
  uint32_t generation = 1;
  schemas::ProductFiles files;
  std::unique_ptr<state::StateStore> store;
  std::unique_ptr<log::OutboxPublisher> outbox;  // nullptr: the pipeline's own
  std::unique_ptr<runtime::Pipeline> pipeline;
};

// What runs in one data directory: the log, the catalogue, a pipeline for each product.
// This is where the engine is put together.
//
//   open ─apply()…─► applied ─open_products()─► opened ─start()─► running ─stop()─► stopped
//
// Opening takes the directory's lock and recovers the log. Destroying it in any state but stopped
// leaves what a crash would leave. One thread.
class Deployment {
 public:
  // Unavailable: another process has the directory; the message names it and the flag.
  static absl::StatusOr<std::unique_ptr<Deployment>> open(DeploymentOptions options);
  ~Deployment();

  // Takes a product into the catalogue if it is not there yet. If it is there with other files,
  // what the catalogue holds stays in force and a line that says so is appended to `notices`.
  // InvalidArgument: the product is faulty; everything that is wrong with it.
  absl::Status apply(const ProductFiles& product, std::vector<std::string>* notices);
  // Opens every product of the catalogue: its last checkpoint, then what came after it in the
  // journal. Topics that its plan needs and the log does not have are made.
  absl::Status open_products();
  absl::Status start();
  // Ends every pipeline after its present epoch, with a checkpoint.
  absl::Status stop();

  state::DataDirectory& directory() { return *directory_; }
  log::Log& log() { return *log_.log; }
  const ChosenLog& chosen_log() const { return log_; }
  const Clock& clock() const { return clock_; }
  const state::Catalogue& catalogue() const { return catalogue_; }
  std::vector<DeployedProduct>& products() { return products_; }
  // The product of that name; with an empty name, the only one there is.
  absl::StatusOr<DeployedProduct*> find(const std::string& name);
  // As the server wants them. This outlives the server.
  std::vector<serve::ServedProduct> served();
  // Why a pipeline has stopped by itself, if one has.
  absl::Status failure() const;

 private:
  explicit Deployment(DeploymentOptions options) : options_(std::move(options)) {}
  absl::Status open_product(const state::ProductInfo& info);
  absl::Status make_topics(const operators::Plan& plan);

  DeploymentOptions options_;
  SystemClock clock_;
  std::unique_ptr<state::DataDirectory> directory_;
  ChosenLog log_;
  state::Catalogue catalogue_;
  std::vector<DeployedProduct> products_;
  bool started_ = false;
};

// The last line of a canonical dump: its checksum.
std::string checksum_of_dump(const std::string& dump);

}  // namespace kappa::cli
