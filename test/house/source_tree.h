#pragma once

#include <string>
#include <vector>

namespace kappa::house {

// One line of a file, by its number from 1.
struct Line {
  int number;
  std::string text;
};

struct SourceFile {
  std::string path;  // relative to the root of the tree, with '/'
  std::vector<Line> lines;
  bool is_header() const { return path.ends_with(".h"); }
};

// An #include of a file.
struct Include {
  std::string target;
  int line;
};

// Every file below the project's top-level folders whose name ends in one of `suffixes`, by path.
std::vector<SourceFile> source_files(const std::vector<std::string>& suffixes);
std::vector<Include> includes_of(const SourceFile& file);

}  // namespace kappa::house
