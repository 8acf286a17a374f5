#include <fstream>
#include <random>

#include "test/log/log_fixture.h"

namespace kappa::log {
namespace {

using Catch::Matchers::Contains;

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void spill(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

// A log of one partition made of several appends of three records, and its files in between.
struct Fixture {
  explicit Fixture(EmbeddedLogOptions chosen = {.fsync = Fsync::kNever}) : options(chosen) {
    const auto log = must_open(directory.path(), options);
    REQUIRE_OK(log->create_topic("t", {}));
  }

  // Appends `calls` times three records; returns the segment's size after each.
  std::vector<size_t> append(int64_t calls, bool sync = false) {
    const auto log = must_open(directory.path(), options);
    std::vector<size_t> sizes;
    for (int64_t i = 0; i < calls; ++i, next += 3) {
      append_values(*log, "t", numbers(next, 3));
      sizes.push_back(std::filesystem::file_size(segment()));
    }
    if (sync) REQUIRE_OK(log->sync());
    return sizes;
  }

  std::string segment(int64_t base = 0) const {
    std::string digits = std::to_string(base);
    digits.insert(0, 20 - digits.size(), '0');
    return directory.path() + "/t/0/" + digits + ".log";
  }

  absl::Status open_status() { return open_embedded_log(directory.path(), options).status(); }

  TempDirectory directory;
  EmbeddedLogOptions options;
  int64_t next = 0;
};

// As if the machine had been restarted since the last owner.
void pretend_restart(const std::string& directory) {
  spill(directory + "/~lock", "1\nanother-boot-id\n");
}

TEST_CASE("a tail torn at any byte is cut, and appending goes on from there") {
  Fixture f;
  const std::vector<size_t> sizes = f.append(3);
  const std::string whole = slurp(f.segment());
  for (size_t size = 0; size <= sizes[2]; ++size) {
    INFO("torn at byte " << size);
    spill(f.segment(), whole.substr(0, size));
    const auto good =
        static_cast<int64_t>(std::upper_bound(sizes.begin(), sizes.end(), size) - sizes.begin());
    const auto log = must_open(f.directory.path(), f.options);
    REQUIRE(values_of(read_all(*log, at("t"))) == numbers(0, 3 * good));
    REQUIRE(must(log->range(at("t"))).durable_end == Offset{3 * good});
    const size_t left = good == 0 ? 0 : sizes[static_cast<size_t>(good) - 1];
    REQUIRE(log->cut_tails().size() == (size == left ? 0 : 1));
    if (size != left) {
      REQUIRE(log->cut_tails()[0].partition == at("t"));
      REQUIRE(log->cut_tails()[0].end == Offset{3 * good});
      REQUIRE(log->cut_tails()[0].bytes == static_cast<int64_t>(size - left));
    }
    REQUIRE(std::filesystem::file_size(f.segment()) == left);
    REQUIRE(append_values(*log, "t", {"again"}) == Offset{3 * good});
    std::vector<std::string> values = numbers(0, 3 * good);
    values.emplace_back("again");
    REQUIRE(values_of(read_all(*log, at("t"))) == values);
  }
}

TEST_CASE("a flipped byte in the last batch is cut, never served") {
  Fixture f;
  const std::vector<size_t> sizes = f.append(2);
  const std::string whole = slurp(f.segment());
  for (size_t byte = sizes[0]; byte < sizes[1]; ++byte) {
    // Bytes 12 to 15 are the leader epoch, which means nothing here and no crc covers.
    if (byte - sizes[0] >= 12 && byte - sizes[0] < 16) continue;
    INFO("byte " << byte);
    std::string damaged = whole;
    damaged[byte] = static_cast<char>(damaged[byte] ^ 0x41);
    spill(f.segment(), damaged);
    const auto log = must_open(f.directory.path(), f.options);
    REQUIRE(values_of(read_all(*log, at("t"))) == numbers(0, 3));
    REQUIRE(log->cut_tails().size() == 1);
  }
}

TEST_CASE("a flipped byte with good records behind it is reported, not cut") {
  Fixture f;
  const std::vector<size_t> sizes = f.append(3);
  const std::string whole = slurp(f.segment());
  for (size_t byte = sizes[0]; byte < sizes[1]; ++byte) {
    if (byte - sizes[0] >= 12 && byte - sizes[0] < 16) continue;
    INFO("byte " << byte);
    std::string damaged = whole;
    damaged[byte] = static_cast<char>(damaged[byte] ^ 0x41);
    spill(f.segment(), damaged);
    const absl::Status status = f.open_status();
    REQUIRE(status.code() == absl::StatusCode::kDataLoss);
    REQUIRE_THAT(std::string(status.message()),
                 Contains("topic t partition 0: damaged at offset 3, byte " +
                          std::to_string(sizes[0]) + " of " + f.segment() + ": ") &&
                     Contains("good records follow"));
    REQUIRE(slurp(f.segment()) == damaged);
  }
}

TEST_CASE("a record that had been synced is never cut") {
  Fixture f({.fsync = Fsync::kOnSync});
  f.append(1);
  const std::vector<size_t> sizes = f.append(2, true);
  const std::string whole = slurp(f.segment());
  for (size_t size = 0; size < sizes[1]; size += 7) {
    spill(f.segment(), whole.substr(0, size));
    const absl::Status status = f.open_status();
    INFO(status);
    REQUIRE(status.code() == absl::StatusCode::kDataLoss);
    REQUIRE_THAT(std::string(status.message()), Contains("records up to offset 9 had been synced"));
  }
  // Not even if the machine was restarted, nor if the file ends cleanly between two batches.
  pretend_restart(f.directory.path());
  spill(f.segment(), whole.substr(0, sizes[0]));
  CHECK_THAT(std::string(f.open_status().message()),
             Contains("damaged at offset 6") && Contains("the file ends there"));
  std::filesystem::remove(f.segment());
  CHECK_THAT(
      std::string(f.open_status().message()),
      Contains("records up to offset 9 had been synced") && Contains("holds no segment file"));
  spill(f.segment(), whole);
  const auto log = must_open(f.directory.path(), f.options);
  CHECK(values_of(read_all(*log, at("t"))) == numbers(0, 9));
}

TEST_CASE("after a restart of the machine all from the first hole on is cut") {
  Fixture f({.fsync = Fsync::kOnSync});
  f.append(1, true);
  std::vector<size_t> sizes;
  std::string whole;
  const std::string mark = slurp(f.directory.path() + "/t/0/durable");
  sizes = f.append(3);
  whole = slurp(f.segment());
  // Pages that were never synced came to nothing, later ones did not.
  std::string holed = whole;
  std::fill(holed.begin() + static_cast<std::ptrdiff_t>(sizes[0]),
            holed.begin() + static_cast<std::ptrdiff_t>(sizes[1]), '\0');
  spill(f.segment(), holed);
  CHECK(f.open_status().code() == absl::StatusCode::kDataLoss);
  pretend_restart(f.directory.path());
  const auto log = must_open(f.directory.path(), f.options);
  CHECK(values_of(read_all(*log, at("t"))) == numbers(0, 6));
  CHECK(log->cut_tails().at(0).bytes == static_cast<int64_t>(sizes[2] - sizes[0]));
}

TEST_CASE("after a restart of the machine segments behind a hole are removed") {
  Fixture f({.fsync = Fsync::kOnSync, .segment_bytes = 1024});
  f.append(1, true);
  f.append(60);
  std::vector<int64_t> bases;
  for (const auto& entry : std::filesystem::directory_iterator(f.directory.path() + "/t/0")) {
    if (entry.path().extension() == ".log") bases.push_back(std::stoll(entry.path().stem()));
  }
  std::sort(bases.begin(), bases.end());
  REQUIRE(bases.size() >= 4);
  std::string second = slurp(f.segment(bases[1]));
  second[second.size() / 2] = static_cast<char>(second[second.size() / 2] ^ 1);
  spill(f.segment(bases[1]), second);
  const absl::Status status = f.open_status();
  CHECK(status.code() == absl::StatusCode::kDataLoss);
  CHECK_THAT(std::string(status.message()), Contains("segments follow"));
  pretend_restart(f.directory.path());
  const auto log = must_open(f.directory.path(), f.options);
  const int64_t end = must(log->range(at("t"))).end.value;
  CHECK(end > bases[1]);
  CHECK(end < bases[2]);
  CHECK(values_of(read_all(*log, at("t"))) == numbers(0, end));
  CHECK_FALSE(std::filesystem::exists(f.segment(bases[2])));
  CHECK_FALSE(std::filesystem::exists(f.segment(bases.back())));
  append_values(*log, "t", {"more"});
}

TEST_CASE("a missing segment is reported") {
  Fixture f({.fsync = Fsync::kNever, .segment_bytes = 1024});
  f.append(60);
  std::vector<int64_t> bases;
  for (const auto& entry : std::filesystem::directory_iterator(f.directory.path() + "/t/0")) {
    if (entry.path().extension() == ".log") bases.push_back(std::stoll(entry.path().stem()));
  }
  std::sort(bases.begin(), bases.end());
  std::filesystem::remove(f.segment(bases[1]));
  const absl::Status status = f.open_status();
  CHECK(status.code() == absl::StatusCode::kDataLoss);
  CHECK_THAT(std::string(status.message()),
             Contains("damaged at offset " + std::to_string(bases[1])) &&
                 Contains("the next segment starts at offset " + std::to_string(bases[2])));
}

TEST_CASE("damage in a sealed segment is reported when it is read") {
  Fixture f({.fsync = Fsync::kOnSync, .segment_bytes = 1024});
  f.append(60, true);
  std::string first = slurp(f.segment());
  first[first.size() / 2] = static_cast<char>(first[first.size() / 2] ^ 1);
  spill(f.segment(), first);
  const auto log = must_open(f.directory.path(), f.options);
  const auto reader = must(log->open_reader(at("t"), Offset{0}));
  absl::StatusOr<RecordBlock> block = reader->read(1 << 20);
  REQUIRE(block.ok());  // up to the damage
  const Offset reached = block->next_offset;
  CHECK(reached > Offset{0});
  block = reader->read(1 << 20);
  CHECK(block.status().code() == absl::StatusCode::kDataLoss);
  CHECK_THAT(std::string(block.status().message()),
             Contains("topic t partition 0: damaged at offset " + std::to_string(reached.value)) &&
                 Contains(f.segment()) && Contains("crc32c"));
  CHECK(reader->position() == reached);
  // What lies behind can be read all the same.
  CHECK(read_all(*log, at("t"), Offset{90}).size() == 90);
}

TEST_CASE("the index files of sealed segments are made anew when they are missing or torn") {
  Fixture f({.fsync = Fsync::kNever, .segment_bytes = 1024});
  f.append(60);
  int damaged = 0;
  for (const auto& entry : std::filesystem::directory_iterator(f.directory.path() + "/t/0")) {
    if (entry.path().extension() != ".index") continue;
    if (damaged++ % 2 == 0) {
      std::filesystem::remove(entry.path());
    } else {
      spill(entry.path(), slurp(entry.path()).substr(0, 20));
    }
  }
  REQUIRE(damaged > 2);
  const auto log = must_open(f.directory.path(), f.options);
  CHECK(values_of(read_all(*log, at("t"))) == numbers(0, 180));
  int there = 0;
  for (const auto& entry : std::filesystem::directory_iterator(f.directory.path() + "/t/0")) {
    if (entry.path().extension() == ".index" && entry.file_size() >= 48) ++there;
  }
  CHECK(there == damaged);
}

TEST_CASE("random bytes over a segment are cut or reported, and never served") {
  const uint32_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  Fixture f;
  f.append(20);
  const std::string whole = slurp(f.segment());
  for (int round = 0; round < 500; ++round) {
    std::string damaged = whole;
    const size_t from = random() % damaged.size();
    const size_t count = 1 + random() % std::min<size_t>(200, damaged.size() - from);
    for (size_t i = from; i < from + count; ++i) damaged[i] = static_cast<char>(random());
    if (random() % 3 == 0) damaged.resize(random() % damaged.size());
    spill(f.segment(), damaged);
    const auto log = open_embedded_log(f.directory.path(), f.options);
    if (!log.ok()) {
      REQUIRE(log.status().code() == absl::StatusCode::kDataLoss);
      continue;
    }
    const auto records = read_all(**log, at("t"));
    REQUIRE(records.size() % 3 == 0);
    REQUIRE(values_of(records) == numbers(0, static_cast<int64_t>(records.size())));
  }
}

TEST_CASE("a damaged topic file is reported with its path") {
  Fixture f;
  const std::string path = f.directory.path() + "/t/topic.json";
  for (const std::string content :
       {"", "[]", "{\"format\":1}", "{\"format\":1,\"partitions\":\"x\"}",
        "{\"format\":1,\"partitions\":99999999999,\"retention_ms\":null,\"retention_bytes\":null}",
        "{\"format\":1,\"partitions\":0,\"retention_ms\":null,\"retention_bytes\":null}",
        "{\"format\":1,\"partitions\":1,\"retention_ms\":-4,\"retention_bytes\":null}"}) {
    spill(path, content);
    INFO(content);
    CHECK(f.open_status().code() == absl::StatusCode::kDataLoss);
    CHECK_THAT(std::string(f.open_status().message()), Contains(path));
  }
  spill(path, "{\"format\":2,\"partitions\":1}");
  CHECK(f.open_status().message() ==
        path + " has the format 2; this version of kappa reads format 1");
}

}  // namespace
}  // namespace kappa::log
