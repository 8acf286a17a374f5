#include "engine/serve/pseudonyms.h"

#include <algorithm>
#include <utility>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/serve/tls.h"
#include "engine/types/invariant.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"

namespace kappa::serve {
namespace {

constexpr size_t kKeyBytesMin = 32;
constexpr size_t kTokenBytes = 16;
constexpr size_t kKeyIdDigits = 8;

std::string hex(const unsigned char* bytes, size_t size) {
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(bytes), size));
}

absl::Status check_readers(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0 || (found.st_mode & S_IROTH) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "the pseudonyms' key ", path, " can be read by everybody on this machine: chmod o-r ", path));
}

}  // namespace

Pseudonyms::Pseudonyms(std::string key) : key_(std::move(key)) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(key_.data()), key_.size(), digest);
  key_id_ = hex(digest, sizeof digest).substr(0, kKeyIdDigits);
}

absl::StatusOr<Pseudonyms> Pseudonyms::load(const std::string& path) {
  KAPPA_ASSIGN_OR_RETURN(const std::string text, read_text_file(path, "the pseudonyms' key"));
  KAPPA_RETURN_IF_ERROR(check_readers(path));
  return parse(path, text);
}

// What is wrong is told without a word of what is there.
absl::StatusOr<Pseudonyms> Pseudonyms::parse(const std::string& file, std::string_view text) {
  const std::string_view digits = strip_spaces(text);
  const bool is_hex =
      digits.size() % 2 == 0 &&
      std::all_of(digits.begin(), digits.end(), [](char c) { return absl::ascii_isxdigit(c); });
  if (!is_hex || digits.size() < 2 * kKeyBytesMin) {
    return absl::InvalidArgumentError(
        absl::StrCat("the pseudonyms' key ", file, ": expected ", 2 * kKeyBytesMin,
                     " hex digits or more, an even number of them, and nothing else; make one "
                     "with: openssl rand -hex 32"));
  }
  return Pseudonyms(absl::HexStringToBytes(to_absl(digits)));
}

Pseudonyms Pseudonyms::with_random_key() {
  std::string key(kKeyBytesMin, '\0');
  const ssize_t got = getrandom(key.data(), key.size(), 0);
  KAPPA_INVARIANT(got == static_cast<ssize_t>(key.size()), "getrandom gives 32 bytes");
  return Pseudonyms(std::move(key));
}

std::string Pseudonyms::token(std::string_view domain, std::string_view id) const {
  std::string message(domain);
  message.push_back('\0');
  message.append(id);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const unsigned char* made =
      HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
           reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest, &size);
  KAPPA_INVARIANT(made != nullptr && size >= kTokenBytes, "HMAC-SHA-256 gives 32 bytes");
  return absl::StrCat("p1_", key_id_, "_", hex(digest, kTokenBytes));
}

}  // namespace kappa::serve
