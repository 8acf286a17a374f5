#pragma once

#include <memory>
#include <string>

#include "engine/serve/server.h"
#include "kappa/v1/fraud.grpc.pb.h"
#include "test/pipeline/test_product.h"
#include "test/serve/test_server.h"

namespace kappa::serve {

// A small product with the views that FraudService needs, running, and a server for it. Declines
// from 500 on, looks at what is 100 or more, rejects what is 0 and can make nothing of 13.
class FraudProduct {
 public:
  explicit FraudProduct(runtime::PipelineOptions pipeline_options = {});
  ~FraudProduct();

  void start();
  ServedProduct served(uint32_t generation = 1, runtime::ViewReader* reader = nullptr);
  std::unique_ptr<v1::FraudService::Stub> stub() const;
  // An answer, or what the server said. With a token, if there is one.
  absl::StatusOr<v1::ScoreResponse> score(const v1::ScoreRequest& request,
                                          const std::string& token = "",
                                          int64_t timeout_ms = 60'000) const;
  absl::StatusOr<v1::GetScoreResponse> get_score(const v1::GetScoreRequest& request,
                                                 const std::string& token = "") const;

  TemporaryDirectory directory;
  test::TestProduct product;
  ServerOptions options = test_options();
  std::unique_ptr<Server> server;
};

// A request that is taken: of card "card-1" and customer "customer-1".
v1::ScoreRequest purchase(const std::string& id, const std::string& amount);

// Reads from another reader, but keeps who waits for a record waiting.
class StuckReader final : public runtime::ViewReader {
 public:
  explicit StuckReader(runtime::ViewReader* reader) : reader_(*reader) {}

  const operators::Plan& plan() const override { return reader_.plan(); }
  void get(operators::NodeId view, std::vector<Row> keys,
           std::function<void(absl::StatusOr<Rows>)> done) override {
    reader_.get(view, std::move(keys), std::move(done));
  }
  void get_after(After after, operators::NodeId view, std::vector<Row> keys,
                 std::function<void(absl::StatusOr<Rows>)> done) override;
  void stamp_now(std::vector<operators::NodeId> nodes,
                 std::function<void(absl::StatusOr<runtime::Stamp>)> done) override {
    reader_.stamp_now(std::move(nodes), std::move(done));
  }
  absl::StatusOr<std::unique_ptr<runtime::Snapshot>> pin(std::vector<operators::NodeId> views,
                                                         runtime::Deadline deadline) override {
    return reader_.pin(std::move(views), deadline);
  }
  size_t stuck() const;
  // Answers all with an error.
  void drop(const absl::Status& why);

 private:
  runtime::ViewReader& reader_;
  mutable std::mutex mutex_;
  std::vector<std::function<void(absl::StatusOr<Rows>)>> stuck_;
};

}  // namespace kappa::serve
