#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace kappa::serve {

// Stands for an id that a caller may not see: equal for equal ids under one key, and of no use for
// finding the id without it.
//
//   token = "p1_" key id "_" hex(first 16 bytes of HMAC-SHA-256(key, domain | 0x00 | id))
//   key id = the first 8 hex digits of SHA-256(key)
//
// The key is never shown nor logged. Immutable.
class Pseudonyms {
 public:
  // The file has the key in hex, 64 digits or more (openssl rand -hex 32), and nothing else but
  // spaces around it. InvalidArgument: it cannot be read, has another content, or everybody on the
  // machine may read it.
  static absl::StatusOr<Pseudonyms> load(const std::string& path);
  // `file` is what errors call it.
  static absl::StatusOr<Pseudonyms> parse(const std::string& file, std::string_view text);
  // With a key that nobody else has and that is gone with this.
  static Pseudonyms with_random_key();

  // `domain` keeps ids of different kinds apart: "card", "customer".
  std::string token(std::string_view domain, std::string_view id) const;
  const std::string& key_id() const { return key_id_; }

 private:
  explicit Pseudonyms(std::string key);

  std::string key_;
  std::string key_id_;
};

}  // namespace kappa::serve
