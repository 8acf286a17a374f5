#include "bench/served_kappa.h"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"

namespace kappa::bench {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

absl::StatusOr<pid_t> spawn(const std::vector<std::string>& command, const std::string& out,
                            const std::string& err) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, out.c_str(), kFlags, 0600);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, err.c_str(), kFlags, 0600);
  pid_t pid = -1;
  const int failed = posix_spawn(&pid, arguments[0], &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) {
    return absl::NotFoundError(absl::StrCat(command[0], " cannot be started; build it first"));
  }
  return pid;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServedKappa>> ServedKappa::start(
    const std::string& directory, std::vector<std::string> arguments) {
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  std::vector<std::string> command = {(self.parent_path() / "kappa").string(),
                                      "serve",
                                      "--listen",
                                      "127.0.0.1:0",
                                      "--http",
                                      "127.0.0.1:0"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const std::string out = directory + "/serve.out";
  const std::string err = directory + "/serve.err";
  std::unique_ptr<ServedKappa> served(new ServedKappa);
  KAPPA_ASSIGN_OR_RETURN(served->pid_, spawn(command, out, err));
  const absl::Status answers = served->wait_for_address(out);
  if (!answers.ok()) {
    return absl::UnavailableError(absl::StrCat(answers.message(), ": ", text_of(err)));
  }
  return served;
}

// "  gRPC     127.0.0.1:40123", among what it prints once it serves.
absl::Status ServedKappa::wait_for_address(const std::string& output) {
  for (int i = 0; i < 600; ++i) {
    std::istringstream lines(text_of(output));
    std::string line;
    while (std::getline(lines, line)) {
      std::istringstream words(line);
      std::string what;
      words >> what >> address_;
      if (what == "gRPC" && !address_.empty()) return absl::OkStatus();
    }
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return absl::UnavailableError("kappa serve has ended");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return absl::UnavailableError("kappa serve does not answer");
}

ServedKappa::~ServedKappa() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

double ServedKappa::cpu_seconds() const {
  const std::string stat = text_of(absl::StrCat("/proc/", pid_, "/stat"));
  // Behind the name, which may hold anything but ends with the last parenthesis.
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  int64_t user = 0;
  int64_t system = 0;
  fields >> user >> system;
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

absl::Status ServedKappa::stop() {
  kill(pid_, SIGTERM);
  int status = 0;
  waitpid(std::exchange(pid_, -1), &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::InternalError("kappa serve did not end well");
}

}  // namespace kappa::bench
