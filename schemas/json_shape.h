#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/types/arena.h"
#include "schemas/json_value.h"
#include "schemas/row_writer.h"

namespace kappa::schemas {

// The shape of a source's records: the bytes between the scalar values of a document. A document
// that has the same bytes between its scalars is well-formed JSON of the same structure, whatever
// its scalars are, so its values can be read in place without looking at its structure again.
//
//   {"auction": 1007 ,"price": 25 ,"channel": "Google" }
//   └─literal─┘ slot └literal─┘ slot └─literal──┘ slot   └ last literal
class JsonShape {
 public:
  // Learns the shape of `document`, which the slow path has accepted. nullopt: larger than is worth
  // keeping, or a key with an escape.
  static std::optional<JsonShape> learn(std::string_view document,
                                        const std::vector<JsonColumn>& columns,
                                        const absl::flat_hash_map<std::string, size_t>& by_field);

  enum class Outcome : uint8_t {
    kRow,           // all columns are written
    kOtherShape,    // the bytes between the values differ
    kOtherContent,  // the shape may fit, but a value needs the slow path
  };
  // Whether both shapes have the same bytes at the same places.
  bool same_as(const JsonShape& other) const;

  // Payloads that are read at the same time, at most.
  static constexpr size_t kLanesMax = RowWriter::kRowsAhead;
  // Reads payloads, each of them followed by kRecordPadding readable bytes, into the next rows to
  // be accepted, one slot after another of all of them: where a value ends is known some time after
  // it is looked at, and meanwhile there is work to do in the other lanes. Unless the outcome is
  // kRow the rows are half written; the outcome is that of one payload among them.
  Outcome read(std::span<const std::string_view> payloads, const std::vector<JsonColumn>& columns,
               RowWriter& rows, Arena& arena);

 private:
  enum class SlotKind : uint8_t {
    kEnd,  // after the last literal
    kUndeclared,
    kText,
    kInteger,
    kBigint,
    kNumeric64,
    kNumeric128,
    kDouble,
    kTimestamp,
    kScalar,  // every other type
  };

  // A value and the literal before it. The literal's first 16 bytes lie in the slot, so that most
  // comparisons are two words each; mask bytes are 0 where there is no literal byte.
  struct Slot {
    uint64_t head[2] = {0, 0};
    uint64_t mask[2] = {0, 0};
    uint32_t head_size = 0;
    uint32_t tail_size = 0;  // of the literal's rest, in literals_ from tail_offset on
    uint32_t tail_offset = 0;
    SlotKind kind = SlotKind::kEnd;
    uint8_t scale = 0;
    TimeUnit unit = TimeUnit::kNone;
    uint32_t column = 0;
    // The date last read here, which the next record most likely has too: "1970-01-" and "01" as
    // little-endian words, and the microseconds at its midnight.
    uint64_t date_head = 0x2d31302d30373931;
    uint64_t date_tail = 0x3130;
    int64_t date_us = 0;
  };

  static SlotKind kind_of(const JsonColumn& column);
  void add_slot(std::string_view literal, std::optional<size_t> column,
                const std::vector<JsonColumn>& columns);

  // A payload on its way: what is left of it.
  struct Lane {
    const char* at;
    const char* end;
  };
  using Lanes = std::span<Lane>;
  // How values of a kind are read, see json_shape.cpp.
  struct Text;
  struct Integer;
  struct Bigint;
  template <typename Stored>
  struct Numeric;
  struct Double;
  struct Timestamp;

  const char* match_literal(const Slot& slot, const char* at, const char* end) const;
  bool match_literals(const Slot& slot, Lanes lanes) const;
  static Outcome read_slot(Slot& slot, Lanes lanes, const std::vector<JsonColumn>& columns,
                           RowWriter& rows, Arena& arena);
  template <typename Reader>
  static Outcome read_values(Slot& slot, Lanes lanes, const JsonColumn& column, RowWriter& rows,
                             Arena& arena);
  static Outcome read_scalars(const Slot& slot, Lanes lanes, const JsonColumn& column,
                              RowWriter& rows, Arena& arena);
  static const char* read_scalar(const Slot& slot, const Lane& lane, const JsonColumn& column,
                                 RowWriter& rows, Arena& arena);
  static Outcome skip_scalars(Lanes lanes);

  std::vector<Slot> slots_;
  std::vector<size_t> missing_;  // declared columns that the shape does not have
  std::string literals_;
};

}  // namespace kappa::schemas
