#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace kappa::schemas {

enum class WireType : uint8_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kStartGroup = 3,
  kEndGroup = 4,
  kFixed32 = 5,
};

// Walks the fields of a Protobuf message. Every function is false if the bytes end too early or
// break the encoding's rules; then nothing more may be read.
//
//   tag varint (field number << 3 | wire type), then by wire type: varint | 8 bytes |
//   length varint and as many bytes | 4 bytes
class WireReader {
 public:
  explicit WireReader(std::string_view message)
      : begin_(message.data()), at_(message.data()), end_(message.data() + message.size()) {}

  bool done() const { return at_ == end_; }
  size_t position() const { return static_cast<size_t>(at_ - begin_); }

  bool tag(uint32_t* number, WireType* type) {
    uint32_t bits = 0;
    if (!short_varint(&bits)) return false;
    *number = bits >> 3;
    *type = static_cast<WireType>(bits & 7);
    return *number != 0;
  }

  bool varint(uint64_t* value) {
    if (at_ < end_ && static_cast<uint8_t>(*at_) < 0x80) [[likely]] {
      *value = static_cast<uint8_t>(*at_++);
      return true;
    }
    uint64_t bits = 0;
    // Ten bytes at most; bits beyond the 64th are dropped, as Google's parser drops them.
    for (unsigned shift = 0; shift < 70 && at_ < end_; shift += 7) {
      const auto byte = static_cast<uint8_t>(*at_++);
      bits |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) {
        *value = bits;
        return true;
      }
    }
    return false;
  }

  bool fixed64(uint64_t* value) { return fixed(value); }
  bool fixed32(uint32_t* value) { return fixed(value); }

  bool bytes(std::string_view* value) {
    uint32_t size = 0;
    if (!short_varint(&size) || size > static_cast<size_t>(end_ - at_)) return false;
    *value = {at_, size};
    at_ += size;
    return true;
  }

  // Steps over a value of a field that nobody reads.
  bool skip(WireType type) {
    uint64_t wide = 0;
    uint32_t narrow = 0;
    std::string_view content;
    switch (type) {
      case WireType::kVarint:
        return varint(&wide);
      case WireType::kFixed64:
        return fixed64(&wide);
      case WireType::kBytes:
        return bytes(&content);
      case WireType::kFixed32:
        return fixed32(&narrow);
      case WireType::kStartGroup:
      case WireType::kEndGroup:
        break;
    }
    return false;
  }

 private:
  // A varint of at most five bytes, as tags and lengths are.
  bool short_varint(uint32_t* value) {
    if (at_ < end_ && static_cast<uint8_t>(*at_) < 0x80) [[likely]] {
      *value = static_cast<uint8_t>(*at_++);
      return true;
    }
    uint64_t bits = 0;
    for (unsigned shift = 0; shift < 35 && at_ < end_; shift += 7) {
      const auto byte = static_cast<uint8_t>(*at_++);
      bits |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) {
        *value = static_cast<uint32_t>(bits);
        return bits <= UINT32_MAX;
      }
    }
    return false;
  }

  template <typename T>
  bool fixed(T* value) {
    if (static_cast<size_t>(end_ - at_) < sizeof(T)) return false;
    std::memcpy(value, at_, sizeof(T));
    at_ += sizeof(T);
    return true;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
};

// Appends fields of a message.
class WireWriter {
 public:
  explicit WireWriter(std::string* out) : out_(out) {}

  void tag(uint32_t number, WireType type) {
    varint(uint64_t{number} << 3 | static_cast<uint64_t>(type));
  }
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_->push_back(static_cast<char>((value & 0x7f) | 0x80));
    out_->push_back(static_cast<char>(value));
  }
  void fixed64(uint64_t value) { fixed(value); }
  void fixed32(uint32_t value) { fixed(value); }
  void bytes(std::string_view value) {
    varint(value.size());
    out_->append(value);
  }

 private:
  template <typename T>
  void fixed(T value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    out_->append(bytes, sizeof(T));
  }

  std::string* out_;
};

inline uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
inline int64_t unzigzag(uint64_t bits) {
  return static_cast<int64_t>((bits >> 1) ^ (~(bits & 1) + 1));
}

}  // namespace kappa::schemas
