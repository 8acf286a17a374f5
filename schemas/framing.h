#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/types/record.h"

// What serializers of a Schema Registry write around a payload. It is recognised record by record
// and needs no option: neither a JSON document nor a Protobuf message can begin with a byte 0x00.
//
//   in front of the payload            0x00 | schema id u32 BE | [message indexes]
//   or in the header __value_schema_id 0x01 | GUID, 16 bytes   | [message indexes]
//                                      (or as in front of a payload)
//
// Message indexes are there if the payload is Protobuf: a count and as many numbers, all as zigzag
// varints, the way to the message through the .proto file: [1, 0] is the first message inside of
// the second one. The count 0 stands for [0]. Nothing is asked of a registry: the table's columns,
// or its .proto, say how to read what the frame is around.
namespace kappa::schemas {

inline constexpr std::string_view kSchemaIdHeader = "__value_schema_id";

// Whether the record, which has a payload, may be framed: the others need not be looked at.
inline bool may_be_framed_json(const RecordView& record) {
  return record.value_size > 0 && record.value[0] == 0;
}
inline bool may_be_framed_protobuf(const RecordView& record) {
  return may_be_framed_json(record) || record.headers_size > kSchemaIdHeader.size();
}

// Finds what a frame is around; without one, the payload. Returns why the frame is none, or belongs
// to another message than the one at `message_indexes`, which is called `message`.
std::optional<std::string> unframe_json(const RecordView& record, std::string_view* body);
std::optional<std::string> unframe_protobuf(const RecordView& record,
                                            std::span<const int> message_indexes,
                                            std::string_view message, std::string_view* body);

}  // namespace kappa::schemas
