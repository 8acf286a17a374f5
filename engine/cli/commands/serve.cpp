#include "engine/cli/commands/serve.h"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "engine/cli/stop_signal.h"

namespace kappa::cli {
namespace {

constexpr int64_t kLookMs = 200;  // how often the pipelines are looked after

void print_ready(const ServeOptions& options, Service& service) {
  if (options.output == OutputFormat::kJson) {
    nlohmann::ordered_json json;
    json["event"] = "ready";
    json["pid"] = getpid();
    json["data"] = options.service.deployment.data;
    json["log"] = service.deployment().chosen_log().address;
    json["grpc"] = service.grpc_address();
    json["http"] = service.http_address();
    for (const DeployedProduct& product : service.deployment().products()) {
      json["products"].push_back({{"name", product.name}, {"generation", product.live()->id}});
    }
    print(json.dump() + "\n");
    return;
  }
  std::string text =
      absl::StrCat("kappa serves ", options.service.deployment.data, " (process ", getpid(), ")\n");
  for (const DeployedProduct& product : service.deployment().products()) {
    absl::StrAppend(&text, "  product  ", product.name, ", generation ", product.live()->id, "\n");
  }
  const std::string& log = service.deployment().chosen_log().address;
  if (log != "embedded") absl::StrAppend(&text, "  log      ", log, "\n");
  absl::StrAppend(&text, "  gRPC     ", service.grpc_address(), "\n");
  if (!service.http_address().empty()) {
    absl::StrAppend(&text, "  HTTP     http://", service.http_address(), "/metrics\n");
  }
  print(text);
}

}  // namespace

int run_until_stopped(Service& service, StopSignal& signal) {
  absl::Status failure;
  while (failure.ok() && !signal.wait(kLookMs)) failure = service.failure();
  if (failure.ok()) note("kappa: stopping\n");
  const absl::Status stopped = service.stop();
  if (!failure.ok()) return report(failure);
  return stopped.ok() ? kExitOk : report(stopped);
}

int run_serve(const ServeOptions& options) {
  StopSignal signal;
  std::vector<ProductFiles> products;
  for (const std::string& directory : options.products) {
    auto product = read_product(directory);
    if (!product.ok()) {
      report(product.status());
      return kExitUsage;
    }
    products.push_back(*std::move(product));
  }
  const absl::Status log = check_log_choice(options.service.deployment.log);
  if (!log.ok()) {
    report(log);
    return kExitUsage;
  }
  const auto service = Service::start(options.service, products, signal);
  if (!service.ok()) return report(service.status());
  print_ready(options, **service);
  return run_until_stopped(**service, signal);
}

}  // namespace kappa::cli
