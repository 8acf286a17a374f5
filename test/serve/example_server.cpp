// A server for tests in other languages: the views of test_server.h and a topic "notes". Prints
// where it listens and serves until its input ends.
#define CATCH_CONFIG_RUNNER  // test_server.cpp checks with Catch; main() is our own
#include <cstdio>

#include <catch2/catch.hpp>

#include "test/serve/test_server.h"

int main() {
  using kappa::serve::Server;
  kappa::serve::TemporaryDirectory directory;
  kappa::serve::FakeViews views;
  views.add("cards", kappa::serve::cards_view());
  views.add("sales", kappa::serve::sales_view());
  auto log = kappa::log::open_embedded_log(directory / "log", {});
  if (!log.ok() || !(*log)->create_topic("notes", {}).ok()) return 1;
  kappa::serve::ServedProduct product;
  product.name = "shop";
  product.reader = &views;
  auto server = Server::start(kappa::serve::test_options(), {product}, log->get());
  if (!server.ok()) return 1;
  std::printf("listening on 127.0.0.1:%d\n", (*server)->port());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}
