#include "engine/runtime/order_journal.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <random>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "engine/runtime/byte_codec.h"
#include "engine/types/crc32c.h"
#include "engine/types/hash.h"
#include "engine/types/invariant.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {
namespace {

constexpr char kMagic[] = "KAPPAJNL";
constexpr uint32_t kFormatVersion = 1;
constexpr uint64_t kHeaderBytes = 24;
constexpr uint64_t kFrameHeaderBytes = 8;
constexpr uint32_t kFrameBytesMax = 16u << 20;
constexpr size_t kWindowBytes = 256u << 10;

absl::Status io_error(const std::string& what, const std::string& path) {
  const int error = errno;
  const std::string message = absl::StrCat(what, " ", path, ": ", std::strerror(error));
  return error == ENOSPC || error == EDQUOT ? absl::ResourceExhaustedError(message)
                                            : absl::InternalError(message);
}

void put_u32(char* out, uint32_t value) {
  for (int i = 0; i < 4; ++i) out[i] = static_cast<char>(value >> (8 * i));
}

uint32_t get_u32(const char* in) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    value |= static_cast<uint32_t>(static_cast<uint8_t>(in[i])) << (8 * i);
  }
  return value;
}

absl::Status write_all(int fd, const std::string& bytes, uint64_t at, const std::string& path) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        ::pwrite(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(at + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const absl::Status status = io_error("cannot write the order journal", path);
      // What is half written would hide what comes after it.
      if (::ftruncate(fd, static_cast<off_t>(at)) != 0) return io_error("cannot cut", path);
      return status;
    }
    done += static_cast<size_t>(n);
  }
  return absl::OkStatus();
}

}  // namespace

uint64_t record_hash(const RecordView& record) {
  struct {
    int64_t offset;
    int64_t timestamp;
    uint64_t key;
    uint64_t value;
  } parts{record.offset.value, record.timestamp.ms,
          record.key ? hash_bytes(record.key, record.key_size) : 1,
          record.value ? hash_bytes(record.value, record.value_size) : 1};
  return hash_bytes(&parts, sizeof parts);
}

absl::StatusOr<std::unique_ptr<OrderJournal>> OrderJournal::open(const std::string& path,
                                                                 bool writer) {
  if (writer) {
    std::error_code ignored;  // open() below says what is wrong
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  }
  const int fd =
      ::open(path.c_str(), writer ? O_RDWR | O_CREAT | O_CLOEXEC : O_RDONLY | O_CLOEXEC, 0644);
  if (fd < 0) return io_error("cannot open the order journal", path);
  auto journal = std::unique_ptr<OrderJournal>(new OrderJournal(fd, path));
  struct stat info {};
  if (::fstat(fd, &info) != 0) return io_error("cannot stat", path);
  if (writer && info.st_size < static_cast<off_t>(kHeaderBytes)) {
    KAPPA_RETURN_IF_ERROR(journal->write_header());
  }
  KAPPA_RETURN_IF_ERROR(journal->read_header());
  return journal;
}

OrderJournal::~OrderJournal() {
  ::close(fd_);
}

absl::Status OrderJournal::write_header() {
  std::random_device random;
  std::string header(kMagic, 8);
  header.resize(kHeaderBytes);
  put_u32(header.data() + 8, kFormatVersion);
  put_u32(header.data() + 12, random());
  put_u32(header.data() + 16, random());
  put_u32(header.data() + 20, crc32c(header.data(), 20));
  if (::ftruncate(fd_, 0) != 0) return io_error("cannot empty", path_);
  KAPPA_RETURN_IF_ERROR(write_all(fd_, header, 0, path_));
  KAPPA_RETURN_IF_ERROR(sync());
  const std::string directory = std::filesystem::path(path_).parent_path();
  const int dir =
      ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return io_error("cannot open the directory of", path_);
  const int failed = ::fsync(dir);
  ::close(dir);
  return failed ? io_error("cannot sync the directory of", path_) : absl::OkStatus();
}

absl::Status OrderJournal::read_header() {
  char header[kHeaderBytes];
  const ssize_t n = ::pread(fd_, header, sizeof header, 0);
  if (n < 0) return io_error("cannot read", path_);
  if (n != static_cast<ssize_t>(kHeaderBytes) || std::memcmp(header, kMagic, 8) != 0 ||
      get_u32(header + 20) != crc32c(header, 20)) {
    return absl::DataLossError(
        absl::StrCat(path_, " is not an order journal, or its header is damaged"));
  }
  if (get_u32(header + 8) != kFormatVersion) {
    return absl::DataLossError(absl::StrCat(path_, " has journal format ", get_u32(header + 8),
                                            "; this kappa reads format ", kFormatVersion));
  }
  id_ = get_u32(header + 12) | static_cast<uint64_t>(get_u32(header + 16)) << 32;
  here_.byte = kHeaderBytes;
  return absl::OkStatus();
}

absl::Status OrderJournal::refill(uint64_t byte) {
  window_.resize(kWindowBytes);
  window_byte_ = byte;
  const ssize_t n = ::pread(fd_, window_.data(), window_.size(), static_cast<off_t>(byte));
  if (n < 0) return io_error("cannot read", path_);
  window_.resize(static_cast<size_t>(n));
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> OrderJournal::read_frame(uint64_t byte) {
  const auto in_window = [&](uint64_t size) {
    return byte >= window_byte_ && byte + size <= window_byte_ + window_.size();
  };
  if (!in_window(kFrameHeaderBytes)) KAPPA_RETURN_IF_ERROR(refill(byte));
  if (!in_window(kFrameHeaderBytes)) return std::nullopt;
  const char* header = window_.data() + (byte - window_byte_);
  const uint32_t size = get_u32(header);
  const uint32_t crc = get_u32(header + 4);
  std::string payload;
  if (size <= kFrameBytesMax) {
    if (in_window(kFrameHeaderBytes + size)) {
      payload.assign(header + kFrameHeaderBytes, size);
    } else {
      payload.resize(size);
      const ssize_t n =
          ::pread(fd_, payload.data(), size, static_cast<off_t>(byte + kFrameHeaderBytes));
      if (n < 0) return io_error("cannot read", path_);
      if (n < static_cast<ssize_t>(size)) return std::nullopt;  // torn, or being written
    }
    if (crc32c(payload.data(), payload.size()) == crc && size > 0) return payload;
  }
  // Damage in the last frame is a torn write; with something behind it, it is not.
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return io_error("cannot stat", path_);
  const uint64_t end = byte + kFrameHeaderBytes + size;
  if (size <= kFrameBytesMax && size > 0 && end < static_cast<uint64_t>(info.st_size)) {
    return absl::DataLossError(absl::StrCat("order journal ", path_, " is damaged at byte ", byte));
  }
  window_.clear();
  return std::nullopt;
}

absl::Status OrderJournal::apply_introduction(const std::string& payload) {
  ByteReader reader(payload);
  reader.u8();
  TopicPartition partition{std::string(reader.text()), static_cast<int32_t>(reader.u64())};
  if (!reader.ok())
    return absl::DataLossError(absl::StrCat("order journal ", path_, " is damaged"));
  here_.partitions.emplace_back(std::move(partition), Offset{0});
  return absl::OkStatus();
}

absl::StatusOr<JournalEntry> OrderJournal::parse_entry(const std::string& payload) {
  ByteReader reader(payload);
  JournalEntry entry;
  entry.kind = static_cast<JournalEntry::Kind>(reader.u8());
  entry.clock.ms = reader.i64();
  const uint64_t count = reader.u64();
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    const uint64_t number = reader.u64();
    const uint64_t advanced = reader.u64();
    const uint64_t hash = reader.fixed64();
    if (!reader.ok() || number >= here_.partitions.size()) break;
    auto& [partition, to] = here_.partitions[number];
    to.value += static_cast<int64_t>(advanced);
    entry.advances.push_back({partition, to, hash});
  }
  if (!reader.ok() || entry.advances.size() != count || entry.kind > JournalEntry::Kind::kJoin) {
    return absl::DataLossError(absl::StrCat("order journal ", path_, ": entry ", here_.entry,
                                            " at byte ", here_.byte, " is damaged"));
  }
  return entry;
}

absl::StatusOr<std::optional<JournalEntry>> OrderJournal::next() {
  while (true) {
    KAPPA_ASSIGN_OR_RETURN(const std::optional<std::string> payload, read_frame(here_.byte));
    if (!payload) return std::nullopt;
    const uint64_t after = here_.byte + kFrameHeaderBytes + payload->size();
    if (payload->front() == 0) {
      KAPPA_RETURN_IF_ERROR(apply_introduction(*payload));
      here_.byte = after;
      continue;
    }
    KAPPA_ASSIGN_OR_RETURN(JournalEntry entry, parse_entry(*payload));
    here_.byte = after;
    ++here_.entry;
    return entry;
  }
}

absl::StatusOr<std::vector<JoinedPartition>> OrderJournal::joins_ahead() {
  const JournalBookmark back = here_;
  std::vector<JoinedPartition> joins;
  while (true) {
    KAPPA_ASSIGN_OR_RETURN(const std::optional<JournalEntry> entry, next());
    if (!entry) break;
    if (entry->kind != JournalEntry::Kind::kJoin) continue;
    for (const JournalEntry::Advance& advance : entry->advances) {
      joins.push_back({advance.partition, advance.to});
    }
  }
  KAPPA_RETURN_IF_ERROR(resume(back));
  return joins;
}

absl::Status OrderJournal::resume(JournalBookmark bookmark) {
  if (bookmark.byte == 0) bookmark.byte = kHeaderBytes;
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return io_error("cannot stat", path_);
  if (bookmark.byte > static_cast<uint64_t>(info.st_size)) {
    return absl::DataLossError(absl::StrCat("order journal ", path_, " ends at byte ", info.st_size,
                                            "; a checkpoint was made at byte ", bookmark.byte));
  }
  here_ = std::move(bookmark);
  return absl::OkStatus();
}

absl::Status OrderJournal::write_frame(const std::string& payload) {
  std::string frame(kFrameHeaderBytes, '\0');
  put_u32(frame.data(), static_cast<uint32_t>(payload.size()));
  put_u32(frame.data() + 4, crc32c(payload.data(), payload.size()));
  frame += payload;
  KAPPA_RETURN_IF_ERROR(write_all(fd_, frame, here_.byte, path_));
  here_.byte += frame.size();
  return absl::OkStatus();
}

absl::Status OrderJournal::introduce(const TopicPartition& partition) {
  if (number_of(partition) < here_.partitions.size()) return absl::OkStatus();
  ByteWriter writer;
  writer.u8(0);
  writer.text(partition.topic);
  writer.u64(static_cast<uint64_t>(partition.partition));
  KAPPA_RETURN_IF_ERROR(write_frame(writer.bytes()));
  here_.partitions.emplace_back(partition, Offset{0});
  return absl::OkStatus();
}

absl::Status OrderJournal::write_from_here() {
  const int writing = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
  if (writing < 0) return io_error("cannot open the order journal for writing", path_);
  struct stat info {};
  const bool known = ::fstat(writing, &info) == 0;
  const bool here = known && static_cast<uint64_t>(info.st_size) == here_.byte;
  // In its place, so that sync() on another thread meets the one or the other.
  const bool replaced = here && ::dup3(writing, fd_, O_CLOEXEC) >= 0;
  ::close(writing);
  if (!known || (here && !replaced)) return io_error("cannot write", path_);
  if (!here) {
    return absl::FailedPreconditionError(absl::StrCat("order journal ", path_, " has ",
                                                      info.st_size, " bytes, but only ", here_.byte,
                                                      " have been followed"));
  }
  return absl::OkStatus();
}

absl::Status OrderJournal::append(const JournalEntry& entry) {
  ByteWriter writer;
  writer.u8(static_cast<uint8_t>(entry.kind));
  writer.i64(entry.clock.ms);
  writer.u64(entry.advances.size());
  // Introductions go before the entry, so they come first.
  for (const JournalEntry::Advance& advance : entry.advances) {
    KAPPA_RETURN_IF_ERROR(introduce(advance.partition));
  }
  std::vector<size_t> numbers;
  for (const JournalEntry::Advance& advance : entry.advances) {
    numbers.push_back(number_of(advance.partition));
    const Offset from = here_.partitions[numbers.back()].second;
    KAPPA_INVARIANT(advance.to > from, "a journal entry advances");
    writer.u64(numbers.back());
    writer.u64(static_cast<uint64_t>(advance.to.value - from.value));
    writer.fixed64(advance.last_record);
  }
  KAPPA_RETURN_IF_ERROR(write_frame(writer.bytes()));
  for (size_t i = 0; i < numbers.size(); ++i)
    here_.partitions[numbers[i]].second = entry.advances[i].to;
  ++here_.entry;
  return absl::OkStatus();
}

size_t OrderJournal::number_of(const TopicPartition& partition) const {
  const auto found = std::find_if(here_.partitions.begin(), here_.partitions.end(),
                                  [&](const auto& known) { return known.first == partition; });
  return static_cast<size_t>(found - here_.partitions.begin());
}

absl::Status OrderJournal::sync() {
  return ::fdatasync(fd_) == 0 ? absl::OkStatus()
                               : io_error("cannot sync the order journal", path_);
}

absl::Status OrderJournal::cut(JournalBookmark bookmark) {
  KAPPA_RETURN_IF_ERROR(resume(std::move(bookmark)));
  window_.clear();
  if (::ftruncate(fd_, static_cast<off_t>(here_.byte)) != 0) return io_error("cannot cut", path_);
  return sync();
}

}  // namespace kappa::runtime
