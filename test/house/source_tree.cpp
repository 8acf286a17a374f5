#include "test/house/source_tree.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace kappa::house {
namespace {

const char* const kFolders[] = {".ci",       "bench",  "cmake",   "deploy", "engine",
                                "operators", "replay", "schemas", "state",  "test"};

bool has_suffix(const std::string& path, const std::vector<std::string>& suffixes) {
  return std::any_of(suffixes.begin(), suffixes.end(),
                     [&](const std::string& suffix) { return path.ends_with(suffix); });
}

SourceFile read_source(const std::filesystem::path& root, const std::filesystem::path& path) {
  SourceFile file{path.lexically_relative(root).generic_string(), {}};
  std::ifstream in(path);
  std::string text;
  for (int number = 1; std::getline(in, text); ++number) file.lines.push_back({number, text});
  return file;
}

}  // namespace

std::vector<SourceFile> source_files(const std::vector<std::string>& suffixes) {
  const std::filesystem::path root = KAPPA_SOURCE_DIR;
  std::vector<SourceFile> files;
  for (const char* folder : kFolders) {
    if (!std::filesystem::exists(root / folder)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      if (entry.is_regular_file() && has_suffix(entry.path().string(), suffixes)) {
        files.push_back(read_source(root, entry.path()));
      }
    }
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

std::vector<Include> includes_of(const SourceFile& file) {
  std::vector<Include> includes;
  for (const Line& line : file.lines) {
    size_t at = line.text.find_first_not_of(" \t");
    if (at == std::string::npos || line.text[at] != '#') continue;
    at = line.text.find_first_not_of(" \t", at + 1);
    if (at == std::string::npos || line.text.compare(at, 7, "include") != 0) continue;
    const size_t open = line.text.find_first_of("\"<", at + 7);
    if (open == std::string::npos) continue;
    const size_t close = line.text.find_first_of("\">", open + 1);
    if (close == std::string::npos) continue;
    includes.push_back({line.text.substr(open + 1, close - open - 1), line.number});
  }
  return includes;
}

}  // namespace kappa::house
