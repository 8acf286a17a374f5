#include "engine/runtime/order_journal.h"

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "test/pipeline/test_product.h"

namespace kappa::runtime {
namespace {

using test::require_ok;
using test::TemporaryDirectory;

JournalEntry live(int64_t clock, std::vector<JournalEntry::Advance> advances) {
  return {JournalEntry::Kind::kLive, LogTime{clock}, std::move(advances)};
}

std::unique_ptr<OrderJournal> open(const std::string& path, bool writer = true) {
  auto journal = OrderJournal::open(path, writer);
  require_ok(journal.status());
  return *std::move(journal);
}

std::optional<JournalEntry> next(OrderJournal& journal) {
  auto entry = journal.next();
  require_ok(entry.status());
  return *std::move(entry);
}

const TopicPartition kA{"a", 0};
const TopicPartition kB{"b", 3};

TEST_CASE("entries are read back as they were written, offsets and all") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("journal");
  const auto writer = open(path);
  require_ok(writer->append(live(10, {{kA, Offset{5}, 111}})));
  require_ok(writer->append(live(20, {{kB, Offset{2}, 222}, {kA, Offset{6}, 333}})));
  require_ok(writer->append({JournalEntry::Kind::kTick, LogTime{30}, {}}));
  CHECK(!next(*writer));

  const auto reader = open(path, false);
  CHECK(reader->id() == writer->id());
  auto entry = next(*reader);
  REQUIRE(entry);
  CHECK(entry->clock == LogTime{10});
  CHECK(entry->advances[0].partition == kA);
  CHECK(entry->advances[0].to == Offset{5});
  CHECK(entry->advances[0].last_record == 111);
  entry = next(*reader);
  REQUIRE(entry);
  REQUIRE(entry->advances.size() == 2);
  CHECK(entry->advances[0].partition == kB);
  CHECK(entry->advances[1].to == Offset{6});
  entry = next(*reader);
  REQUIRE(entry);
  CHECK(entry->kind == JournalEntry::Kind::kTick);
  CHECK(!next(*reader));
}

TEST_CASE("a reader sees what is appended after it reached the end") {
  const TemporaryDirectory directory;
  const auto writer = open(directory.path("journal"));
  const auto reader = open(directory.path("journal"), false);
  CHECK(!next(*reader));
  require_ok(writer->append(live(10, {{kA, Offset{5}, 1}})));
  CHECK(next(*reader)->advances[0].to == Offset{5});
  CHECK(!next(*reader));
  require_ok(writer->append(live(11, {{kA, Offset{9}, 2}})));
  CHECK(next(*reader)->advances[0].to == Offset{9});
}

TEST_CASE("whoever resumes at a bookmark reads on from there") {
  const TemporaryDirectory directory;
  const auto writer = open(directory.path("journal"));
  require_ok(writer->append(live(10, {{kA, Offset{5}, 1}})));
  const JournalBookmark here = writer->bookmark();
  require_ok(writer->append(live(20, {{kB, Offset{7}, 2}, {kA, Offset{8}, 3}})));
  const auto reader = open(directory.path("journal"), false);
  require_ok(reader->resume(here));
  const auto entry = next(*reader);
  REQUIRE(entry);
  CHECK(entry->advances[0].partition == kB);
  CHECK(entry->advances[1].to == Offset{8});
}

TEST_CASE("a journal that was cut goes on after the cut") {
  const TemporaryDirectory directory;
  const auto writer = open(directory.path("journal"));
  require_ok(writer->append(live(10, {{kA, Offset{5}, 1}})));
  const JournalBookmark here = writer->bookmark();
  require_ok(writer->append(live(20, {{kB, Offset{7}, 2}})));
  require_ok(writer->cut(here));
  CHECK(!next(*writer));
  require_ok(writer->append(live(21, {{kA, Offset{6}, 3}})));
  const auto reader = open(directory.path("journal"), false);
  CHECK(next(*reader)->clock == LogTime{10});
  CHECK(next(*reader)->clock == LogTime{21});
  CHECK(!next(*reader));
}

TEST_CASE("a journal torn at any byte of its last frame ends before it") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("journal");
  uintmax_t whole = 0;
  {
    const auto writer = open(path);
    require_ok(writer->append(live(10, {{kA, Offset{5}, 1}})));
    whole = std::filesystem::file_size(path);
    require_ok(writer->append(live(20, {{kA, Offset{700}, 2}})));
  }
  const uintmax_t size = std::filesystem::file_size(path);
  for (uintmax_t torn = whole; torn < size; ++torn) {
    const std::string copy = directory.path("torn");
    std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(copy, torn);
    const auto journal = open(copy);
    CHECK(next(*journal)->clock == LogTime{10});
    CHECK(!next(*journal));
    require_ok(journal->append(live(30, {{kA, Offset{6}, 3}})));
    const auto reader = open(copy, false);
    CHECK(next(*reader)->clock == LogTime{10});
    CHECK(next(*reader)->clock == LogTime{30});
  }
}

TEST_CASE("damage before the last frame is named, not skipped") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("journal");
  {
    const auto writer = open(path);
    for (int i = 1; i < 10; ++i) require_ok(writer->append(live(i, {{kA, Offset{i}, 1}})));
  }
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(24 + 8 + 2);
  file.put('\x7f');
  file.close();
  const auto reader = open(path, false);
  const auto entry = reader->next();
  CHECK(absl::IsDataLoss(entry.status()));
  CHECK_THAT(std::string(entry.status().message()), Catch::Contains("is damaged at byte 24"));
}

TEST_CASE("a file that is no journal is refused") {
  const TemporaryDirectory directory;
  std::ofstream(directory.path("other")) << "this is not a journal at all, but it is long enough";
  const auto journal = OrderJournal::open(directory.path("other"), true);
  CHECK(absl::IsDataLoss(journal.status()));
}

}  // namespace
}  // namespace kappa::runtime
