#include "engine/serve/client_channel.h"

#include <chrono>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "absl/strings/str_cat.h"
#include "engine/serve/address.h"
#include "engine/serve/api_error.h"
#include "engine/serve/grpc_library.h"
#include "engine/serve/tls.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"

namespace kappa::serve {
namespace {

constexpr int kAnswerBytesMax = 64 << 20;

bool wants_tls(const ClientOptions& options, const Address& address) {
  if (!options.ca_file.empty() || !options.certificate_file.empty()) return true;
  return !options.insecure && !is_loopback(address);
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> credentials_of(
    const ClientOptions& options, const Address& address) {
  if (!wants_tls(options, address)) return grpc::InsecureChannelCredentials();
  if (options.certificate_file.empty() != options.key_file.empty()) {
    return absl::InvalidArgumentError(
        "a client certificate needs its key, and the key its certificate");
  }
  grpc::SslCredentialsOptions ssl;
  if (!options.ca_file.empty()) {
    KAPPA_ASSIGN_OR_RETURN(ssl.pem_root_certs,
                           read_text_file(options.ca_file, "the certificate authority"));
  }
  if (!options.certificate_file.empty()) {
    KAPPA_ASSIGN_OR_RETURN(ssl.pem_cert_chain,
                           read_text_file(options.certificate_file, "the certificate"));
    KAPPA_ASSIGN_OR_RETURN(ssl.pem_private_key, read_text_file(options.key_file, "the key"));
  }
  return grpc::SslCredentials(ssl);
}

}  // namespace

absl::StatusOr<ClientChannel> ClientChannel::make(const ClientOptions& options) {
  keep_grpc_up();
  KAPPA_ASSIGN_OR_RETURN(const Address address, parse_address(options.server));
  KAPPA_ASSIGN_OR_RETURN(const auto credentials, credentials_of(options, address));
  ClientChannel made;
  made.server_ = options.server;
  made.timeout_ms_ = options.timeout_ms;
  if (!options.token_file.empty()) {
    KAPPA_ASSIGN_OR_RETURN(const std::string text, read_text_file(options.token_file, "the token"));
    const std::string_view token = strip_spaces(text);
    if (token.empty() || token.find_first_of(" \t\r\n") != token.npos) {
      return absl::InvalidArgumentError(
          absl::StrCat(options.token_file, ": expected one token and nothing else"));
    }
    made.authorization_ = absl::StrCat("Bearer ", to_absl(token));
  }
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kAnswerBytesMax);
  if (!options.server_name.empty()) arguments.SetSslTargetNameOverride(options.server_name);
  made.channel_ = grpc::CreateCustomChannel(address.text(), credentials, arguments);
  return made;
}

void ClientChannel::prepare(grpc::ClientContext& context, bool endless) const {
  if (!authorization_.empty()) context.AddMetadata("authorization", authorization_);
  if (endless) return;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms_));
}

absl::Status ClientChannel::status_of(const grpc::Status& status) const {
  absl::Status result = from_grpc(status);
  if (!absl::IsUnavailable(result) || !details_of(result).reason.empty()) return result;
  // Not the server's words: the connection failed.
  return absl::UnavailableError(absl::StrCat("no kappa server answers at ", server_, " (",
                                             result.message(),
                                             "); is it running, and is the address right?"));
}

}  // namespace kappa::serve
