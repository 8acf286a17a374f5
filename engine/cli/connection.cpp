#include "engine/cli/connection.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "engine/cli/commands/version.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {

namespace {

// Who holds the directory without an address is a server that starts, or a command that will soon
// be done: worth a moment.
constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::milliseconds kPause{20};

absl::Status nobody_serves(const ConnectOptions& options) {
  return absl::FailedPreconditionError(absl::StrCat(
      options.command, " needs a server, and nobody serves the data directory ", options.data,
      "; start one: kappa serve --data ", options.data, ", or name one with --server"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> Connection::open(ConnectOptions options) {
  auto connection = std::make_unique<Connection>();
  if (options.client.server.empty()) {
    std::error_code error;
    if (!options.makes_directory && !std::filesystem::is_directory(options.data, error)) {
      return absl::NotFoundError(
          absl::StrCat("there is no data directory ", options.data,
                       "; name one with --data, or a server with --server, or start one: kappa "
                       "playground"));
    }
    KAPPA_ASSIGN_OR_RETURN(options.client.server, connection->find_server(options));
  }
  KAPPA_ASSIGN_OR_RETURN(connection->client_, serve::Client::make(options.client));
  return connection;
}

absl::StatusOr<std::string> Connection::find_server(const ConnectOptions& options) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    KAPPA_ASSIGN_OR_RETURN(const auto holder, state::lock_holder(options.data));
    if (holder && !holder->address.empty()) return holder->address;
    const bool last_try = std::chrono::steady_clock::now() >= give_up;
    if (options.needs_server && (!holder || last_try)) return nobody_serves(options);
    if (!options.needs_server && (!holder || last_try)) {
      const absl::Status opened = open_own(options);
      if (opened.ok()) return absl::StrCat("127.0.0.1:", server_->port());
      const bool held_by_another = absl::IsUnavailable(opened) && deployment_ == nullptr;
      if (!held_by_another || last_try) return opened;
    }
    std::this_thread::sleep_for(kPause);
  }
}

absl::Status Connection::open_own(const ConnectOptions& options) {
  DeploymentOptions deployment;
  deployment.data = options.data;
  deployment.command = options.command;
  deployment.log = options.log;
  KAPPA_ASSIGN_OR_RETURN(deployment_, Deployment::open(std::move(deployment)));
  if (options.with_products) KAPPA_RETURN_IF_ERROR(deployment_->open_products(/*live_only=*/true));
  serve::ServerOptions server;
  server.listen = "127.0.0.1:0";
  server.http_listen = "";
  server.version = version();
  server.audit = [](const std::string&) {};  // it is we who ask
  KAPPA_ASSIGN_OR_RETURN(server_, serve::Server::start(std::move(server), deployment_->served(),
                                                       &deployment_->log(), &deployment_->clock()));
  return absl::OkStatus();
}

Connection::~Connection() {
  client_.reset();
  server_.reset();
}

}  // namespace kappa::cli
