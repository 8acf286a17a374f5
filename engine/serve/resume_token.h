#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/types/record.h"

namespace kappa::serve {

// Where a stream of an output stands.
//
//   token = base64url(version u8 | scope u64 LE | generation | partitions | next offset … |
//                     crc32c u32 LE of all before)          numbers without a size as varints
struct ResumeToken {
  uint64_t scope = 0;        // what it is a token of: token_scope()
  uint32_t generation = 0;   // that the stream has told last
  std::vector<Offset> next;  // by partition

  bool operator==(const ResumeToken&) const = default;
};

// Of one output of one product, written to one topic.
uint64_t token_scope(std::string_view product, std::string_view output, std::string_view topic);

std::string encode(const ResumeToken& token);
// Nothing: it is damaged, or none.
std::optional<ResumeToken> parse_resume_token(std::string_view text);

}  // namespace kappa::serve
