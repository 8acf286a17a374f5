#include <catch2/catch.hpp>

#include "test/cli/process.h"
#include "test/cli/scratch.h"

namespace kappa::cli {
namespace {

// What `kappa query` says shows which data directory it took: it names it, for it is not there.
std::string data_taken(const std::vector<std::string>& more,
                       const std::map<std::string, std::string>& environment) {
  std::vector<std::string> words = {"query", "SELECT 1"};
  words.insert(words.end(), more.begin(), more.end());
  const Ended ended = kappa(words, "", environment);
  const std::string before = "there is no data directory ";
  const size_t at = ended.err.find(before);
  if (at == std::string::npos) return ended.err;
  const size_t begin = at + before.size();
  return ended.err.substr(begin, ended.err.find(';', begin) - begin);
}

bool mentions(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a flag goes before the environment, that before the file, that before the default") {
  const Scratch scratch;
  const std::string file =
      scratch.file("kappa.yaml", "data: /from/top\nquery:\n  data: /from/file\n");
  CHECK(data_taken({"--config", file, "--data", "/from/flag"},
                   {{"KAPPA_DATA", "/from/variable"}}) == "/from/flag");
  CHECK(data_taken({"--config", file}, {{"KAPPA_DATA", "/from/variable"}}) == "/from/variable");
  CHECK(data_taken({"--config", file}, {}) == "/from/file");
  CHECK(data_taken({}, {{"KAPPA_CONFIG", file}}) == "/from/file");
  CHECK(data_taken({"--config", scratch.file("top.yaml", "data: /from/top\n")}, {}) == "/from/top");
}

TEST_CASE(
    "a data directory on the command line goes before a server from elsewhere, and vice versa") {
  const Scratch scratch;
  CHECK(data_taken({"--data", "/from/flag"}, {{"KAPPA_SERVER", "127.0.0.1:1"}}) == "/from/flag");
  const std::string file = scratch.file("kappa.yaml", "server: 127.0.0.1:1\n");
  CHECK(data_taken({"--config", file, "--data", "/from/flag"}, {}) == "/from/flag");
  CHECK(data_taken({"--config", file}, {{"KAPPA_DATA", "/from/variable"}}) == "/from/variable");
  const std::string nobody = "no kappa server answers at 127.0.0.1:1";
  CHECK(mentions(data_taken({"--server", "127.0.0.1:1"}, {{"KAPPA_DATA", "/from/variable"}}),
                 nobody));
  CHECK(mentions(data_taken({}, {{"KAPPA_SERVER", "127.0.0.1:1"}, {"KAPPA_DATA", "/a"}}), nobody));
  const Ended both = kappa({"query", "SELECT 1", "--data", "/a", "--server", "127.0.0.1:1"});
  CHECK(both.code == 2);
  CHECK(mentions(both.err, "--server"));
  CHECK(mentions(both.err, "--data"));
}

TEST_CASE("a faulty configuration ends with 2 and names the line") {
  const Scratch scratch;
  const auto run = [&](const std::string& text) {
    return kappa({"query", "SELECT 1", "--config", scratch.file("k.yaml", text)});
  };
  Ended ended = run("\ndatta: x\n");
  CHECK(ended.code == 2);
  CHECK(mentions(ended.err, "k.yaml:2: there is no setting \"datta\"; did you mean \"data\"?"));
  ended = run("query:\n  workers: 2\n");  // a setting, but of another command
  CHECK(ended.code == 2);
  CHECK(mentions(ended.err, "k.yaml:2: there is no setting \"workers\""));
  ended = run("data: [a\n");
  CHECK(ended.code == 2);
  CHECK(mentions(ended.err, "k.yaml:"));
  ended = run("- a\n");
  CHECK(ended.code == 2);
  CHECK(mentions(ended.err, "expected settings as \"name: value\""));
  ended = run("timeout-ms: soon\n");
  CHECK(ended.code == 2);
  CHECK(mentions(ended.err, "k.yaml:1"));
  CHECK(kappa({"query", "SELECT 1", "--config", scratch.path("none.yaml")}).code == 2);
}

TEST_CASE("a faulty variable ends with 2 and is named") {
  const Ended ended = kappa({"query", "SELECT 1"}, "", {{"KAPPA_TIMEOUT_MS", "soon"}});
  CHECK(ended.code == 2);
  CHECK(mentions(ended.err, "KAPPA_TIMEOUT_MS"));
}

}  // namespace kappa::cli
