#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kappa::cli::playground {

// Appends fields of a Protobuf message to a string. The generator writes a few message types, at
// full speed; it needs no generated code for them.
class ProtobufWriter {
 public:
  explicit ProtobufWriter(std::string* out) : out_(out) {}

  // int32, int64, uint32, uint64 or bool, false as 0. Zero is not written, as proto3 has it.
  void integer(int field, int64_t value) {
    if (value == 0) return;
    varint(static_cast<uint64_t>(field) << 3);
    varint(static_cast<uint64_t>(value));
  }
  // string, bytes or an embedded message.
  void text(int field, std::string_view value) {
    varint((static_cast<uint64_t>(field) << 3) | 2);
    varint(value.size());
    out_->append(value);
  }

 private:
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_->push_back(static_cast<char>(value | 0x80));
    out_->push_back(static_cast<char>(value));
  }

  std::string* out_;
};

}  // namespace kappa::cli::playground
