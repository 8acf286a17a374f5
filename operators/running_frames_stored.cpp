#include <algorithm>
#include <cstring>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "engine/types/hash.h"
#include "engine/types/status_macros.h"
#include "engine/types/time.h"
#include "operators/running_frames.h"
#include "state/row_codec.h"
#include "state/varint.h"

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

bool RunningFrames::keys_have_strings() const {
  const auto has_strings = [](const Table& table) {
    return std::ranges::any_of(table.layout().key(), [](const state::RowField& field) {
      return field.type.physical() == PhysicalType::kString;
    });
  };
  return has_strings(values_.partitions()) ||
         std::ranges::any_of(values_.slots(), [&](const RunningValues::Slot& slot) {
           return slot.distinct && has_strings(*slot.pairs);
         });
}

// The same for all events unless keys have strings.
size_t RunningFrames::body_bytes_max(const EventHeader& event) const {
  const auto key_bytes = [&](const Table& table, RowId row) {
    return state::key_bytes_max(table.layout(), keys_have_strings_ ? table.row(row) : nullptr);
  };
  const auto& slots = values_.slots();
  size_t bytes = key_bytes(values_.partitions(), event.partition) + 2 * state::kVarintBytesMax +
                 slots.size() * state::kIntegerBytesMax;
  for (size_t s = 0; s < slots.size(); ++s) {
    const bool seen = (event.seen >> s & 1) != 0;
    if (!slots[s].distinct || (keys_have_strings_ && !seen)) continue;
    bytes += key_bytes(*slots[s].pairs, value_at<RowId>(event, slots[s].pair_offset));
  }
  return bytes;
}

char* RunningFrames::write_body(const EventHeader& event, const std::byte* partition,
                                char* to) const {
  char* const key_end = state::write_key(values_.partitions().layout(), partition, to);
  const auto key_bytes = static_cast<size_t>(key_end - to);
  return write_values(event, key_bytes, state::put_varint(event.number, key_end));
}

char* RunningFrames::write_values(const EventHeader& event, size_t key_bytes, char* to) const {
  char* end = state::put_varint(event.seen, to);
  const auto sees = [&](size_t slot) { return (event.seen >> slot & 1) != 0; };
  const auto& slots = values_.slots();
  for (size_t s : values_.value_slots()) {
    if (!sees(s)) continue;
    end = state::write_value_integer(value_at<int64_t>(event, slots[s].value_offset), end);
  }
  for (size_t s : values_.distinct_slots()) {
    if (!sees(s)) continue;
    // Its key is the partition's, then the value: the value takes the place of all of it.
    const Table& pairs = *slots[s].pairs;
    const char* const pair_end = state::write_key(
        pairs.layout(), pairs.row(value_at<RowId>(event, slots[s].pair_offset)), end);
    const auto bytes = static_cast<size_t>(pair_end - end) - key_bytes;
    std::memmove(end, end + key_bytes, bytes);
    end += bytes;
  }
  return end;
}

absl::Status RunningFrames::load_event(const state::StoredEvent& event, uint64_t checkpoint) {
  const auto damaged = [&] {
    return absl::DataLossError(
        absl::StrCat("a stored event of ", event.body.size(), " bytes is damaged"));
  };
  std::string_view rest = event.body;
  Row key;
  KAPPA_RETURN_IF_ERROR(state::take_key(values_.partitions().layout().key(), &rest, &key));
  uint64_t number = 0;
  uint64_t seen = 0;
  if (!state::take_varint(&rest, &number) || !state::take_varint(&rest, &seen)) return damaged();
  Arena arena;
  EventHeader header{};
  header.time_us = event.time_us;
  header.number = static_cast<uint32_t>(number);
  header.partition = row_of(values_.partitions(), key, arena);
  header.seen = static_cast<uint32_t>(seen);
  const auto sees = [&](size_t slot) { return (header.seen >> slot & 1) != 0; };
  const size_t begin = loaded_.size();
  loaded_.resize(begin + values_.record_bytes());
  std::memcpy(&loaded_[begin], &header, sizeof(header));
  const auto& slots = values_.slots();
  state::ValueReader reader(rest);
  for (size_t s : values_.value_slots()) {
    int64_t value = 0;
    if (!sees(s)) continue;
    if (!reader.read_integer(&value)) return damaged();
    std::memcpy(&loaded_[begin + slots[s].value_offset], &value, sizeof(value));
  }
  rest = reader.rest();
  for (size_t s : values_.distinct_slots()) {
    RowId pair = state::kNoRow;
    if (sees(s)) {
      Row value;
      KAPPA_RETURN_IF_ERROR(
          state::take_key({slots[s].pairs->layout().key().back()}, &rest, &value));
      Row pair_key = key;
      pair_key.push_back(std::move(value.front()));
      pair = row_of(*slots[s].pairs, pair_key, arena);
    }
    std::memcpy(&loaded_[begin + slots[s].pair_offset], &pair, sizeof(pair));
  }
  if (!rest.empty()) return damaged();
  log_.note_loaded(event.time_us, checkpoint);
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
  for (size_t i : order) {
    std::byte* const record = log_.append(header(i)->time_us);
    std::memcpy(record, header(i), bytes);
    auto& event = *reinterpret_cast<EventHeader*>(record);
    std::byte* const partition = values_.partitions().row(event.partition);
    link(event, partition, true);
    arrive(event, partition);
  }
  loaded_.clear();
}

void RunningFrames::restored(int64_t watermark_us) {
  insert_loaded();
  loaded_ = {};
  move_on(std::max(watermark_us, in_order_time_us_));
}

void RunningFrames::visit_events(int64_t watermark_us, const VisitEvent& visit) const {
  const Table& partitions = values_.partitions();
  std::string buffer;
  for (uint64_t n = log_.begin(); n < log_.end(); ++n) {
    const EventHeader& each = event(n);
    if (each.time_us < saturating_add(watermark_us, -op_.horizon_us)) continue;
    buffer.resize(body_bytes_max(each) + 2 * state::kIntegerBytesMax);
    char* const key = buffer.data();
    char* const time = state::write_key(partitions.layout(), partitions.row(each.partition), key);
    char* const value =
        state::write_key_integer(each.number, state::write_key_integer(each.time_us, time));
    const char* const end = write_values(each, static_cast<size_t>(time - key), value);
    visit(std::string(key, value), std::string(static_cast<const char*>(value), end));
  }
}

}  // namespace kappa::operators
