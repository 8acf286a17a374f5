#include "test/cli/process.h"

#include <chrono>
#include <thread>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/cli/scratch.h"

extern char** environ;

namespace kappa::cli {
namespace {

constexpr std::chrono::milliseconds kLook{10};
constexpr int kLooks = 6000;

std::vector<std::string> environment_with(const std::map<std::string, std::string>& given) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry; ++entry) {
    const std::string text = *entry;
    if (text.rfind("KAPPA_", 0) != 0) environment.push_back(text);
  }
  for (const auto& [name, value] : given) environment.push_back(name + "=" + value);
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

void redirect(const std::string& path, int flags, int to) {
  const int file = open(path.c_str(), flags, 0600);
  dup2(file, to);
  close(file);
}

}  // namespace

Process::Process(const std::string& scratch, const std::vector<std::string>& arguments,
                 const std::string& input, const std::map<std::string, std::string>& environment) {
  static int number = 0;
  const std::string base = scratch + "/process-" + std::to_string(number++);
  out_path_ = base + ".out";
  err_path_ = base + ".err";
  const std::string in_path = base + ".in";
  const int in = open(in_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (write(in, input.data(), input.size()) < 0) _exit(126);
  close(in);
  std::vector<std::string> words = {KAPPA_BINARY};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables = environment_with(environment);
  std::vector<char*> argv = pointers(words);
  std::vector<char*> envp = pointers(variables);
  pid_ = fork();
  if (pid_ != 0) return;
  redirect(in_path, O_RDONLY, STDIN_FILENO);
  redirect(out_path_, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
  redirect(err_path_, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
  execve(argv[0], argv.data(), envp.data());
  _exit(127);
}

Process::~Process() {
  if (running()) {
    signal(SIGKILL);
    wait();
  }
}

bool Process::running() {
  if (!ended_) ended_ = waitpid(pid_, &status_, WNOHANG) == pid_;
  return !ended_;
}

bool Process::wait_for_output(const std::string& text) {
  return wait_for(out_path_, text);
}

bool Process::wait_for_err(const std::string& text) {
  return wait_for(err_path_, text);
}

bool Process::wait_for(const std::string& path, const std::string& text) {
  for (int i = 0; i < kLooks; ++i) {
    const bool runs = running();
    if (text_of_file(path).find(text) != std::string::npos) return true;
    if (!runs) return false;
    std::this_thread::sleep_for(kLook);
  }
  return false;
}

void Process::signal(int number) {
  kill(pid_, number);
}

Ended Process::wait() {
  if (!ended_) ended_ = waitpid(pid_, &status_, 0) == pid_;
  const int code = WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
  return {code, out(), text_of_file(err_path_)};
}

std::string Process::out() const {
  return text_of_file(out_path_);
}

std::string Process::err() const {
  return text_of_file(err_path_);
}

Ended kappa(const std::vector<std::string>& arguments, const std::string& input,
            const std::map<std::string, std::string>& environment) {
  const Scratch scratch;
  Process process(scratch.directory(), arguments, input, environment);
  return process.wait();
}

}  // namespace kappa::cli
