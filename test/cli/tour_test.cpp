// The commands of the README's tour, as they are printed there.

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <signal.h>
#include <sys/wait.h>

#include "test/cli/process.h"
#include "test/cli/scratch.h"

namespace kappa::cli {
namespace {

// The lines of the block behind the mark.
std::vector<std::string> tour() {
  const std::string readme = text_of_file(std::string(KAPPA_SOURCE_DIR) + "/README.md");
  const size_t mark = readme.find("<!-- tour -->");
  REQUIRE(mark != std::string::npos);
  const size_t begin = readme.find("```sh\n", mark) + 6;
  std::istringstream block(readme.substr(begin, readme.find("```", begin) - begin));
  std::vector<std::string> lines;
  for (std::string line; std::getline(block, line);) lines.push_back(line);
  return lines;
}

// A line in a shell, in a directory that looks like a clone beside which the playground runs.
Ended run(const Scratch& scratch, const std::string& line) {
  scratch.file("line.sh", line + "\n");
  const std::string bin = std::filesystem::path(KAPPA_BINARY).parent_path();
  const std::string command = "cd '" + scratch.directory() + "' && PATH='" + bin +
                              "':$PATH bash ./line.sh >out 2>err </dev/null";
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text_of_file(scratch.path("out")),
          text_of_file(scratch.path("err"))};
}

}  // namespace

TEST_CASE("the tour of the README changes the logic and takes it back") {
  const Scratch scratch;
  std::filesystem::create_directory_symlink(std::string(KAPPA_SOURCE_DIR) + "/schemas",
                                            scratch.path("schemas"));
  Process playground(scratch.directory(),
                     {"playground", "--data", scratch.path("kappa-data"), "--listen", "127.0.0.1:0",
                      "--http", "127.0.0.1:0", "--output", "json"});
  REQUIRE(playground.wait_for_output("\"progress\""));
  std::string all;
  for (const std::string& line : tour()) {
    const Ended ended = run(scratch, line);
    INFO(line << "\n" << ended.out << ended.err);
    CHECK(ended.code == 0);
    all += ended.out;
  }
  INFO(all);
  using Catch::Contains;
  CHECK_THAT(all, Contains("~ view card_minutes") && Contains("~ view suspicious_cards"));
  CHECK_THAT(all, Contains("A replay reads") && Contains("iB of disk, "));
  CHECK_THAT(all, Contains("generation 2 of product playground is ready"));
  CHECK_THAT(all, Contains("generation 2 against generation 1") &&
                      Contains("= revenue_by_channel") && Contains("of 22 views are equal"));
  CHECK_THAT(all, Contains("generation 2 is live, in place of generation 1"));
  CHECK_THAT(all, Contains("generation 1 is live, in place of generation 2"));
  CHECK_THAT(all, Contains("removed generation 2"));
  playground.signal(SIGINT);
  const Ended ended = playground.wait();
  INFO(ended.err);
  CHECK(ended.code == 0);
}

}  // namespace kappa::cli
