#include "engine/serve/pseudonyms.h"

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "engine/serve/server.h"
#include "test/serve/test_server.h"

namespace kappa::serve {
namespace {

// The bytes 0x00 to 0x1f.
constexpr const char* kKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr const char* kOtherKey =
    "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

Pseudonyms with_key(const std::string& key) {
  auto made = Pseudonyms::parse("key", key);
  REQUIRE(made.ok());
  return *std::move(made);
}

std::string fault(const std::string& text) {
  return Pseudonyms::parse("key.txt", text).status().ToString();
}

TEST_CASE("a pseudonym is the HMAC of domain and id, behind version and key") {
  // openssl: printf 'card\0c-1' | openssl dgst -sha256 -mac hmac -macopt hexkey:$KEY
  CHECK(with_key(kKey).token("card", "c-1") == "p1_630dcd29_b07cd1f1098c5b6f0431c792b09e22d7");
  CHECK(with_key(std::string("\n ") + kKey + "\n").token("card", "c-1") ==
        with_key(kKey).token("card", "c-1"));
}

TEST_CASE("a pseudonym tells apart ids, domains and keys, and nothing else") {
  const Pseudonyms one = with_key(kKey);
  CHECK(one.token("card", "c-1") == with_key(kKey).token("card", "c-1"));
  CHECK(one.token("card", "c-1") != one.token("card", "c-2"));
  CHECK(one.token("card", "c-1") != one.token("customer", "c-1"));
  CHECK(one.token("card", "c-1").substr(12) != with_key(kOtherKey).token("card", "c-1").substr(12));
  CHECK(one.key_id() != with_key(kOtherKey).key_id());
  CHECK(one.token("card", "").size() == one.token("card", std::string(1000, 'x')).size());
}

TEST_CASE("two random keys are two keys") {
  CHECK(Pseudonyms::with_random_key().token("card", "c") !=
        Pseudonyms::with_random_key().token("card", "c"));
}

TEST_CASE("a key that is short or no hex is refused without being shown") {
  const std::string shorter = std::string(kKey).substr(2);
  CHECK(fault(shorter).find("key.txt: expected 64 hex digits or more") != std::string::npos);
  CHECK(fault(shorter).find("0405") == std::string::npos);
  CHECK(fault("") != "OK");
  CHECK(fault(std::string(kKey) + "a") != "OK");
  CHECK(fault(std::string(kKey) + "zz") != "OK");
}

TEST_CASE("a key file that everybody may read is refused, and so is one that is not there") {
  const TemporaryDirectory directory;
  const std::string path = directory.write("key", kKey);
  REQUIRE(chmod(path.c_str(), 0644) == 0);
  CHECK(Pseudonyms::load(path).status().ToString().find("chmod o-r") != std::string::npos);
  REQUIRE(chmod(path.c_str(), 0640) == 0);
  CHECK(Pseudonyms::load(path).ok());
  CHECK(absl::IsInvalidArgument(Pseudonyms::load(directory / "none").status()));
}

TEST_CASE("a server refuses raw ids for everybody beside a tokens file") {
  TestServer server;
  server.options.raw_ids = true;
  server.options.tokens_file = server.directory.write("tokens", "");
  const absl::Status status =
      Server::start(server.options, {server.product()}, server.log.get()).status();
  CHECK(absl::IsInvalidArgument(status));
  CHECK(status.ToString().find("--raw-ids") != std::string::npos);
}

}  // namespace
}  // namespace kappa::serve
