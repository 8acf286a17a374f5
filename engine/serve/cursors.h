#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/serve/limits.h"
#include "engine/serve/scan_rows.h"
#include "engine/types/clock.h"

namespace kappa::serve {

// Where a page of a scan begins.
struct PageStart {
  std::shared_ptr<const ScanRows> rows;
  std::string cursor;  // empty: not kept
  uint64_t position = 0;
};

// Keeps the rows of scans for their later pages. A page token names a cursor and a position in it,
// so that a page can be asked for again:
//
//   token = base64url(cursor id, 16 random bytes | position u64 BE)
//
// A cursor goes when it has not been used for a while, or, if its last page has been served, as
// soon as its memory is wanted. Thread-safe.
class Cursors {
 public:
  // Borrowed things outlive it.
  Cursors(const Clock* clock, const ServerLimits* limits);

  // Keeps rows for the request that `fingerprint` stands for; returns the cursor's name.
  // ResourceExhausted: other cursors take all memory.
  absl::StatusOr<std::string> keep(std::shared_ptr<const ScanRows> rows, uint64_t fingerprint);
  // InvalidArgument: not a token of ours, or one of another request; Aborted: it has expired.
  absl::StatusOr<PageStart> find(std::string_view token, uint64_t fingerprint);
  // The last page of a cursor has been served.
  void finish(const std::string& cursor);
  // Drops what has not been used for a while.
  void expire();

  static std::string token(const std::string& cursor, uint64_t position);
  size_t bytes() const;

 private:
  struct Cursor {
    std::shared_ptr<const ScanRows> rows;
    uint64_t fingerprint;
    LogTime used;
    bool finished = false;
  };
  using Map = std::map<std::string, Cursor, std::less<>>;

  void expire_locked();
  bool make_room_locked(size_t bytes);
  Map::iterator drop_locked(Map::iterator cursor);

  const Clock* const clock_;
  const ServerLimits* const limits_;
  mutable std::mutex mutex_;
  Map cursors_;
  size_t bytes_ = 0;
};

}  // namespace kappa::serve
