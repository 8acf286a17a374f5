#pragma once

#include <atomic>
#include <memory>

#include "engine/log/log.h"
#include "engine/serve/append_group.h"
#include "engine/serve/cursors.h"
#include "engine/serve/gate.h"
#include "engine/serve/limits.h"
#include "engine/serve/metrics.h"
#include "engine/serve/product.h"
#include "engine/serve/pseudonyms.h"
#include "engine/serve/sync_group.h"
#include "engine/serve/worker_pool.h"

namespace grpc {
class Service;
}

namespace kappa::serve {

// What the services stand on. Owned by the server, which outlives them; everything in it is
// thread-safe.
struct Backend {
  Products& products;
  log::Log& log;
  const Clock& clock;
  const ServerLimits& limits;
  const Gate& gate;
  Metrics& metrics;
  Cursors& cursors;
  const Pseudonyms& pseudonyms;
  SyncGroup& syncs;
  AppendGroup& appends;
  WorkerPool& queries;      // what may take seconds: Sql, Scan, steps of Export, Inspect, swaps
  WorkerPool& short_tasks;  // what takes milliseconds: steps of ReadTopic, answers of MultiGet
  std::atomic<size_t>& streams_open;
  std::atomic<size_t>& exports_open;
  std::string version;
};

std::unique_ptr<grpc::Service> make_query_service(const Backend& backend);
std::unique_ptr<grpc::Service> make_ingest_service(const Backend& backend);
std::unique_ptr<grpc::Service> make_admin_service(const Backend& backend);
std::unique_ptr<grpc::Service> make_replay_service(const Backend& backend);
std::unique_ptr<grpc::Service> make_fraud_service(const Backend& backend);
std::unique_ptr<grpc::Service> make_sales_service(const Backend& backend);

}  // namespace kappa::serve
