#include "test/cli/pty.h"

#include <catch2/catch.hpp>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/match.h"

namespace kappa::cli {

Terminal::Terminal(std::vector<std::string> words) {
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

Terminal::~Terminal() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(terminal_);
}

bool Terminal::wait_for(const std::string& text) {
  while (!absl::StrContains(shown_, text)) {
    if (!read_some()) return false;
  }
  return true;
}

void Terminal::type(const std::string& text) {
  REQUIRE(write(terminal_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

int Terminal::wait() {
  while (read_some()) continue;
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool Terminal::read_some() {
  constexpr int kMinuteMs = 60'000;
  pollfd ready = {terminal_, POLLIN, 0};
  char bytes[4096];
  if (poll(&ready, 1, kMinuteMs) <= 0) return false;
  const ssize_t got = read(terminal_, bytes, sizeof bytes);  // an error once the other side ends
  if (got <= 0) return false;
  shown_.append(bytes, static_cast<size_t>(got));
  return true;
}

}  // namespace kappa::cli
