#include "engine/serve/resume_token.h"

#include <cctype>

#include <catch2/catch.hpp>

namespace kappa::serve {
namespace {

const ResumeToken kToken{token_scope("shop", "alerts", "fraud-alerts"),
                         7,
                         {Offset{0}, Offset{123'456'789'012}, Offset{3}}};

TEST_CASE("a resume token is read as it was written, and is one printable word") {
  const std::string text = encode(kToken);
  CHECK(parse_resume_token(text) == kToken);
  for (const char c : text) {
    CHECK((std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_'));
  }
  CHECK(parse_resume_token(encode({})) == ResumeToken());
}

TEST_CASE("a resume token of which anything was changed, lost or added is none") {
  const std::string text = encode(kToken);
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const auto parsed = parse_resume_token(changed);
    // The last character may have bits that mean nothing.
    CHECK((!parsed || (i + 1 == text.size() && parsed == kToken)));
    CHECK_FALSE(parse_resume_token(text.substr(0, i)));
  }
  CHECK_FALSE(parse_resume_token(text + "AAAA"));
  CHECK_FALSE(parse_resume_token("not a token"));
}

TEST_CASE("the scope of a resume token tells products, outputs and topics apart") {
  const uint64_t scope = token_scope("a", "b", "c");
  CHECK(scope == token_scope("a", "b", "c"));
  CHECK(scope != token_scope("ab", "", "c"));
  CHECK(scope != token_scope("a", "bc", ""));
  CHECK(scope != token_scope("x", "b", "c"));
  CHECK(scope != token_scope("a", "x", "c"));
  CHECK(scope != token_scope("a", "b", "x"));
}

}  // namespace
}  // namespace kappa::serve
