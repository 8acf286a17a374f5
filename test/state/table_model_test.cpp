#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/types/hash.h"
#include "random_rows.h"
#include "state/packed_rows.h"
#include "state/table.h"

namespace kappa::state {
namespace {

// Rows as the model sees them: stored value by stored key.
using Rows = std::map<std::string, std::string>;

// A table beside a model of it, through random steps.
class TableAndModel {
 public:
  TableAndModel(std::vector<Type> key, std::vector<Type> values, uint64_t seed,
                TableOptions options)
      : key_types_(std::move(key)),
        value_types_(std::move(values)),
        table_({7, 1}, RowLayout(key_types_, value_types_), options),
        random_(seed) {}

  void step() {
    const size_t choice = random_.below(100);
    if (choice < 40) {
      upsert();
    } else if (choice < 55) {
      erase_some();
    } else if (choice < 65) {
      change_one();
    } else if (choice < 75) {
      pin();
    } else if (choice < 85) {
      unpin();
    } else {
      checkpoint();
    }
  }

  void check() {
    REQUIRE(table_.rows() == model_.size());
    check_present();
    for (const Pinned& pinned : pins_) {
      INFO("cut " << pinned.cut);
      REQUIRE(rows_at(pinned) == pinned.rows);
      check_lookup(pinned);
    }
  }

  // A table that is loaded from what the checkpoints wrote.
  void check_reload() {
    while (checkpoint_) slice();
    begin(/*late=*/false);
    while (checkpoint_) slice();
    Table loaded({7, 1}, RowLayout(key_types_, value_types_));
    for (const auto& [key, value] : stored_) REQUIRE(loaded.load(key, value).ok());
    REQUIRE(loaded.dirty_bytes() == 0);
    REQUIRE(present_rows(loaded) == model_);
  }

 private:
  struct Pinned {
    Cut cut;
    RowId ids_end;
    Rows rows;
  };

  std::string stored_key(const Row& key) const {
    std::string out;
    table_.encode_key(key, &out);
    return out;
  }

  void fill(RowId id) {
    const Row row = random_.row(value_types_);
    for (size_t f = 0; f < row.size(); ++f) {
      const RowField& field = table_.layout().values()[f];
      std::byte* bytes = table_.row(id);
      Table::set_null(bytes, field, row[f].is_null());
      dispatch_physical(field.type.physical(), [&]<typename T>() {
        if constexpr (std::is_same_v<T, StringRef>) {
          table_.set_string(id, field, row[f].is_null() ? "" : std::get<std::string>(row[f].data));
        } else if constexpr (std::is_same_v<T, int8_t>) {
          Table::get<T>(bytes, field) = !row[f].is_null() && std::get<bool>(row[f].data) ? 1 : 0;
        } else {
          Table::get<T>(bytes, field) = row[f].is_null() ? T{} : std::get<T>(row[f].data);
        }
      });
    }
    std::string key;
    std::string value;
    table_.encode(table_.row(id), &key, &value);
    model_[key] = value;
  }

  void upsert() {
    std::vector<Row> keys(1 + random_.below(40));
    for (Row& key : keys) key = random_.row(key_types_);
    const auto columns = to_columns(key_types_, keys);
    std::vector<uint64_t> hashes;
    hash_columns(columns, keys.size(), &hashes);
    std::vector<RowId> before(keys.size());
    table_.find(columns, hashes, before);
    std::vector<RowId> ids(keys.size());
    std::vector<uint32_t> created;
    table_.find_or_insert(columns, hashes, ids, &created);

    std::vector<uint32_t> expected;
    for (uint32_t i = 0; i < keys.size(); ++i) {
      const std::string key = stored_key(keys[i]);
      if ((before[i] != kNoRow) != model_before(key, expected, keys, i)) FAIL("find()");
      if (model_.try_emplace(key).second) expected.push_back(i);
      std::string found;
      table_.encode(table_.row(ids[i]), &found, nullptr);
      const bool right =
          found == key && table_.key_group(table_.row(ids[i])) == key_group_of(hashes[i]);
      if (!right) FAIL("found the row of another key");
    }
    REQUIRE(created == expected);
    for (RowId id : ids) fill(id);
  }

  // Whether the key was there before this batch.
  bool model_before(const std::string& key, const std::vector<uint32_t>& created,
                    const std::vector<Row>& keys, uint32_t i) const {
    for (uint32_t c : created) {
      if (c < i && stored_key(keys[c]) == key) return false;
    }
    return model_.contains(key);
  }

  void erase_some() {
    for (size_t n = random_.below(12); n > 0; --n) {
      const Row key = random_.row(key_types_);
      const RowId id = table_.find_one(key);
      REQUIRE((id != kNoRow) == model_.contains(stored_key(key)));
      if (id == kNoRow) continue;
      table_.erase(id);
      model_.erase(stored_key(key));
    }
  }

  void change_one() {
    const RowId id = table_.find_one(random_.row(key_types_));
    if (id == kNoRow) return;
    table_.touch(id);
    fill(id);
  }

  void pin() {
    if (pins_.size() > 4) return;
    const Cut cut = table_.cut_and_pin();
    pins_.push_back({cut, table_.row_ids_end(), model_});
  }

  void unpin() {
    if (pins_.empty()) return;
    const size_t which = random_.below(pins_.size());
    table_.unpin(pins_[which].cut);
    pins_.erase(pins_.begin() + static_cast<std::ptrdiff_t>(which));
  }

  // `late`: some time after its cut.
  void begin(bool late) {
    checkpoint_ = Pinned{table_.cut_and_pin(), 0, model_};
    packed_ = {};
    if (late && random_.chance(0.5)) upsert();
    if (late && random_.chance(0.5)) erase_some();
    table_.begin_checkpoint(checkpoint_->cut);
  }

  void slice() {
    const size_t rows_max = 1 + random_.below(10);
    if (table_.checkpoint_slice(rows_max, &packed_) == rows_max) return;
    table_.unpin(checkpoint_->cut);
    REQUIRE(packed_.head.sequence == history_.size() + 1);
    std::string& rows = history_.emplace_back();
    for (const std::string& blob : packed_.blobs) rows += blob;
    apply(rows, stored_);
    REQUIRE(stored_ == checkpoint_->rows);
    if (packed_.head.whole_in > 0) check_whole(packed_.head.whole_in);
    checkpoint_.reset();
  }

  // What the last so many checkpoints hold, with nothing older, are all rows of the cut.
  void check_whole(size_t checkpoints) {
    REQUIRE(checkpoints <= history_.size());
    Rows rows;
    for (size_t i = history_.size() - checkpoints; i < history_.size(); ++i)
      apply(history_[i], rows);
    REQUIRE(rows == checkpoint_->rows);
    ++whole_;
  }

  static void apply(std::string_view packed, Rows& rows) {
    PackedRow row;
    while (!packed.empty()) {
      if (!take_packed(&packed, &row)) FAIL("packed rows are whole");
      if (row.deleted) {
        rows.erase(std::string(row.key));
      } else {
        rows[std::string(row.key)] = row.value;
      }
    }
  }

  void checkpoint() { checkpoint_ ? slice() : begin(random_.chance(0.5)); }

  Rows present_rows(const Table& table) const {
    Rows rows;
    for (RowId id = 0; id < table.row_ids_end(); ++id) {
      if (!table.live(id)) continue;
      std::string key;
      std::string value;
      table.encode(table.row(id), &key, &value);
      if (!rows.emplace(key, value).second) FAIL("two rows with one key");
    }
    return rows;
  }

  void check_present() { REQUIRE(present_rows(table_) == model_); }

  Rows rows_at(const Pinned& pinned) const {
    Rows rows;
    for (RowId id = 0; id < pinned.ids_end; ++id) {
      const std::byte* image = table_.image(id, pinned.cut);
      if (image == nullptr) continue;
      std::string key;
      std::string value;
      table_.encode(image, &key, &value);
      if (!rows.emplace(key, value).second) FAIL("two rows with one key at a cut");
    }
    return rows;
  }

  void check_lookup(const Pinned& pinned) {
    for (int n = 0; n < 5; ++n) {
      const Row key = random_.row(key_types_);
      const std::byte* image = table_.find_image(key, pinned.cut);
      const auto expected = pinned.rows.find(stored_key(key));
      REQUIRE((image != nullptr) == (expected != pinned.rows.end()));
      if (image == nullptr) continue;
      std::string value;
      table_.encode(image, nullptr, &value);
      REQUIRE(value == expected->second);
    }
  }

  std::vector<Type> key_types_;
  std::vector<Type> value_types_;
  Table table_;
  RandomRows random_;
  Rows model_;
  std::vector<Pinned> pins_;
  std::optional<Pinned> checkpoint_;
  PackedTable packed_;
  Rows stored_;
  std::vector<std::string> history_;  // what each checkpoint packed
  size_t whole_ = 0;                  // how often a round came to its end
};

struct Shape {
  std::vector<Type> key;
  std::vector<Type> values;
};

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> kShapes = {
      {{Type::bigint()}, {Type::bigint(), Type::double_precision(), Type::text()}},
      {{Type::text()}, {Type::integer(), Type::numeric(38, 4), Type::boolean()}},
      {{Type::text(), Type::timestamptz()}, {Type::bytea(), Type::text(), Type::bigint()}},
      {{Type::boolean(), Type::double_precision(), Type::integer()}, {Type::date()}},
      {{Type::numeric(30, 2), Type::text(), Type::bytea(), Type::bigint()}, {}},
      {{}, {Type::bigint()}},
  };
  return kShapes;
}

}  // namespace

TEST_CASE("a table shows the same rows as a model at every cut, whatever happened in between") {
  const size_t shape = GENERATE(range(0, 6));
  const uint64_t seed = GENERATE(range(1, 6));
  const bool late = GENERATE(false, true);  // cuts are about to begin anew
  const bool slow = GENERATE(false, true);  // rounds take several checkpoints
  TableOptions options;
  if (late) options.first_cut = 0xf000'0000u - 20;
  if (slow) options = {options.first_cut, 1'000'000, 7, 3};
  INFO("shape " << shape << ", seed " << seed << ", late " << late << ", slow " << slow);
  TableAndModel both(shapes()[shape].key, shapes()[shape].values, seed * 31 + shape, options);
  for (int step = 0; step < 150; ++step) {
    INFO("step " << step);
    both.step();
    both.check();
  }
  both.check_reload();
}

}  // namespace kappa::state
