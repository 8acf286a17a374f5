#include "engine/serve/cursors.h"

#include <optional>
#include <utility>

#include <sys/random.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/serve/api_error.h"
#include "engine/types/invariant.h"
#include "engine/types/text.h"

namespace kappa::serve {
namespace {

constexpr size_t kIdBytes = 16;
constexpr size_t kTokenBytes = kIdBytes + 8;

std::string random_id() {
  std::string id(kIdBytes, '\0');
  const ssize_t got = getrandom(id.data(), id.size(), 0);
  KAPPA_INVARIANT(got == static_cast<ssize_t>(id.size()), "getrandom gives 16 bytes");
  return id;
}

struct ParsedToken {
  std::string cursor;
  uint64_t position;
};

std::optional<ParsedToken> parse(std::string_view token) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(to_absl(token), &bytes) || bytes.size() != kTokenBytes) {
    return std::nullopt;
  }
  uint64_t position = 0;
  for (size_t i = kIdBytes; i < kTokenBytes; ++i) {
    position = position << 8 | static_cast<uint8_t>(bytes[i]);
  }
  return ParsedToken{bytes.substr(0, kIdBytes), position};
}

}  // namespace

Cursors::Cursors(const Clock* clock, const ServerLimits* limits) : clock_(clock), limits_(limits) {}

std::string Cursors::token(const std::string& cursor, uint64_t position) {
  std::string bytes = cursor;
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(position >> shift & 0xFF));
  }
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<std::string> Cursors::keep(std::shared_ptr<const ScanRows> rows,
                                          uint64_t fingerprint) {
  std::lock_guard lock(mutex_);
  if (!make_room_locked(rows->bytes)) {
    return with_retry(
        with_reason(
            absl::ResourceExhaustedError(absl::StrCat(
                "the scans that are open take all of the ", limits_->cursors_memory_bytes_max,
                " bytes that they may; try again later, or ask for a smaller range")),
            "CURSOR_MEMORY_LIMIT"),
        limits_->cursor_idle_ms_max);
  }
  std::string id = random_id();
  bytes_ += rows->bytes;
  cursors_.emplace(id, Cursor{std::move(rows), fingerprint, clock_->now()});
  return id;
}

absl::StatusOr<PageStart> Cursors::find(std::string_view token, uint64_t fingerprint) {
  const std::optional<ParsedToken> parsed = parse(token);
  if (!parsed) return invalid_field("page_token", "this is not a page token of this server");
  std::lock_guard lock(mutex_);
  expire_locked();
  const auto found = cursors_.find(parsed->cursor);
  if (found == cursors_.end()) {
    return with_reason(
        absl::AbortedError(absl::StrCat("page_token: it has expired (tokens hold for ",
                                        limits_->cursor_idle_ms_max / 1000,
                                        " s after their last use, and not across restarts); "
                                        "start the scan again without a token")),
        "PAGE_TOKEN_EXPIRED");
  }
  Cursor& cursor = found->second;
  if (cursor.fingerprint != fingerprint) {
    return invalid_field("page_token",
                         "it belongs to a scan of another view or range; only page_size may "
                         "change from page to page");
  }
  if (parsed->position > cursor.rows->order.size()) {
    return invalid_field("page_token", "it names a page beyond the end of the scan");
  }
  cursor.used = clock_->now();
  return PageStart{cursor.rows, parsed->cursor, parsed->position};
}

void Cursors::finish(const std::string& cursor) {
  std::lock_guard lock(mutex_);
  const auto found = cursors_.find(cursor);
  if (found != cursors_.end()) found->second.finished = true;
}

void Cursors::expire() {
  std::lock_guard lock(mutex_);
  expire_locked();
}

size_t Cursors::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

Cursors::Map::iterator Cursors::drop_locked(Map::iterator cursor) {
  bytes_ -= cursor->second.rows->bytes;
  return cursors_.erase(cursor);
}

void Cursors::expire_locked() {
  const int64_t now_ms = clock_->now().ms;
  for (auto it = cursors_.begin(); it != cursors_.end();) {
    const bool idle = now_ms - it->second.used.ms > limits_->cursor_idle_ms_max;
    it = idle ? drop_locked(it) : std::next(it);
  }
}

bool Cursors::make_room_locked(size_t bytes) {
  expire_locked();
  const size_t bytes_max = limits_->cursors_memory_bytes_max;
  for (auto it = cursors_.begin(); it != cursors_.end() && bytes_ + bytes > bytes_max;) {
    it = it->second.finished ? drop_locked(it) : std::next(it);
  }
  return bytes_ + bytes <= bytes_max;
}

}  // namespace kappa::serve
