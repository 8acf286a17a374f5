#include "engine/cli/connection.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "engine/cli/commands/version.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {

absl::StatusOr<std::unique_ptr<Connection>> Connection::open(ConnectOptions options) {
  auto connection = std::make_unique<Connection>();
  if (options.client.server.empty()) {
    std::error_code error;
    if (!std::filesystem::is_directory(options.data, error)) {
      return absl::NotFoundError(
          absl::StrCat("there is no data directory ", options.data,
                       "; name one with --data, or a server with --server, or start one: kappa "
                       "playground"));
    }
    KAPPA_ASSIGN_OR_RETURN(const auto holder, state::lock_holder(options.data));
    if (holder && !holder->address.empty()) {
      options.client.server = holder->address;
    } else {
      KAPPA_RETURN_IF_ERROR(connection->open_own(options));
      options.client.server = absl::StrCat("127.0.0.1:", connection->server_->port());
    }
  }
  KAPPA_ASSIGN_OR_RETURN(connection->client_, serve::Client::make(options.client));
  return connection;
}

absl::Status Connection::open_own(const ConnectOptions& options) {
  DeploymentOptions deployment;
  deployment.data = options.data;
  deployment.command = options.command;
  KAPPA_ASSIGN_OR_RETURN(deployment_, Deployment::open(std::move(deployment)));
  if (options.with_products) KAPPA_RETURN_IF_ERROR(deployment_->open_products());
  serve::ServerOptions server;
  server.listen = "127.0.0.1:0";
  server.http_listen = "";
  server.version = version();
  KAPPA_ASSIGN_OR_RETURN(server_, serve::Server::start(std::move(server), deployment_->served(),
                                                       &deployment_->log(), &deployment_->clock()));
  return absl::OkStatus();
}

Connection::~Connection() {
  client_.reset();
  server_.reset();
}

}  // namespace kappa::cli
