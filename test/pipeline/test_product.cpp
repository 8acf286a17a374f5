#include "test/pipeline/test_product.h"

#include <algorithm>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "engine/sql/catalog.h"

namespace kappa::test {

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "kappa-test-XXXXXX").string();
  path_ = ::mkdtemp(name.data());
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void require_ok(const absl::Status& status) {
  INFO(status.ToString());
  REQUIRE(status.ok());
}

TestProduct::TestProduct(std::string sql, runtime::PipelineOptions with)
    : options(std::move(with)), sql_(std::move(sql)) {
  log::EmbeddedLogOptions log_options;
  log_options.fsync = log::Fsync::kNever;
  log_options.retention_check_ms = 0;
  log_options.clock = &clock;
  auto opened = log::open_embedded_log(directory.path("log"), log_options);
  require_ok(opened.status());
  log = *std::move(opened);
}

void TestProduct::open() {
  auto compiled = sql::compile_product({{"product.sql", sql_}}, {});
  INFO(sql::to_status(compiled.diagnostics).ToString());
  REQUIRE(compiled.ok());
  auto opened = runtime::Pipeline::open(std::move(compiled.plan), {}, log.get(), store.get(),
                                        directory.path("journal"), &clock, options);
  require_ok(opened.status());
  pipeline = *std::move(opened);
}

void TestProduct::append(const std::string& topic, const std::string& json, int64_t timestamp_ms,
                         int32_t partition) {
  if (!log->topic(topic).ok()) require_ok(log->create_topic(topic, {.partitions = 2}));
  if (!pipeline) open();
  clock.set(std::max(clock.now(), LogTime{timestamp_ms}));
  const log::RecordToAppend record{.key = {},
                                   .value = json,
                                   .timestamp = LogTime{timestamp_ms},
                                   .partition = partition,
                                   .headers = nullptr};
  require_ok(log->append(topic, {&record, 1}).status());
}

void TestProduct::crash_and_reopen() {
  pipeline.reset();
  open();
}

std::vector<std::string> TestProduct::rows(const std::string& view) {
  if (!pipeline) open();
  const operators::NodeId id = pipeline->plan().find_view(view);
  REQUIRE(id != operators::kNoNode);
  std::vector<int> columns(pipeline->plan().node(id).schema.size());
  for (size_t c = 0; c < columns.size(); ++c) columns[c] = static_cast<int>(c);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  auto snapshot = pipeline->pin({id}, deadline);
  require_ok(snapshot.status());
  std::vector<std::string> rows;
  Arena arena;
  while (true) {
    auto batch = (*snapshot)->next(id, columns, arena);
    require_ok(batch.status());
    if (batch->empty()) break;
    for (size_t row = 0; row < batch->rows; ++row) {
      std::string text;
      for (const ColumnRef& column : batch->columns) {
        if (!text.empty()) text += "|";
        text += to_text(value_at(*column, row));
      }
      rows.push_back(std::move(text));
    }
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::vector<std::string> TestProduct::topic(const std::string& name) {
  std::vector<std::string> values;
  const auto info = log->topic(name);
  if (!info.ok()) return values;
  for (int32_t p = 0; p < info->config.partitions; ++p) {
    const auto range = log->range({name, p});
    require_ok(range.status());
    auto reader = log->open_reader({name, p}, Offset{0});
    require_ok(reader.status());
    while ((*reader)->position() < range->end) {
      auto block = (*reader)->read_to(range->end, 1 << 20);
      if (absl::IsUnavailable(block.status())) continue;
      require_ok(block.status());
      for (const RecordView& record : block->records) {
        values.emplace_back(record.value_view().value_or("(null)"));
      }
    }
  }
  return values;
}

std::string TestProduct::dump() {
  if (!pipeline) open();
  auto dump = pipeline->canonical_dump();
  require_ok(dump.status());
  return *dump;
}

}  // namespace kappa::test
