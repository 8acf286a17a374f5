#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/log/embedded/embedded_log.h"
#include "engine/serve/client.h"
#include "engine/serve/server.h"
#include "engine/types/clock.h"
#include "test/serve/fake_views.h"

namespace kappa::serve {

// An empty directory for one test, removed with it.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  // Makes a file and returns its path.
  std::string write(const std::string& name, const std::string& text) const;

 private:
  std::string path_;
};

// Options with free ports.
ServerOptions test_options();

// A server on free ports of loopback: one product "shop" with views that show every type, and the
// embedded log in a temporary directory.
class TestServer {
 public:
  explicit TestServer(ServerOptions options = test_options());

  // Starts it; a test fails if that does. Views are filled before.
  void start();
  std::string address() const;
  std::unique_ptr<Client> client(ClientOptions options = {}) const;
  ServedProduct product();

  TemporaryDirectory directory;
  ManualClock clock{LogTime{1'700'000'000'000}};
  FakeViews views;
  runtime::PipelineStats stats;
  ServerOptions options;
  std::unique_ptr<log::EmbeddedLog> log;
  std::vector<ServedProduct> more_products;
  std::unique_ptr<Server> server;  // goes first
};

// A view "cards" with the key card_id (text), and one "sales" with the key (store text,
// window_start timestamptz) and a column of every type.
FakeViews::View cards_view();
FakeViews::View sales_view();

}  // namespace kappa::serve
