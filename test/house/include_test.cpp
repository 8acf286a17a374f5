#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "test/house/source_tree.h"

namespace kappa::house {
namespace {

// The rooms, and how high each stands: a room may include itself and every lower one, so peers do
// not know each other. The longest matching folder is a file's room.
struct Room {
  std::string folder;
  int level;
};
const Room kRooms[] = {
    {"engine/types", 0},        {"schemas", 1},      {"state", 1},
    {"engine/log", 1},          {"operators", 2},    {"engine/sql", 3},
    {"engine/runtime", 4},      {"engine/serve", 5}, {"engine/log/kafka", 5},
    {"engine/log/embedded", 5}, {"replay", 6},       {"engine/cli", 7},
};

const Room* room_of(const std::string& path) {
  const Room* found = nullptr;
  for (const Room& room : kRooms) {
    if (path.starts_with(room.folder + "/") &&
        (!found || room.folder.size() > found->folder.size())) {
      found = &room;
    }
  }
  return found;
}

// Third-party headers that one module adapts: which folders may see them, in .cpp files only.
struct Adapted {
  std::string prefix;
  std::vector<std::string> folders;
};
const Adapted kAdapted[] = {
    {"rocksdb/", {"state"}},
    {"librdkafka/", {"engine/log/kafka", "bench"}},
    {"grpc", {"engine/serve", "replay"}},
    {"pg_query", {"engine/sql"}},
    {"simdjson", {"schemas", "bench"}},
    {"google/protobuf/", {"schemas", "engine/serve", "engine/sql", "engine/cli", "replay"}},
    {"prometheus/", {"engine/serve"}},
    {"httplib", {"engine/serve"}},
    {"CLI/", {"engine/cli"}},
    {"yaml-cpp/", {"engine/cli"}},
    {"xgboost/", {"operators"}},
};

std::optional<std::string> fault_of(const SourceFile& file, const Include& include) {
  const Room* from = room_of(file.path);
  const Room* to = room_of(include.target);
  if (to && to->level >= from->level && to->folder != from->folder) {
    return from->folder + " may not include " + to->folder;
  }
  for (const Adapted& adapted : kAdapted) {
    if (!include.target.starts_with(adapted.prefix)) continue;
    if (file.is_header()) return "a header may not include " + include.target;
    bool allowed = false;
    for (const std::string& folder : adapted.folders) {
      allowed = allowed || file.path.starts_with(folder + "/");
    }
    if (!allowed) return include.target + " belongs to " + adapted.folders.front();
  }
  return std::nullopt;
}

std::string faults_of(const SourceFile& file) {
  std::string faults;
  for (const Include& include : includes_of(file)) {
    if (const auto fault = fault_of(file, include)) {
      faults += file.path + ":" + std::to_string(include.line) + ": " + *fault + "\n";
    }
  }
  return faults;
}

SourceFile file_with(std::string path, const std::string& include_line) {
  return {std::move(path), {{1, include_line}}};
}

}  // namespace

TEST_CASE("includes go one way through the house") {
  std::string faults;
  int seen = 0;
  for (const SourceFile& file : source_files({".h", ".cpp"})) {
    if (!room_of(file.path)) continue;
    ++seen;
    faults += faults_of(file);
  }
  INFO(faults);
  CHECK(faults.empty());
  CHECK(seen > 50);
}

TEST_CASE("an include of a higher room is a fault") {
  CHECK(faults_of(file_with("state/table.cpp", "#include \"engine/runtime/pipeline.h\"")) ==
        "state/table.cpp:1: state may not include engine/runtime\n");
}

TEST_CASE("an include of a peer is a fault") {
  CHECK_FALSE(faults_of(file_with("state/table.cpp", "#include \"schemas/source.h\"")).empty());
  CHECK_FALSE(
      faults_of(file_with("engine/serve/x.h", "#include \"engine/log/embedded/y.h\"")).empty());
}

TEST_CASE("a room includes itself and what is below it") {
  CHECK(faults_of(file_with("engine/log/embedded/a.h", "#include \"engine/log/log.h\"")).empty());
  CHECK(faults_of(file_with("engine/cli/a.cpp", "#include \"replay/b.h\"")).empty());
}

TEST_CASE("a third-party header outside the module that adapts it is a fault") {
  CHECK_FALSE(faults_of(file_with("operators/a.cpp", "#include <rocksdb/db.h>")).empty());
  CHECK_FALSE(faults_of(file_with("state/a.h", "#  include <rocksdb/db.h>")).empty());
  CHECK(faults_of(file_with("state/a.cpp", "#include <rocksdb/db.h>")).empty());
}

}  // namespace kappa::house
