#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "test/cli/process.h"

namespace kappa::cli {
namespace {

const std::vector<std::string> kCommands = {
    "playground", "serve",    "query", "inspect", "topics", "produce", "consume",   "dlq",
    "doctor",     "validate", "plan",  "apply",   "test",   "version", "completion"};

bool mentions(const std::string& text, const std::string& part) {
  INFO(text);
  INFO(part);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("help lists every command, and every command has help with examples") {
  const Ended help = kappa({"--help"});
  CHECK(help.code == 0);
  for (const std::string& command : kCommands) {
    CHECK(mentions(help.out, "\n  " + command + " "));
    const Ended own = kappa({command, "--help"});
    CHECK(own.code == 0);
    CHECK(mentions(own.out, "Examples:\n  "));
    CHECK(mentions(own.out, "Usage: kappa " + command + " "));
    if (command != "completion") CHECK(mentions(own.out, "--output"));
  }
}

TEST_CASE("without a command the help goes to standard error and the exit code is 2") {
  const Ended ended = kappa({});
  CHECK(ended.code == 2);
  CHECK(ended.out.empty());
  CHECK(mentions(ended.err, "playground"));
}

TEST_CASE("a misspelt command is answered with the right one") {
  const Ended ended = kappa({"qurey", "SELECT 1"});
  CHECK(ended.code == 2);
  CHECK(mentions(ended.err, "there is no command \"qurey\"; did you mean \"query\"?"));
}

TEST_CASE("wrong options end with 2 and name the help") {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"query"},
                                             {"query", "SELECT 1", "--no-such-option"},
                                             {"test"},
                                             {"serve", "--workers", "none"},
                                             {"serve", "--workers", "0"},
                                             {"inspect", "--output", "xml"},
                                             {"completion", "fish"}}) {
    const Ended ended = kappa(words);
    INFO(words[0]);
    CHECK(ended.code == 2);
    CHECK(ended.out.empty());
    CHECK(mentions(ended.err, "kappa: error: "));
    CHECK(mentions(ended.err, "see: kappa " + words[0] + " --help"));
  }
}

TEST_CASE("a value that an option does not take is answered with what it takes") {
  const auto refusal = [](const std::vector<std::string>& words) {
    const Ended ended = kappa(words);
    CHECK(ended.code == 2);
    return ended.err.substr(0, ended.err.find('\n'));
  };
  CHECK(refusal({"query", "SELECT 1", "--output", "xml"}) ==
        "kappa: error: --output: expected table or json, got xml");
  CHECK(refusal({"serve", "--fsync", "never"}) ==
        "kappa: error: --fsync: expected on-sync or interval or always, got never");
  CHECK(refusal({"serve", "--workers", "129"}) ==
        "kappa: error: --workers: expected a whole number from 1 to 128, got 129");
  CHECK(refusal({"consume", "t", "--limit", "-1"}) ==
        "kappa: error: --limit: expected a whole number of at least 0, got -1");
  CHECK(refusal({"consume", "t", "--partition", "9999999999"}) ==
        "kappa: error: --partition: expected a whole number from 0 to 2147483647, got 9999999999");
}

TEST_CASE("the version can be had as text and as JSON") {
  CHECK(mentions(kappa({"version"}).out, "kappa 0."));
  CHECK(nlohmann::json::parse(kappa({"version", "--output", "json"}).out).contains("version"));
}

TEST_CASE("nothing is coloured in a pipe") {
  const Ended ended = kappa({"validate", std::string(KAPPA_SOURCE_DIR) + "/schemas/playground"});
  CHECK(ended.code == 0);
  CHECK(ended.out.find('\x1b') == std::string::npos);
}

TEST_CASE("the completion script knows the commands and their options") {
  const Ended ended = kappa({"completion", "bash"});
  CHECK(ended.code == 0);
  CHECK(mentions(ended.out, "complete -o default -F _kappa kappa"));
  for (const std::string& command : kCommands) CHECK(mentions(ended.out, command));
  CHECK(mentions(ended.out, "--checksum"));
}

TEST_CASE("a command without a data directory and without a server says what to do") {
  const Ended ended = kappa({"query", "SELECT 1", "--data", "/no/such/directory"});
  CHECK(ended.code == 1);
  CHECK(mentions(ended.err, "there is no data directory /no/such/directory"));
  CHECK(mentions(ended.err, "--server"));
}

TEST_CASE("a server that is not there is named") {
  const Ended ended =
      kappa({"query", "SELECT 1", "--server", "127.0.0.1:1", "--timeout-ms", "2000"});
  CHECK(ended.code == 1);
  CHECK(mentions(ended.err, "127.0.0.1:1"));
}

}  // namespace kappa::cli
