#include <map>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/types/hash.h"
#include "random_rows.h"
#include "state/checkpoint.h"
#include "state/table.h"
#include "temporary_directory.h"

namespace kappa::state {
namespace {

using Rows = std::map<std::string, std::string>;  // stored value by stored key

constexpr TableId kTableIds[] = {{11, 0}, {11, 1}, {12, 0}};
const std::vector<Type> kKey = {Type::bigint()};
const std::vector<Type> kValues = {Type::bigint(), Type::text()};

// The tables of some workers, what they should hold, and the store behind them. Its checkpoints go
// round the tables within a few checkpoints, so that old ones become void and are erased.
class Pipeline {
 public:
  explicit Pipeline(uint64_t seed)
      : random_(seed), store_(*open_rocksdb_store(directory_ / "db")), rows_(std::size(kTableIds)) {
    restart();
  }

  void step() {
    const size_t choice = random_.below(20);
    if (choice < 9) {
      change();
    } else if (choice < 18) {
      checkpoint();
    } else if (choice < 19) {
      REQUIRE(checkpoints_->erase_void().ok());
    } else {
      restart();
    }
  }

  // From what the store holds, with another number of workers.
  void restart() {
    const bool reopen = random_.chance(0.3);
    checkpoints_.reset();
    if (reopen) store_.reset();
    if (reopen) store_ = *open_rocksdb_store(directory_ / "db");
    checkpoints_ = std::make_unique<CheckpointStore>(store_.get());
    workers_ = static_cast<uint32_t>(1 + random_.below(3));
    tables_.clear();
    for (uint32_t worker = 0; worker < workers_; ++worker) {
      for (const TableId& id : kTableIds) {
        const TableOptions options{1, 2, 5, 4};
        tables_.push_back(std::make_unique<Table>(id, RowLayout(kKey, kValues), options));
      }
    }
    if (checkpoints_->read_place().ok()) load();
    rows_ = durable_;
    check();
  }

  size_t delta_bytes() const { return checkpoints_->delta_bytes(); }
  size_t durable_bytes() const {
    size_t bytes = 0;
    for (const Rows& rows : durable_) {
      for (const auto& [key, value] : rows) bytes += key.size() + value.size() + 3;
    }
    return bytes;
  }
  void erase_void() { REQUIRE(checkpoints_->erase_void().ok()); }
  void change_some(size_t rows) {
    for (size_t n = 0; n < rows; ++n) change();
  }

  void checkpoint() {
    Checkpoint checkpoint;
    checkpoint.place = "here";
    for (const auto& table : tables_) {
      const Cut cut = table->cut_and_pin();
      table->begin_checkpoint(cut);
      checkpoint.tables.push_back({table->id(), {}, {}});
      while (table->checkpoint_slice(3, &checkpoint.tables.back()) == 3) {
      }
      table->unpin(cut);
    }
    REQUIRE(checkpoints_->write(checkpoint).ok());
    durable_ = rows_;
  }

 private:
  Table& table_of(size_t id, uint32_t key_group) {
    return *tables_[worker_of(key_group, workers_) * std::size(kTableIds) + id];
  }

  void load() {
    const absl::Status read = checkpoints_->read_rows(
        [&](TableId id, uint32_t group, std::string_view key, std::string_view value) {
          const auto* at = std::find(std::begin(kTableIds), std::end(kTableIds), id);
          return table_of(static_cast<size_t>(at - std::begin(kTableIds)), group).load(key, value);
        });
    INFO(std::string(read.message()));
    REQUIRE(read.ok());
  }

  void check() {
    std::vector<Rows> found(std::size(kTableIds));
    for (size_t i = 0; i < tables_.size(); ++i) {
      const Table& table = *tables_[i];
      for (RowId id = 0; id < table.row_ids_end(); ++id) {
        if (!table.live(id)) continue;
        std::string key;
        std::string value;
        table.encode(table.row(id), &key, &value);
        found[i % std::size(kTableIds)][key] = value;
      }
    }
    REQUIRE(found == rows_);
  }

  // Changes or erases one row of one table.
  void change() {
    const size_t id = random_.below(std::size(kTableIds));
    const Row key = {Value::bigint(static_cast<int64_t>(random_.below(60)))};
    const auto columns = to_columns(kKey, {key});
    std::vector<uint64_t> hashes;
    hash_columns(columns, 1, &hashes);
    Table& table = table_of(id, key_group_of(hashes[0]));
    std::string stored_key;
    table.encode_key(key, &stored_key);
    if (random_.chance(0.3)) {
      const RowId row = table.find_one(key);
      if (row != kNoRow) table.erase(row);
      rows_[id].erase(stored_key);
      return;
    }
    RowId row = kNoRow;
    table.find_or_insert(columns, hashes, {&row, 1}, nullptr);
    Table::get<int64_t>(table.row(row), table.layout().values()[0]) =
        static_cast<int64_t>(random_.below(1000));
    table.set_string(row, table.layout().values()[1], std::string(random_.below(30), 'v'));
    table.encode(table.row(row), nullptr, &rows_[id][stored_key]);
  }

  RandomRows random_;
  const TemporaryDirectory directory_;
  std::unique_ptr<StateStore> store_;
  std::unique_ptr<CheckpointStore> checkpoints_;
  uint32_t workers_ = 0;
  std::vector<std::unique_ptr<Table>> tables_;  // by worker, then id
  std::vector<Rows> rows_;                      // by id
  std::vector<Rows> durable_{std::size(kTableIds)};
};

}  // namespace

TEST_CASE("after a restart with any number of workers the rows are those of the last checkpoint") {
  const uint64_t seed = GENERATE(range(1, 21));
  INFO("seed " << seed);
  Pipeline pipeline(seed);
  for (int step = 0; step < 200; ++step) {
    INFO("step " << step);
    pipeline.step();
  }
  pipeline.restart();
}

TEST_CASE("old checkpoints become void and are erased, however long a pipeline runs") {
  const size_t changes = GENERATE(1, 20, 300);
  INFO("changes per checkpoint " << changes);
  Pipeline pipeline(changes);
  pipeline.change_some(1000);
  for (int checkpoint = 0; checkpoint < 200; ++checkpoint) {
    pipeline.change_some(changes);
    pipeline.checkpoint();
  }
  pipeline.erase_void();
  REQUIRE(pipeline.delta_bytes() > pipeline.durable_bytes() / 2);
  REQUIRE(pipeline.delta_bytes() < 12 * pipeline.durable_bytes() + 4096);
  pipeline.restart();
}

TEST_CASE("a table that took no part in some checkpoints loses nothing") {
  const std::unique_ptr<StateStore> store = make_memory_store();
  CheckpointStore checkpoints(store.get());
  Table first({1, 0}, RowLayout(kKey, kValues));
  Table second({1, 0}, RowLayout(kKey, kValues));
  const auto fill = [&](Table& table, int64_t key) {
    const auto columns = to_columns(kKey, {{Value::bigint(key)}});
    std::vector<uint64_t> hashes;
    hash_columns(columns, 1, &hashes);
    RowId row = kNoRow;
    table.find_or_insert(columns, hashes, {&row, 1}, nullptr);
  };
  const auto write = [&](std::vector<Table*> tables) {
    Checkpoint checkpoint;
    for (Table* table : tables) {
      const Cut cut = table->cut_and_pin();
      table->begin_checkpoint(cut);
      checkpoint.tables.push_back({table->id(), {}, {}});
      REQUIRE(table->checkpoint_slice(1000, &checkpoint.tables.back()) < 1000);
      table->unpin(cut);
    }
    REQUIRE(checkpoints.write(checkpoint).ok());
    REQUIRE(checkpoints.erase_void().ok());
  };
  const auto rows = [&] {
    size_t n = 0;
    REQUIRE(checkpoints
                .read_rows([&](TableId, uint32_t, std::string_view, std::string_view) {
                  ++n;
                  return absl::OkStatus();
                })
                .ok());
    return n;
  };
  fill(second, 100);
  fill(first, 1);
  write({&first, &second});
  REQUIRE(rows() == 2);
  for (int64_t n = 0; n < 5; ++n) {
    fill(first, 1);
    write({&first});
    REQUIRE(rows() == 2);
  }
  write({&first, &second});
  REQUIRE(rows() == 2);
  write({&first, &second});
  REQUIRE(rows() == 2);
}

}  // namespace kappa::state
