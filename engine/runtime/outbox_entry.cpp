#include "engine/runtime/outbox_entry.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/runtime/byte_codec.h"

namespace kappa::runtime {
namespace {

void put(ByteWriter& out, const std::optional<std::string>& text) {
  out.u8(text ? 1 : 0);
  if (text) out.text(*text);
}

std::optional<std::string> get_optional(ByteReader& in) {
  if (in.u8() == 0) return std::nullopt;
  return std::string(in.text());
}

}  // namespace

state::OutboxEntry encode(const log::OutboxRecord& record) {
  ByteWriter out;
  out.i64(record.timestamp.ms);
  put(out, record.key);
  put(out, record.value);
  out.u64(record.headers.size());
  for (const auto& [name, value] : record.headers) {
    out.text(name);
    out.text(value);
  }
  return {record.sequence, record.topic, out.take()};
}

absl::StatusOr<log::OutboxRecord> decode(const state::OutboxEntry& entry) {
  ByteReader in(entry.payload);
  log::OutboxRecord record;
  record.sequence = entry.sequence;
  record.topic = entry.topic;
  record.timestamp.ms = in.i64();
  record.key = get_optional(in);
  record.value = get_optional(in);
  for (uint64_t n = in.u64(); n > 0 && in.ok(); --n) {
    std::string name(in.text());
    record.headers.emplace_back(std::move(name), std::string(in.text()));
  }
  if (!in.ok()) {
    return absl::DataLossError(
        absl::StrCat("outbox entry ", entry.sequence, " for topic ", entry.topic, " is damaged"));
  }
  return record;
}

}  // namespace kappa::runtime
