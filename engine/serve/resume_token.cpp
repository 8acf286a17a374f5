#include "engine/serve/resume_token.h"

#include "absl/strings/escaping.h"
#include "engine/runtime/byte_codec.h"
#include "engine/types/crc32c.h"
#include "engine/types/hash.h"
#include "engine/types/text.h"

namespace kappa::serve {
namespace {

using runtime::ByteReader;
using runtime::ByteWriter;

constexpr uint8_t kVersion = 1;
constexpr size_t kCrcBytes = 4;
constexpr uint64_t kPartitionsMax = 100'000;

std::string crc_of(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes.data(), bytes.size());
  std::string text;
  for (size_t i = 0; i < kCrcBytes; ++i) text.push_back(static_cast<char>(crc >> (8 * i)));
  return text;
}

}  // namespace

uint64_t token_scope(std::string_view product, std::string_view output, std::string_view topic) {
  ByteWriter writer;
  writer.text(product);
  writer.text(output);
  writer.text(topic);
  return hash_bytes(writer.bytes().data(), writer.bytes().size());
}

std::string encode(const ResumeToken& token) {
  ByteWriter writer;
  writer.u8(kVersion);
  writer.fixed64(token.scope);
  writer.u64(token.generation);
  writer.u64(token.next.size());
  for (const Offset offset : token.next) writer.i64(offset.value);
  const std::string bytes = writer.take();
  return absl::WebSafeBase64Escape(bytes + crc_of(bytes));
}

std::optional<ResumeToken> parse_resume_token(std::string_view text) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(to_absl(text), &bytes)) return std::nullopt;
  if (bytes.size() < kCrcBytes) return std::nullopt;
  const std::string_view payload(bytes.data(), bytes.size() - kCrcBytes);
  if (bytes.substr(payload.size()) != crc_of(payload)) return std::nullopt;
  ByteReader reader(payload);
  if (reader.u8() != kVersion) return std::nullopt;
  ResumeToken token;
  token.scope = reader.fixed64();
  token.generation = static_cast<uint32_t>(reader.u64());
  const uint64_t partitions = reader.u64();
  if (partitions > kPartitionsMax) return std::nullopt;
  for (uint64_t i = 0; i < partitions && reader.ok(); ++i) {
    token.next.push_back(Offset{reader.i64()});
  }
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  return token;
}

}  // namespace kappa::serve
