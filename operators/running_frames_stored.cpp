#include <algorithm>
#include <cstring>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "engine/types/hash.h"
#include "engine/types/status_macros.h"
#include "engine/types/time.h"
#include "operators/running_frames.h"
#include "state/row_codec.h"

// Events in their stored form, written and read back.
namespace kappa::operators {

using state::RowId;
using state::Table;

namespace {

// The row of a key, made if there is none.
RowId row_of(Table& table, const Row& key, Arena& arena) {
  std::vector<ColumnRef> columns;
  for (const Value& value : key) {
    Column column(value.type);
    append_value(column, value, arena);
    columns.push_back(std::make_shared<const Column>(std::move(column)));
  }
  std::vector<uint64_t> hashes;
  hash_columns(columns, 1, &hashes);
  RowId row = state::kNoRow;
  table.find_or_insert(columns, hashes, {&row, 1}, nullptr);
  return row;
}

}  // namespace

size_t RunningFrames::stored_bytes_max(const EventHeader& event) const {
  const Table& partitions = values_.partitions();
  const auto& slots = values_.slots();
  size_t bytes = state::kPackedHeaderBytesMax +
                 state::key_bytes_max(partitions.layout(), partitions.row(event.partition)) +
                 (3 + 2 * slots.size()) * state::kIntegerBytesMax;
  for (size_t s = 0; s < slots.size(); ++s) {
    if (!slots[s].distinct || (event.seen >> s & 1) == 0) continue;
    const Table& pairs = *slots[s].pairs;
    bytes += state::key_bytes_max(pairs.layout(),
                                  pairs.row(value_at<RowId>(event, slots[s].pair_offset)));
  }
  return bytes;
}

RunningFrames::Stored RunningFrames::encode(const EventHeader& event) const {
  const Table& partitions = values_.partitions();
  const size_t needed = stored_bytes_max(event);
  if (stored_.size() < needed) stored_.resize(2 * needed);
  char* const key = stored_.data() + state::kPackedHeaderBytesMax;
  char* const time = state::write_key(partitions.layout(), partitions.row(event.partition), key);
  const auto partition_bytes = static_cast<size_t>(time - key);
  char* const value =
      state::write_key_integer(event.number, state::write_key_integer(event.time_us, time));
  char* end = state::write_value_integer(event.seen, value);
  const auto sees = [&](size_t slot) { return (event.seen >> slot & 1) != 0; };
  const auto& slots = values_.slots();
  for (size_t s = 0; s < slots.size(); ++s) {
    if (!slots[s].sums || !sees(s)) continue;
    end = state::write_value_integer(value_at<int64_t>(event, slots[s].value_offset), end);
  }
  for (size_t s = 0; s < slots.size(); ++s) {
    if (!slots[s].distinct || !sees(s)) continue;
    // Its key is the partition's, then the value: the value takes the place of all of it.
    const Table& pairs = *slots[s].pairs;
    char* const pair = end + state::kIntegerBytesMax;
    const char* const pair_end = state::write_key(
        pairs.layout(), pairs.row(value_at<RowId>(event, slots[s].pair_offset)), pair);
    const auto bytes = static_cast<size_t>(pair_end - pair) - partition_bytes;
    end = state::write_value_integer(static_cast<int64_t>(bytes), end);
    std::memmove(end, pair + partition_bytes, bytes);
    end += bytes;
  }
  return {key, static_cast<size_t>(value - key), static_cast<size_t>(end - value)};
}

absl::Status RunningFrames::load_event(std::string_view key, std::string_view value,
                                       uint64_t checkpoint) {
  const auto damaged = [&] {
    return absl::DataLossError(
        absl::StrCat("a stored event of ", value.size(), " bytes is damaged"));
  };
  Row decoded;
  KAPPA_RETURN_IF_ERROR(state::decode_key(key_layout_.key(), key, &decoded));
  Arena arena;
  EventHeader header{};
  header.number = static_cast<uint32_t>(std::get<int64_t>(decoded.back().data));
  decoded.pop_back();
  header.time_us = std::get<int64_t>(decoded.back().data);
  decoded.pop_back();
  header.partition = row_of(values_.partitions(), decoded, arena);
  log_.note_loaded(header.time_us, checkpoint);
  state::ValueReader reader(value);
  int64_t seen = 0;
  if (!reader.read_integer(&seen)) return damaged();
  header.seen = static_cast<uint32_t>(seen);
  const auto sees = [&](size_t slot) { return (header.seen >> slot & 1) != 0; };
  const size_t begin = loaded_.size();
  loaded_.resize(begin + values_.record_bytes());
  std::memcpy(&loaded_[begin], &header, sizeof(header));
  const auto& slots = values_.slots();
  for (size_t s = 0; s < slots.size(); ++s) {
    int64_t number = 0;
    if (!slots[s].sums || !sees(s)) continue;
    if (!reader.read_integer(&number)) return damaged();
    std::memcpy(&loaded_[begin + slots[s].value_offset], &number, sizeof(number));
  }
  std::string partition;
  state::append_key(decoded, &partition);
  for (size_t s = 0; s < slots.size(); ++s) {
    if (!slots[s].distinct) continue;
    RowId pair = state::kNoRow;
    if (sees(s)) {
      int64_t size = 0;
      std::string_view bytes;
      if (!reader.read_integer(&size) || size < 0 ||
          !reader.read_bytes(static_cast<size_t>(size), &bytes)) {
        return damaged();
      }
      Row pair_key;
      KAPPA_RETURN_IF_ERROR(state::decode_key(slots[s].pairs->layout().key(),
                                              partition + std::string(bytes), &pair_key));
      pair = row_of(*slots[s].pairs, pair_key, arena);
    }
    std::memcpy(&loaded_[begin + slots[s].pair_offset], &pair, sizeof(pair));
  }
  if (!reader.at_end()) return damaged();
  constexpr size_t kLoadedBytesMax = 16u << 20;
  if (loaded_.size() > kLoadedBytesMax) insert_loaded();
  return absl::OkStatus();
}

// In the order of event time as far as may be, whatever the order in which they came: answers do
// not depend on it, and it is the cheaper one.
void RunningFrames::insert_loaded() {
  const size_t bytes = values_.record_bytes();
  const auto header = [&](size_t i) {
    return reinterpret_cast<const EventHeader*>(loaded_.data() + i * bytes);
  };
  std::vector<size_t> order(loaded_.size() / bytes);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(header(a)->time_us, header(a)->number) <
           std::pair(header(b)->time_us, header(b)->number);
  });
  for (size_t i : order) insert(std::span(loaded_).subspan(i * bytes, bytes), true);
  loaded_.clear();
}

void RunningFrames::restored(int64_t watermark_us) {
  insert_loaded();
  loaded_ = {};
  move_on(std::max(watermark_us, in_order_time_us_));
}

void RunningFrames::visit_events(int64_t watermark_us, const VisitEvent& visit) const {
  for (uint64_t n = log_.begin(); n < log_.end(); ++n) {
    if (event(n).time_us < saturating_add(watermark_us, -op_.horizon_us)) continue;
    const Stored stored = encode(event(n));
    visit(std::string(stored.key, stored.key_bytes),
          std::string(stored.key + stored.key_bytes, stored.value_bytes));
  }
}

}  // namespace kappa::operators
