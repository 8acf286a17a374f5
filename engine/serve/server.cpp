#include "engine/serve/server.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "absl/strings/str_cat.h"
#include "engine/serve/address.h"
#include "engine/serve/backend.h"
#include "engine/serve/grpc_library.h"
#include "engine/serve/http_server.h"
#include "engine/types/status_macros.h"

namespace kappa::serve {
namespace {

constexpr size_t kShortTaskThreads = 2;
constexpr size_t kShortTasksMax = 4096;
constexpr int kMetadataBytesMax = 16 << 10;
constexpr int kKeepaliveMs = 60'000;
constexpr int kKeepaliveTimeoutMs = 20'000;
constexpr int kClientPingMsMin = 10'000;
constexpr int kConnectionAgeMsMax = 3'600'000;
constexpr std::chrono::seconds kHouseKeepingInterval{1};

std::function<void(const std::string&)> audit_to_stderr() {
  return [](const std::string& line) { std::fprintf(stderr, "kappa: %s\n", line.c_str()); };
}

absl::StatusOr<Address> parse_listen(const std::string& text, const std::string& flag) {
  absl::StatusOr<Address> address = parse_address(text);
  if (address.ok()) return address;
  return absl::InvalidArgumentError(absl::StrCat(flag, ": ", address.status().message()));
}

absl::Status check_exposure(const Address& address, const std::string& flag,
                            const ServerOptions& options) {
  if (options.tls.enabled() || options.insecure || is_loopback(address)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(flag, " ", address.text(),
                   " can be reached from other machines, and there is no TLS: give a "
                   "certificate and its key, listen on 127.0.0.1, or take the risk with ",
                   options.insecure_flag));
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> credentials_of(const TlsFiles& tls) {
  if (!tls.enabled()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions::PemKeyCertPair pair;
  KAPPA_ASSIGN_OR_RETURN(pair.cert_chain, read_text_file(tls.certificate, "the certificate"));
  KAPPA_ASSIGN_OR_RETURN(pair.private_key, read_text_file(tls.key, "the key"));
  grpc::SslServerCredentialsOptions ssl;
  if (!tls.client_ca.empty()) {
    KAPPA_ASSIGN_OR_RETURN(ssl.pem_root_certs,
                           read_text_file(tls.client_ca, "the clients' certificate authority"));
    ssl.client_certificate_request = GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
  }
  ssl.pem_key_cert_pairs.push_back(std::move(pair));
  return grpc::SslServerCredentials(ssl);
}

absl::StatusOr<Pseudonyms> pseudonyms_of(const ServerOptions& options) {
  if (options.raw_ids && !options.tokens_file.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.raw_ids_flag,
                     " is for servers without a tokens file; in that, give callers who may see ids "
                     "as they are the right raw_ids"));
  }
  if (options.pseudonym_key_file.empty()) return Pseudonyms::with_random_key();
  return Pseudonyms::load(options.pseudonym_key_file);
}

// Decides for one server whether it has reflection. The library gives it to every server of a
// process that links it, unasked, so it is taken out first.
class Reflection final : public grpc::ServerBuilderOption {
 public:
  explicit Reflection(bool offered) : offered_(offered) {}

 private:
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    auto reflection = std::make_unique<grpc::reflection::ProtoServerReflectionPlugin>();
    std::erase_if(*plugins, [name = reflection->name()](const auto& plugin) {
      return plugin->name() == name;
    });
    if (offered_) plugins->push_back(std::move(reflection));
  }

  const bool offered_;
};

void set_channel_limits(grpc::ServerBuilder& builder, const ServerLimits& limits) {
  // A second server on the same port must fail rather than share it.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(static_cast<int>(limits.message_bytes_max));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, limits.calls_per_connection_max);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytesMax);
  // Finds callers that vanished without a word; refuses those that ping for nothing.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kClientPingMsMin);
  // Old connections take no new calls, so callers spread again; calls on them go on.
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kConnectionAgeMsMax);
  // Reflection is the only service that needs these threads.
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
}

}  // namespace

struct Server::Impl {
  Impl(ServerOptions with, std::vector<ServedProduct> served, log::Log* the_log,
       const Clock* the_clock, std::optional<AccessList> access, Pseudonyms stand_ins)
      : options(std::move(with)),
        clock(the_clock != nullptr ? the_clock : &system_clock),
        products(std::move(served)),
        gate(std::move(access), options.audit ? options.audit : audit_to_stderr(), options.raw_ids),
        pseudonyms(std::move(stand_ins)),
        metrics(&products, the_log, clock, options.version),
        cursors(clock, &options.limits),
        backend{products, *the_log,    *clock,       options.limits, gate,
                metrics,  cursors,     pseudonyms,   syncs,          appends,
                queries,  short_tasks, streams_open, exports_open,   options.version},
        syncs(the_log),
        appends(the_log),
        queries(options.limits.query_threads, options.limits.queries_waiting_max),
        short_tasks(kShortTaskThreads, kShortTasksMax) {}

  absl::Status start_grpc(const Address& address);
  absl::Status start_http(const Address& address);
  Readiness readiness() const;
  void update_health();
  void keep_house();
  void stop(int64_t grace_ms);

  const ServerOptions options;
  const SystemClock system_clock;
  const Clock* const clock;
  Products products;
  const Gate gate;
  const Pseudonyms pseudonyms;
  Metrics metrics;
  Cursors cursors;
  std::atomic<size_t> streams_open = 0;
  std::atomic<size_t> exports_open = 0;
  std::atomic<bool> draining = false;
  // Destroyed from the last to the first: calls end before what works for them, and that before the
  // services, for whom it may still be at work when a call has ended.
  const Backend backend;
  std::vector<std::unique_ptr<grpc::Service>> services;
  SyncGroup syncs;
  AppendGroup appends;
  WorkerPool queries;
  WorkerPool short_tasks;
  std::unique_ptr<grpc::Server> grpc_server;
  int grpc_port = 0;
  std::unique_ptr<HttpServer> http;

  std::mutex house_mutex;
  std::condition_variable house_wake;
  bool stopping = false;
  std::thread house_keeper;
};

absl::Status Server::Impl::start_grpc(const Address& address) {
  keep_grpc_up();
  KAPPA_ASSIGN_OR_RETURN(const auto credentials, credentials_of(options.tls));
  static std::once_flag once;
  std::call_once(once, [] { grpc::EnableDefaultHealthCheckService(true); });
  grpc::ServerBuilder builder;
  set_channel_limits(builder, options.limits);
  // Who must show a token has no business to look around without one.
  builder.SetOption(std::make_unique<Reflection>(!gate.has_access_list()));
  services.push_back(make_query_service(backend));
  services.push_back(make_ingest_service(backend));
  services.push_back(make_admin_service(backend));
  services.push_back(make_replay_service(backend));
  services.push_back(make_fraud_service(backend));
  services.push_back(make_sales_service(backend));
  for (const auto& service : services) builder.RegisterService(service.get());
  builder.AddListeningPort(address.text(), credentials, &grpc_port);
  grpc_server = builder.BuildAndStart();
  if (grpc_server != nullptr && grpc_port != 0) return absl::OkStatus();
  // The port was free a moment ago: either it has been taken since, or the files are no pair.
  KAPPA_RETURN_IF_ERROR(check_listenable(address, options.listen_flag));
  if (!options.tls.enabled()) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address.text()));
  }
  return absl::InvalidArgumentError(absl::StrCat("the certificate ", options.tls.certificate,
                                                 " and the key ", options.tls.key,
                                                 " are not a matching pair of PEM files"));
}

absl::Status Server::Impl::start_http(const Address& address) {
  KAPPA_ASSIGN_OR_RETURN(http, HttpServer::start(address, options.tls, &gate, &metrics,
                                                 [this] { return readiness(); }));
  return absl::OkStatus();
}

Readiness Server::Impl::readiness() const {
  if (draining) return {false, "not ready: shutting down\n"};
  Readiness result{true, ""};
  for (const Products::Ref& product : products.all()) {
    const ProductCondition condition = condition_of(*product);
    if (condition.state == ProductState::kRunning) continue;
    result.ready = false;
    absl::StrAppend(&result.text, "not ready: product ", product->name,
                    condition.state == ProductState::kRestoring
                        ? " is restoring"
                        : absl::StrCat(" has failed: ", condition.failure.message()),
                    "\n");
  }
  if (result.ready) result.text = "ok\n";
  return result;
}

void Server::Impl::update_health() {
  grpc::HealthCheckServiceInterface* health = grpc_server->GetHealthCheckService();
  if (health == nullptr) return;
  bool all = !draining;
  for (const Products::Ref& product : products.all()) {
    const bool runs = condition_of(*product).state == ProductState::kRunning;
    health->SetServingStatus(product->name, runs && !draining);
    all = all && runs;
  }
  health->SetServingStatus("", all);
}

void Server::Impl::keep_house() {
  std::unique_lock lock(house_mutex);
  while (!stopping) {
    house_wake.wait_for(lock, kHouseKeepingInterval);
    if (stopping) return;
    lock.unlock();
    update_health();
    cursors.expire();
    lock.lock();
  }
}

void Server::Impl::stop(int64_t grace_ms) {
  {
    std::lock_guard lock(house_mutex);
    if (stopping) return;
    stopping = true;
  }
  house_wake.notify_all();
  if (house_keeper.joinable()) house_keeper.join();
  http.reset();
  if (grpc_server == nullptr) return;
  grpc_server->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(grace_ms));
  grpc_server->Wait();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<Server>> Server::start(ServerOptions options,
                                                      std::vector<ServedProduct> products,
                                                      log::Log* log, const Clock* clock) {
  KAPPA_RETURN_IF_ERROR(check_tls_files(options.tls));
  KAPPA_ASSIGN_OR_RETURN(const Address address, parse_listen(options.listen, options.listen_flag));
  KAPPA_RETURN_IF_ERROR(check_exposure(address, options.listen_flag, options));
  std::optional<Address> http_address;
  if (!options.http_listen.empty()) {
    KAPPA_ASSIGN_OR_RETURN(http_address,
                           parse_listen(options.http_listen, options.http_listen_flag));
    KAPPA_RETURN_IF_ERROR(check_exposure(*http_address, options.http_listen_flag, options));
  }
  std::optional<AccessList> access;
  if (!options.tokens_file.empty()) {
    KAPPA_ASSIGN_OR_RETURN(access, AccessList::load(options.tokens_file));
  }
  KAPPA_ASSIGN_OR_RETURN(Pseudonyms pseudonyms, pseudonyms_of(options));
  KAPPA_RETURN_IF_ERROR(check_listenable(address, options.listen_flag));
  if (http_address)
    KAPPA_RETURN_IF_ERROR(check_listenable(*http_address, options.http_listen_flag));

  auto impl = std::make_unique<Impl>(std::move(options), std::move(products), log, clock,
                                     std::move(access), std::move(pseudonyms));
  std::unique_ptr<Server> server(new Server(std::move(impl)));
  KAPPA_RETURN_IF_ERROR(server->impl_->start_grpc(address));
  if (http_address) KAPPA_RETURN_IF_ERROR(server->impl_->start_http(*http_address));
  server->impl_->update_health();
  server->impl_->house_keeper = std::thread([parts = server->impl_.get()] { parts->keep_house(); });
  return server;
}

Server::~Server() {
  stop();
}

void Server::set_product(ServedProduct product) {
  impl_->products.set(std::move(product));
  impl_->update_health();
}

void Server::drain() {
  impl_->draining = true;
  impl_->update_health();
}

void Server::stop(int64_t grace_ms) {
  impl_->stop(grace_ms);
}

uint16_t Server::port() const {
  return static_cast<uint16_t>(impl_->grpc_port);
}

uint16_t Server::http_port() const {
  return impl_->http ? impl_->http->port() : 0;
}

}  // namespace kappa::serve
