#include "engine/runtime/kept_outputs.h"

#include <limits>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "state/store.h"
#include "test/pipeline/test_product.h"

namespace kappa::runtime {
namespace {

constexpr int64_t kFirst = std::numeric_limits<int64_t>::min();

struct Kept {
  std::unique_ptr<state::StateStore> store = state::make_memory_store();
  state::CheckpointStore checkpoints{store.get()};
  KeptOutputs kept;

  void keep(operators::NodeId output, int64_t event_time_us, uint64_t nth, std::string value) {
    log::OutboxRecord record;
    record.topic = "busy";
    record.timestamp = LogTime{7};
    record.key = "key";
    record.value = std::move(value);
    record.headers = {{"kappa-ordinal", "0"}};
    kept.keep(output, event_time_us, nth, record);
  }
  void checkpoint() {
    state::Checkpoint written;
    written.kept = kept.take_unsaved();
    test::require_ok(checkpoints.write(written));
  }
  std::vector<std::string> read(operators::NodeId output, int64_t from_us = kFirst) const {
    const auto records = kept.read(checkpoints, output, from_us);
    test::require_ok(records.status());
    std::vector<std::string> values;
    for (const log::OutboxRecord& record : *records) {
      CHECK(record.topic == "busy");
      CHECK(record.timestamp == LogTime{7});
      CHECK(record.key == "key");
      CHECK(record.headers.size() == 1);
      values.push_back(record.value.value_or("none"));
    }
    return values;
  }
};

using Values = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(Kept,
                 "what is kept comes by output and event time, those of one time as they came") {
  keep(3, 10, 1, "b");
  keep(3, -10, 2, "a");
  checkpoint();
  keep(3, 10, 3, "c");
  keep(4, 0, 1, "other");
  keep(3, 300, 256, "d");
  checkpoint();
  CHECK(read(3) == Values{"a", "b", "c", "d"});
  CHECK(read(3, 10) == Values{"b", "c", "d"});
  CHECK(read(3, 11) == Values{"d"});
  CHECK(read(4) == Values{"other"});
  CHECK(read(2).empty());
}

TEST_CASE_METHOD(Kept, "what is dropped goes with the next checkpoint, stored or not") {
  keep(3, 10, 1, "a");
  keep(4, 10, 1, "other");
  keep(3, 20, 2, "b");
  checkpoint();
  keep(3, 12, 3, "c");
  keep(3, 25, 4, "d");
  kept.drop_below(3, 20);
  checkpoint();
  CHECK(read(3) == Values{"b", "d"});
  kept.drop_below(3, 15);  // it has been further
  kept.drop_below(3, 21);
  kept.drop_below(3, 25);
  checkpoint();
  CHECK(read(3) == Values{"d"});
  CHECK(read(4) == Values{"other"});
  kept.drop_below(3, std::numeric_limits<int64_t>::max());
  checkpoint();
  CHECK(read(3).empty());
}

TEST_CASE_METHOD(Kept, "all of it is dropped, and keeping begins anew, from any time on") {
  keep(3, 10, 1, "a");
  kept.drop_below(3, 5);
  checkpoint();
  kept.drop_all();
  keep(3, 1, 2, "b");
  checkpoint();
  CHECK(read(3) == Values{"b"});
}

}  // namespace kappa::runtime
