#include "engine/cli/service.h"

#include <algorithm>
#include <chrono>
#include <future>

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "engine/cli/commands/version.h"
#include "engine/cli/terminal.h"
#include "engine/serve/address.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {
namespace {

constexpr int64_t kStartLookMs = 20;

absl::StatusOr<std::string> with_port(const std::string& text, uint16_t port) {
  KAPPA_ASSIGN_OR_RETURN(serve::Address address, serve::parse_address(text));
  address.port = port;
  return address.text();
}

bool has_decisions(const std::vector<DeployedProduct>& products) {
  return std::any_of(products.begin(), products.end(), [](const DeployedProduct& product) {
    return product.live()->pipeline->plan().find_view("decisions") != operators::kNoNode;
  });
}

void tell(const std::string& line) {
  note(absl::StrCat("kappa: ", line, "\n"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Service>> Service::start(const ServiceOptions& options,
                                                        const std::vector<ProductFiles>& products) {
  std::unique_ptr<Service> service(new Service());
  KAPPA_RETURN_IF_ERROR(service->run(options, products));
  return service;
}

absl::StatusOr<std::unique_ptr<Service>> Service::start(const ServiceOptions& options,
                                                        const std::vector<ProductFiles>& products,
                                                        StopSignal& signal) {
  // On a thread of its own: librdkafka and a long restore have waits of many seconds in them.
  auto starting = std::async(std::launch::async, [&] { return start(options, products); });
  while (starting.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    if (!signal.wait(kStartLookMs)) continue;
    note("kappa: stopping\n");
    _exit(kExitOk);
  }
  return starting.get();
}

Service::~Service() {
  // The server reads from the pipelines, so it goes first.
  server_.reset();
}

absl::Status Service::run(const ServiceOptions& options,
                          const std::vector<ProductFiles>& products) {
  KAPPA_ASSIGN_OR_RETURN(deployment_, Deployment::open(options.deployment));
  for (const log::CutTail& tail : deployment_->chosen_log().cut_tails) {
    tell(absl::StrCat("topic ", tail.partition.topic, " partition ", tail.partition.partition,
                      ": cut ", tail.bytes, " bytes that a crash left behind offset ",
                      tail.end.value, " (", tail.what, ")"));
  }
  std::vector<std::string> notices;
  for (const ProductFiles& product : products) {
    KAPPA_RETURN_IF_ERROR(deployment_->apply(product, &notices));
  }
  for (const std::string& notice : notices) tell(notice);
  if (deployment_->catalogue().products().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is nothing to run in ", options.deployment.data,
                     " yet; name a product's directory with --product"));
  }
  // It listens while it restores, so that probes see it live and not ready, and so that a port that
  // is taken is told before the work.
  KAPPA_RETURN_IF_ERROR(listen(options));
  KAPPA_RETURN_IF_ERROR(deployment_->open_products(/*live_only=*/false));
  deployment_->on_live(
      [this](serve::ServedProduct product) { server_->set_product(std::move(product)); });
  KAPPA_RETURN_IF_ERROR(deployment_->start());
  for (serve::ServedProduct& product : deployment_->served()) {
    server_->set_product(std::move(product));
  }
  if (options.pseudonym_key_file.empty() && !options.raw_ids &&
      has_decisions(deployment_->products())) {
    tell(
        "pseudonyms of cards and customers are made with a random key and change with every start; "
        "--pseudonym-key keeps them");
  }
  return deployment_->directory().publish_address(grpc_address());
}

absl::Status Service::listen(const ServiceOptions& options) {
  serve::ServerOptions server;
  server.listen = options.listen;
  server.http_listen = options.http;
  server.insecure = options.insecure;
  server.tls = options.tls;
  server.tokens_file = options.tokens_file;
  server.pseudonym_key_file = options.pseudonym_key_file;
  server.raw_ids = options.raw_ids;
  server.version = version();
  server.http_listen_flag = "--http";
  std::vector<serve::ServedProduct> restoring;
  for (const state::ProductInfo& info : deployment_->catalogue().products()) {
    serve::ServedProduct product;
    product.name = info.name;
    product.generation = info.live_generation;
    restoring.push_back(std::move(product));
  }
  KAPPA_ASSIGN_OR_RETURN(server_, serve::Server::start(std::move(server), std::move(restoring),
                                                       &deployment_->log(), &deployment_->clock()));
  KAPPA_ASSIGN_OR_RETURN(listen_, with_port(options.listen, server_->port()));
  if (!options.http.empty()) {
    KAPPA_ASSIGN_OR_RETURN(http_, with_port(options.http, server_->http_port()));
  }
  return absl::OkStatus();
}

std::string Service::grpc_address() const {
  return listen_;
}
std::string Service::http_address() const {
  return http_;
}

absl::Status Service::stop() {
  server_->drain();
  deployment_->interrupt();
  server_->stop();  // first: a pipeline that has stopped takes no turns between which to read
  return deployment_->stop();
}

}  // namespace kappa::cli
