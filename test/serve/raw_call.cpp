#include "test/serve/raw_call.h"

#include <chrono>
#include <memory>
#include <vector>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <httplib.h>

#include "engine/serve/api_error.h"

namespace kappa::serve {

absl::StatusOr<std::string> raw_call(const std::string& address, const std::string& method,
                                     const std::string& request, int64_t timeout_ms) {
  grpc::GenericStub stub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
  const grpc::Slice slice(request);
  const grpc::ByteBuffer message(&slice, 1);
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareUnaryCall(&context, method, message, &queue);
  call->StartCall();
  grpc::ByteBuffer answer;
  grpc::Status status;
  call->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  if (!status.ok()) return from_grpc(status);
  std::vector<grpc::Slice> slices;
  (void)answer.Dump(&slices);
  std::string bytes;
  for (const grpc::Slice& one : slices) {
    bytes.append(reinterpret_cast<const char*>(one.begin()), one.size());
  }
  return bytes;
}

namespace {

template <typename Http>
absl::StatusOr<HttpAnswer> get(Http& http, const std::string& path,
                               const std::string& authorization) {
  httplib::Headers headers;
  if (!authorization.empty()) headers.emplace("Authorization", authorization);
  const httplib::Result result = http.Get(path, headers);
  if (!result) return absl::UnavailableError(httplib::to_string(result.error()));
  return HttpAnswer{result->status, result->body, result->get_header_value("Content-Type")};
}

}  // namespace

absl::StatusOr<HttpAnswer> http_get(int port, const std::string& path,
                                    const std::string& authorization, const std::string& ca_file,
                                    const std::string& certificate_file,
                                    const std::string& key_file) {
  if (ca_file.empty()) {
    httplib::Client http("127.0.0.1", port);
    return get(http, path, authorization);
  }
  httplib::SSLClient http("localhost", port, certificate_file, key_file);
  http.set_ca_cert_path(ca_file);
  http.enable_server_certificate_verification(true);
  return get(http, path, authorization);
}

}  // namespace kappa::serve
