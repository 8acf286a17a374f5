#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "test/cli/process.h"
#include "test/cli/scratch.h"
#include "test/kafka/sales_load.h"

namespace kappa::cli {

// What two logics differ in.
struct Logic {
  int64_t amount_min;      // of sales that leave as big ones
  int64_t window_seconds;  // of counts that leave once they are final
};
inline constexpr Logic kFormer{900, 2};
inline constexpr Logic kLater{500, 5};

// A product of sales in these two versions, on topics of its own on the shared broker, and the
// binary that serves it. What goes wrong fails the test.
class ReplayedShop {
 public:
  using Words = std::vector<std::string>;

  ReplayedShop();

  // The whole name of its topic "sales", "big" or "busy", or of another one.
  std::string topic(const std::string& what) const;
  const std::string& broker() const { return address_; }
  // What the later version says besides.
  void write_later(const std::string& more) { write("later", kLater, more); }

  // Starts the binary with the former version, which the catalogue overrules, until it is ready; it
  // dies at a failpoint, if one is named.
  void serve(const std::string& failpoint = "");
  Process& process() { return *process_; }
  void stop();  // by SIGTERM

  // Runs `kappa WORDS…` on its data directory.
  Ended run(Words words) const;
  void require_done(const Words& words) const;
  // The first column, `n`, of the answer's only row; 0 if there is none yet.
  int64_t number(const std::string& sql) const;
  // A generation's, as `kappa replay status` says.
  std::string state(uint32_t generation) const;
  // Starts a replay with the later version, and waits until it is ready.
  void start_replay(uint32_t generation) const;

  // Until the live generation has applied so many more sales, and all that had been sent then.
  void wait_for_sales(const test::SalesLoad& load, int64_t more) const;
  void wait_until_applied(const test::SalesLoad& load) const;
  template <typename Condition>
  static void wait_until(Condition holds) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!holds()) {
      if (std::chrono::steady_clock::now() > give_up) FAIL("not within a minute");
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  // What a reader with read_committed finds in a topic, in kcat's format.
  std::vector<std::string> published(const std::string& what, const std::string& format) const;

 private:
  std::string data() const { return scratch_.path("data"); }
  std::string product(const std::string& version) const;
  void write(const std::string& version, const Logic& logic, const std::string& more) const;

  const Scratch scratch_;
  const std::string name_;
  const std::string address_;
  std::unique_ptr<Process> process_;
};

}  // namespace kappa::cli
