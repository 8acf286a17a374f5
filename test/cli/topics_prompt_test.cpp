// What a person at a terminal is asked.

#include <catch2/catch.hpp>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "test/cli/process.h"
#include "test/cli/scratch.h"

namespace kappa::cli {
namespace {

// A run of the binary whose input and output are a terminal.
class Terminal {
 public:
  explicit Terminal(std::vector<std::string> words) {
    words.insert(words.begin(), KAPPA_BINARY);
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = forkpty(&terminal_, nullptr, nullptr, nullptr);
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      execv(argv[0], argv.data());
      _exit(127);
    }
  }
  ~Terminal() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(terminal_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // Reads until it has shown `text`; false: it ended without, or nothing came for a minute.
  bool wait_for(const std::string& text) {
    while (!absl::StrContains(shown_, text)) {
      if (!read_some()) return false;
    }
    return true;
  }
  void type(const std::string& text) {
    REQUIRE(write(terminal_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  // Its exit code, once it has ended.
  int wait() {
    while (read_some()) continue;
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  const std::string& shown() const { return shown_; }

 private:
  bool read_some() {
    constexpr int kMinuteMs = 60'000;
    pollfd ready = {terminal_, POLLIN, 0};
    char bytes[4096];
    if (poll(&ready, 1, kMinuteMs) <= 0) return false;
    const ssize_t got = read(terminal_, bytes, sizeof bytes);  // an error once the other side ends
    if (got <= 0) return false;
    shown_.append(bytes, static_cast<size_t>(got));
    return true;
  }

  int terminal_ = -1;
  pid_t pid_ = -1;
  std::string shown_;
};

struct Setup {
  Setup() {
    scratch.file("shop/product.sql",
                 "CREATE FOREIGN TABLE sales (card text) SERVER log OPTIONS (topic 'sales', format "
                 "'json');\n"
                 "CREATE MATERIALIZED VIEW cards AS SELECT card, count(*) AS n FROM sales GROUP BY "
                 "card;\n");
  }
  std::vector<std::string> words() const {
    return {"topics", "create", "--product", scratch.path("shop"), "--data", scratch.path("data")};
  }
  bool made() const {
    return absl::StrContains(kappa({"topics", "--data", scratch.path("data")}).out, "sales");
  }
  Scratch scratch;
};

}  // namespace

TEST_CASE("topics create asks who sits at a terminal, and makes topics on y") {
  const Setup setup;
  Terminal terminal(setup.words());
  REQUIRE(terminal.wait_for("make 2 topics? [y/N] "));
  CHECK(absl::StrContains(terminal.shown(), "sales.dead-letters"));
  CHECK_FALSE(absl::StrContains(terminal.shown(), "2 topics made"));
  terminal.type("y\n");
  CHECK(terminal.wait() == 0);
  CHECK(absl::StrContains(terminal.shown(), "2 topics made"));
  CHECK(setup.made());
}

TEST_CASE("topics create makes nothing on any other answer, or none") {
  constexpr char kEndOfFile[] = "\x04";
  for (const std::string answer : {"n\n", "\n", "yes please\n", kEndOfFile}) {
    const Setup setup;
    Terminal terminal(setup.words());
    REQUIRE(terminal.wait_for("[y/N] "));
    terminal.type(answer);
    CHECK(terminal.wait() == 1);
    CHECK(absl::StrContains(terminal.shown(), "nothing was made"));
    CHECK_FALSE(setup.made());
  }
}

}  // namespace kappa::cli
