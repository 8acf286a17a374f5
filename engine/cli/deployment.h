#pragma once

#include <functional>
#include <memory>
#include <mutex>
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
#include "replay/generations.h"
#include "state/data_directory.h"

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

// A product that runs, or could.
struct DeployedProduct {
  std::string name;
  std::unique_ptr<log::OutboxPublisher> outbox;
  std::unique_ptr<replay::Generations> generations;

  std::shared_ptr<replay::Generation> live() const { return generations->live(); }
};

// What runs in one data directory: the log, the catalogue, the generations of each product.
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
  // journal. Topics that its plan needs and the log does not have are made. `live_only`: not the
  // generations that replay or follow.
  absl::Status open_products(bool live_only);
  // Told of each product that another generation serves from now on; any thread. Before start().
  void on_live(std::function<void(serve::ServedProduct)> tell) { tell_live_ = std::move(tell); }
  absl::Status start();
  // Lets operations on generations end soon: before whoever waits for them is stopped.
  void interrupt();
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
  absl::Status open_product(const state::ProductInfo& info, bool live_only);
  absl::Status save(const state::ProductInfo& info);
  serve::ServedProduct served(const std::string& name, replay::Generations* generations,
                              const std::shared_ptr<replay::Generation>& live);
  absl::Status make_topics(const operators::Plan& plan);

  DeploymentOptions options_;
  SystemClock clock_;
  std::unique_ptr<state::DataDirectory> directory_;
  ChosenLog log_;
  std::mutex catalogue_mutex_;  // of writing, once products run
  state::Catalogue catalogue_;
  std::function<void(serve::ServedProduct)> tell_live_;
  std::vector<DeployedProduct> products_;
  bool started_ = false;
};

// The last line of a canonical dump: its checksum.
std::string checksum_of_dump(const std::string& dump);

}  // namespace kappa::cli
