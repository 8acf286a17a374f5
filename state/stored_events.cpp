#include "state/stored_events.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/types/hash.h"
#include "state/varint.h"

namespace kappa::state {
namespace {

// Differences of times wrap, so that any two have one.
int64_t less(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
int64_t plus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

constexpr size_t kHeadBytesMax = 1 + 2 * kVarintBytesMax;

}  // namespace

char* StoredEventWriter::begin(uint32_t key_group, int64_t time_us, size_t body_bytes_max) {
  if (used_ >= kBlobBytes) close_blob();
  const size_t needed = used_ + kHeadBytesMax + body_bytes_max;
  if (open_.size() < needed) open_.resize(std::max(needed, kBlobBytes + kBlobBytes / 4));
  char* to = open_.data() + used_;
  *to++ = static_cast<char>(key_group);
  to = put_varint(zigzag(less(time_us, time_before_us_)), to);
  time_before_us_ = time_us;
  used_ = static_cast<size_t>(to - open_.data());
  // A short body's size takes one byte.
  body_ = used_ + 1;
  return open_.data() + body_;
}

void StoredEventWriter::finish(const char* body_end) {
  const auto size = static_cast<size_t>(body_end - open_.data()) - body_;
  if (size < 0x80) {
    open_[used_] = static_cast<char>(size);
    used_ += 1 + size;
    return;
  }
  char length[kVarintBytesMax];
  const auto length_bytes = static_cast<size_t>(put_varint(size, length) - length);
  char* const at = open_.data() + used_;
  std::memmove(at + length_bytes, at + 1, size);
  std::memcpy(at, length, length_bytes);
  used_ += length_bytes + size;
}

void StoredEventWriter::add(const StoredEvent& event) {
  char* const to = begin(event.key_group, event.time_us, event.body.size());
  std::memcpy(to, event.body.data(), event.body.size());
  finish(to + event.body.size());
}

void StoredEventWriter::close_blob() {
  if (used_ == 0) return;
  // Room for the checksum that makes it a blob.
  std::string& blob = full_.emplace_back();
  blob.reserve(used_ + sizeof(uint32_t));
  blob.assign(open_.data(), used_);
  full_bytes_ += used_;
  used_ = 0;
  time_before_us_ = 0;
}

std::vector<std::string> StoredEventWriter::take() {
  close_blob();
  full_bytes_ = 0;
  return std::exchange(full_, {});
}

bool StoredEventReader::next(StoredEvent* event) {
  if (rest_.empty()) return false;
  event->key_group = static_cast<uint8_t>(rest_.front());
  if (event->key_group >= kKeyGroups) return false;
  rest_.remove_prefix(1);
  uint64_t time = 0;
  uint64_t size = 0;
  if (!take_varint(&rest_, &time) || !take_varint(&rest_, &size) || rest_.size() < size) {
    return false;
  }
  event->time_us = time_before_us_ = plus(time_before_us_, unzigzag(time));
  event->body = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

}  // namespace kappa::state
