#include "test/kafka/broker.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kappa::test {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kLook{50};
constexpr int kLooksMax = 1200;  // a minute

// KAPPA_KAFKA_DIR: where ctest keeps the jars and the shared broker. KAPPA_KAFKA_SCRIPTS: here.
const std::string kDirectory = KAPPA_KAFKA_DIR;
const std::string kLib = kDirectory + "/lib";

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string line_of(const fs::path& path) {
  std::string text = text_of(path);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

bool ends_within_a_minute(pid_t pid, int* status) {
  for (int look = 0; look < kLooksMax; ++look) {
    if (waitpid(pid, status, WNOHANG) == pid) return true;
    std::this_thread::sleep_for(kLook);
  }
  ::kill(pid, SIGKILL);
  waitpid(pid, status, 0);
  return false;
}

}  // namespace

std::string why_no_kafka() {
  if (fs::exists(kLib + "/complete")) return "";
  return "no Kafka broker to test against: " + kLib + " has no jars (test/kafka/install.sh)";
}

void say_skipped() {
  std::printf("SKIPPED: %s\n", why_no_kafka().c_str());
  std::fflush(stdout);
}

std::string shared_broker() {
  const std::string bootstrap = line_of(kDirectory + "/shared/bootstrap");
  INFO("run it by ctest, or call test/kafka/start.sh " << kLib << " " << kDirectory << "/shared");
  REQUIRE_FALSE(bootstrap.empty());
  return bootstrap;
}

std::string unique_name(const std::string& stem) {
  static int number = 0;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  return stem + "-" + std::to_string(us) + "-" + std::to_string(number++);
}

Broker::Broker() {
  fs::create_directories(kDirectory);
  std::string directory = kDirectory + "/own-XXXXXX";
  REQUIRE(mkdtemp(directory.data()) != nullptr);
  directory_ = directory;
  start();
}

Broker::~Broker() {
  kill();
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void Broker::start() {
  REQUIRE(pid_ < 0);
  const std::string log = directory_ + "/broker.log";
  fs::remove(log);
  std::vector<std::string> words = {KAPPA_KAFKA_SCRIPTS "/start.sh", "--foreground", kLib,
                                    directory_};
  const std::vector<char*> argv = pointers(words);
  pid_ = fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execv(argv[0], argv.data());
    _exit(127);
  }
  bool ready = false;
  for (int look = 0; look < kLooksMax && !ready; ++look) {
    std::this_thread::sleep_for(kLook);
    ready = text_of(log).find("Kafka Server started") != std::string::npos;
  }
  INFO(text_of(directory_ + "/format.log") << text_of(log));
  REQUIRE(ready);
  bootstrap_ = line_of(directory_ + "/bootstrap");
}

void Broker::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void Broker::pause() {
  REQUIRE(::kill(pid_, SIGSTOP) == 0);
}

void Broker::resume() {
  REQUIRE(::kill(pid_, SIGCONT) == 0);
}

std::string kcat(const std::string& bootstrap, const std::vector<std::string>& arguments,
                 const std::string& input) {
  std::string base = kDirectory + "/kcat-XXXXXX";
  REQUIRE(mkdtemp(base.data()) != nullptr);
  std::ofstream(base + "/in") << input;
  std::vector<std::string> words = {"kcat", "-b", bootstrap};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const std::vector<char*> argv = pointers(words);
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    dup2(open((base + "/in").c_str(), O_RDONLY), STDIN_FILENO);
    dup2(open((base + "/out").c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
    dup2(open((base + "/err").c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  const bool ended = ends_within_a_minute(pid, &status);
  std::string out = text_of(base + "/out");
  INFO("kcat: " << text_of(base + "/err"));
  fs::remove_all(base);
  CHECK(ended);
  REQUIRE(status == 0);
  return out;
}

std::vector<std::string> committed_records(const std::string& bootstrap, const std::string& topic,
                                           const std::string& format) {
  await_decided(bootstrap, topic);
  const std::string text = kcat(bootstrap, {"-C", "-q", "-e", "-t", topic, "-o", "beginning", "-X",
                                            "isolation.level=read_committed", "-f", format + "\n"});
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace kappa::test
