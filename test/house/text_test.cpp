#include <string>

#include <catch2/catch.hpp>

#include "test/house/source_tree.h"

namespace kappa::house {
namespace {

// Written in two halves, so that this file does not hold what it forbids.
const std::string kMachinePaths[] = {std::string("/wo") + "rk/", std::string("/ro") + "ot/",
                                     std::string("/ho") + "me/"};
const std::string kUnfinishedMarks[] = {std::string("TO") + "DO", std::string("FIX") + "ME"};

std::string lines_with(const SourceFile& file, const std::string& text) {
  std::string found;
  for (const Line& line : file.lines) {
    if (line.text.find(text) != std::string::npos) {
      found += file.path + ":" + std::to_string(line.number) + ": " + line.text + "\n";
    }
  }
  return found;
}

}  // namespace

TEST_CASE("no file names a path of the machine it was written on") {
  std::string found;
  for (const SourceFile& file :
       source_files({".h", ".cpp", ".txt", ".cmake", ".sh", ".md", ".slt", ".sql", ".proto"})) {
    for (const std::string& path : kMachinePaths) found += lines_with(file, path);
  }
  INFO(found);
  CHECK(found.empty());
}

TEST_CASE("no source file carries an unfinished mark") {
  std::string found;
  for (const SourceFile& file : source_files({".h", ".cpp", ".sh", ".sql", ".proto"})) {
    for (const std::string& mark : kUnfinishedMarks) found += lines_with(file, mark);
  }
  INFO(found);
  CHECK(found.empty());
}

TEST_CASE("no source file is longer than 600 lines") {
  std::string found;
  for (const SourceFile& file : source_files({".h", ".cpp"})) {
    if (file.lines.size() > 600) {
      found += file.path + ": " + std::to_string(file.lines.size()) + "\n";
    }
  }
  INFO(found);
  CHECK(found.empty());
}

TEST_CASE("every room has a README") {
  const auto readmes = source_files({"README.md"});
  for (const char* room :
       {"engine/types", "engine/log", "engine/sql", "engine/runtime", "engine/serve", "engine/cli",
        "operators", "state", "schemas", "deploy", "bench", "test"}) {
    bool there = false;
    for (const SourceFile& file : readmes) {
      there = there || file.path == std::string(room) + "/README.md";
    }
    INFO(room);
    CHECK(there);
  }
}

}  // namespace kappa::house
