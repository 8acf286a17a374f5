#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "engine/types/value.h"
#include "state/row_layout.h"

namespace kappa::state {

// The stored form of rows: part of the stored format, the same on every machine.
//
// A key is memcomparable: ascending bytes are ascending keys, column by column, nulls last.
//
//   column:  0x01 value | 0x02 (null)
//   boolean          1 byte
//   integers, times  4, 8 or 16 bytes, big-endian, sign bit flipped
//   double           8 bytes, big-endian; all bits flipped if negative, else the sign bit;
//                    -0.0 as 0.0, every NaN as the one that sorts behind all numbers
//   text, bytea      the bytes, 0x00 as 0x00 0xff; then 0x00 0x01
//
// A value is canonical: equal fields give equal bytes. Field after field:
//
//   0xff                    null
//   boolean                 0x00 or 0x01
//   integers, times         n u8, then the n low bytes of the value in zigzag form, little-endian;
//                           n is the least that does (0 for 0)
//   double                  as an integer without zigzag, the 8 bytes of the double in reverse
//                           (its low bytes tend to be zero); NaN is always the same one
//   text, bytea             size u8 up to 0xef, or 0xf0 and size u32 little-endian; the bytes

// How many bytes write_key() and write_value() may touch for this row, which is looked at only if
// it has strings.
size_t key_bytes_max(const RowLayout& layout, const std::byte* image);
size_t value_bytes_max(const RowLayout& layout, const std::byte* image);
// Write the stored key (value) of a row and return its end.
char* write_key(const RowLayout& layout, const std::byte* image, char* to);
char* write_value(const RowLayout& layout, const std::byte* image, char* to);

// Appends the stored form of `key`, whose values have the given types, to `out`.
void append_key(const Row& key, std::string* out);
// One column of type bigint or timestamptz that is not null, in a key and in a value, of at most
// kIntegerBytesMax bytes; they return the end.
inline constexpr size_t kIntegerBytesMax = 9;
char* write_key_integer(int64_t value, char* to);
char* write_value_integer(int64_t value, char* to);
// Takes a key of the given types off the front of `rest`. DataLoss: there is none; says why.
absl::Status take_key(const std::vector<RowField>& fields, std::string_view* rest, Row* key);
// The key of the given types that `stored` is. DataLoss: it is none; says why.
absl::Status decode_key(const std::vector<RowField>& fields, std::string_view stored, Row* key);

// Reads the next field of a stored value into a row. Strings are handed to `set_string`. False if
// the bytes are no such field.
class ValueReader {
 public:
  explicit ValueReader(std::string_view stored) : rest_(stored) {}
  // A field that is not a string.
  bool read(const RowField& field, std::byte* row);
  // A string field: sets the null byte and gives the bytes.
  bool read_string(const RowField& field, std::byte* row, std::string_view* value);
  // What write_value_integer() wrote.
  bool read_integer(int64_t* value);
  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

 private:
  bool take(size_t size, std::string_view* bytes);
  bool read_integer(size_t bytes_max, int128* value);
  std::string_view rest_;
};

}  // namespace kappa::state
