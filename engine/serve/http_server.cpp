#include "engine/serve/http_server.h"

#include <optional>
#include <thread>
#include <utility>

#include <httplib.h>

#include "absl/strings/str_cat.h"
#include "engine/types/text.h"

namespace kappa::serve {
namespace {

constexpr size_t kThreads = 2;
constexpr size_t kBodyBytesMax = 4096;  // no request of ours has a body
constexpr time_t kSecondsMax = 10;

// Client certificates are looked at, not insisted on: probes have none. /metrics insists.
bool set_up_tls(const TlsFiles& files, SSL_CTX& context) {
  SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION);
  if (SSL_CTX_use_certificate_chain_file(&context, files.certificate.c_str()) != 1) return false;
  if (SSL_CTX_use_PrivateKey_file(&context, files.key.c_str(), SSL_FILETYPE_PEM) != 1) return false;
  if (SSL_CTX_check_private_key(&context) != 1) return false;
  if (files.client_ca.empty()) return true;
  if (SSL_CTX_load_verify_locations(&context, files.client_ca.c_str(), nullptr) != 1) return false;
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER, nullptr);
  return true;
}

std::unique_ptr<httplib::Server> make_server(const TlsFiles& tls) {
  if (!tls.enabled()) return std::make_unique<httplib::Server>();
  return std::make_unique<httplib::SSLServer>(
      [&tls](SSL_CTX& context) { return set_up_tls(tls, context); });
}

bool has_client_certificate(const httplib::Request& request) {
  if (request.ssl == nullptr) return false;
  X509* certificate = SSL_get1_peer_certificate(request.ssl);
  X509_free(certificate);
  return certificate != nullptr;
}

void answer_text(httplib::Response& response, int status, const std::string& text) {
  response.status = status;
  response.set_content(text, "text/plain; charset=utf-8");
}

}  // namespace

struct HttpServer::Impl {
  std::unique_ptr<httplib::Server> server;
  std::thread thread;
  uint16_t port = 0;
  const Gate* gate = nullptr;
  const Metrics* metrics = nullptr;
  std::function<Readiness()> readiness;
  bool client_certificates = false;

  void set_limits() {
    server->new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server->set_payload_max_length(kBodyBytesMax);
    server->set_read_timeout(kSecondsMax);
    server->set_write_timeout(kSecondsMax);
    server->set_keep_alive_max_count(100);
    server->set_keep_alive_timeout(5);
    // Without the port sharing that the library asks for: a second server must fail to start.
    server->set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
  }

  void add_routes() {
    server->Get("/livez", [](const httplib::Request&, httplib::Response& response) {
      answer_text(response, 200, "ok\n");
    });
    server->Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
      const Readiness now = readiness();
      answer_text(response, now.ready ? 200 : 503, now.text);
    });
    server->Get("/metrics", [this](const httplib::Request& request, httplib::Response& response) {
      show_metrics(request, response);
    });
    server->Get("/", [](const httplib::Request&, httplib::Response& response) {
      answer_text(response, 200, "kappa: /metrics, /livez, /readyz\n");
    });
  }

  void show_metrics(const httplib::Request& request, httplib::Response& response) const {
    if (client_certificates && !has_client_certificate(request)) {
      return answer_text(response, 401, "a client certificate is needed\n");
    }
    std::optional<std::string> authorization;
    if (request.has_header("Authorization")) {
      authorization = request.get_header_value("Authorization");
    }
    const absl::Status admitted =
        gate->admit(authorization, Right::kMetrics, "/metrics", request.remote_addr);
    if (absl::IsUnauthenticated(admitted)) response.set_header("WWW-Authenticate", "Bearer");
    if (!admitted.ok()) {
      const int status = absl::IsUnauthenticated(admitted) ? 401 : 403;
      return answer_text(response, status, absl::StrCat(admitted.message(), "\n"));
    }
    response.set_content(metrics->text(), "text/plain; version=0.0.4; charset=utf-8");
  }
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::start(
    const Address& address, const TlsFiles& tls, const Gate* gate, const Metrics* metrics,
    std::function<Readiness()> readiness) {
  auto impl = std::make_unique<Impl>();
  impl->server = make_server(tls);
  impl->gate = gate;
  impl->metrics = metrics;
  impl->readiness = std::move(readiness);
  impl->client_certificates = !tls.client_ca.empty();
  if (!impl->server->is_valid()) {
    return absl::InvalidArgumentError(absl::StrCat("HTTP: the certificate ", tls.certificate,
                                                   " and the key ", tls.key,
                                                   " are not a matching pair of PEM files"));
  }
  impl->set_limits();
  impl->add_routes();
  int port = address.port;
  if (port == 0) {
    port = impl->server->bind_to_any_port(address.host);
  } else if (!impl->server->bind_to_port(address.host, port)) {
    port = -1;
  }
  if (port < 0) {
    return absl::UnavailableError(absl::StrCat("HTTP: cannot listen on ", address.text()));
  }
  impl->port = static_cast<uint16_t>(port);
  impl->thread = std::thread([server = impl->server.get()] { server->listen_after_bind(); });
  // Stopping a server that does not run yet would be forgotten.
  while (!impl->server->is_running()) std::this_thread::yield();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::~HttpServer() {
  impl_->server->stop();
  impl_->thread.join();
}

uint16_t HttpServer::port() const {
  return impl_->port;
}

}  // namespace kappa::serve
