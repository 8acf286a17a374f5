#include "state/data_directory.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"
#include "state/durable_file.h"
#include "state/event_log.h"

namespace kappa::state {
namespace {

using nlohmann::json;

// LOCK is written in one go and padded to this size, so that a reader sees all of it or nothing.
constexpr size_t kLockBytes = 512;
constexpr int kReadAttempts = 20;
constexpr std::chrono::milliseconds kReadPause{5};

std::string lock_path(const std::string& path) {
  return path + "/LOCK";
}

struct flock whole_file(short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

std::string encode_holder(const LockHolder& holder) {
  std::string text =
      json{{"pid", holder.pid}, {"command", holder.command}, {"address", holder.address}}.dump(
          -1, ' ', false, json::error_handler_t::replace);
  text.resize(std::max(text.size() + 1, kLockBytes), ' ');
  text.back() = '\n';
  return text;
}

// What the holder wrote. It may have got the lock this moment and not have come to that yet.
LockHolder read_holder(const std::string& path) {
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    const auto text = read_file(lock_path(path));
    const json object = json::parse(text.ok() ? *text : "", nullptr, /*allow_exceptions=*/false);
    if (object.is_object() && object.value("pid", json()).is_number_integer() &&
        object.value("command", json()).is_string() &&
        object.value("address", json()).is_string()) {
      return {object["pid"].get<int>(), object["command"].get<std::string>(),
              object["address"].get<std::string>()};
    }
    std::this_thread::sleep_for(kReadPause);
  }
  return {0, "another process", ""};
}

absl::Status in_use(const std::string& path, const LockHolder& holder) {
  std::string what = absl::StrCat("data directory \"", path, "\" is in use by ", holder.command);
  if (holder.pid != 0) {
    absl::StrAppend(&what, " (pid ", holder.pid,
                    holder.address.empty() ? "" : absl::StrCat(", gRPC ", holder.address), ")");
  }
  if (holder.address.empty()) {
    absl::StrAppend(&what, "; stop it, or choose another with --data");
  } else {
    absl::StrAppend(&what, "; stop it, use --server ", holder.address,
                    ", or choose another with --data");
  }
  return absl::UnavailableError(what);
}

}  // namespace

DataDirectory::DataDirectory(std::string path, int fd, LockHolder holder)
    : path_(std::move(path)), fd_(fd), holder_(std::move(holder)) {}

DataDirectory::~DataDirectory() {
  // The file stays: removing it could take it from under somebody who has just locked it.
  (void)::ftruncate(fd_, 0);
  ::close(fd_);
}

absl::StatusOr<std::unique_ptr<DataDirectory>> DataDirectory::lock(const std::string& path,
                                                                   const std::string& command) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot make the data directory \"",
                                                           path, "\"; choose another with --data"));
  }
  const int fd = ::open(lock_path(path).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot write to the data directory \"", path,
                                                   "\"; choose another with --data"));
  }
  struct flock lock = whole_file(F_WRLCK);
  if (::fcntl(fd, F_OFD_SETLK, &lock) != 0) {
    const int why = errno;
    ::close(fd);
    if (why == EAGAIN || why == EACCES) return in_use(path, read_holder(path));
    return absl::ErrnoToStatus(why, absl::StrCat("cannot lock the data directory \"", path, "\""));
  }
  std::unique_ptr<DataDirectory> directory(
      new DataDirectory(path, fd, {static_cast<int>(::getpid()), command, ""}));
  KAPPA_RETURN_IF_ERROR(directory->write_holder());
  set_spill_directory(path);
  return directory;
}

absl::Status DataDirectory::write_holder() const {
  const std::string text = encode_holder(holder_);
  const ssize_t written = ::pwrite(fd_, text.data(), text.size(), 0);
  if (written == static_cast<ssize_t>(text.size())) return absl::OkStatus();
  return absl::ErrnoToStatus(written < 0 ? errno : ENOSPC,
                             absl::StrCat("cannot write ", lock_path(path_)));
}

absl::Status DataDirectory::publish_address(const std::string& address) {
  holder_.address = address;
  return write_holder();
}

std::string DataDirectory::log_path() const {
  return path_ + "/log";
}
std::string DataDirectory::product_path(const std::string& product) const {
  return path_ + "/products/" + product;
}
std::string DataDirectory::journal_path(const std::string& product) const {
  return product_path(product) + "/journal";
}
std::string DataDirectory::generations_path(const std::string& product) const {
  return product_path(product) + "/generations";
}
std::string DataDirectory::generation_path(const std::string& product, uint32_t generation) const {
  return state::generation_path(path_, product, generation);
}

std::string generation_path(const std::string& data, const std::string& product,
                            uint32_t generation) {
  return absl::StrCat(data, "/products/", product, "/generations/", generation);
}

absl::StatusOr<std::optional<LockHolder>> lock_holder(const std::string& path) {
  const int fd = ::open(lock_path(path).c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return std::nullopt;
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", lock_path(path)));
  struct flock lock = whole_file(F_WRLCK);
  const int asked = ::fcntl(fd, F_OFD_GETLK, &lock);
  const int why = errno;
  ::close(fd);
  if (asked != 0) return absl::ErrnoToStatus(why, absl::StrCat("cannot ask for ", lock_path(path)));
  if (lock.l_type == F_UNLCK) return std::nullopt;
  return read_holder(path);
}

}  // namespace kappa::state
