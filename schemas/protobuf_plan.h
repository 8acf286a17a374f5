#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "schemas/decoder.h"
#include "schemas/protobuf_wire.h"
#include "schemas/source.h"

namespace kappa::schemas {

// What a field of a message is, as far as its bytes go.
enum class ProtoKind : uint8_t {
  kBool,
  kInt32,  // also enums
  kInt64,
  kUint32,
  kUint64,
  kSint32,
  kSint64,
  kFixed32,
  kFixed64,
  kSfixed32,
  kSfixed64,
  kFloat,
  kDouble,
  kString,
  kBytes,
  kTimestamp,
  kDuration,
};

WireType wire_type_of(ProtoKind kind);

// A declared column and the field it is read from.
struct ProtoColumn {
  std::string name;
  Type type;
  TimeUnit unit = TimeUnit::kNone;
  uint32_t number = 0;  // of the field
  ProtoKind kind = ProtoKind::kInt32;
  bool has_presence = false;   // absent is NULL; otherwise absent is the default value
  bool wire_required = false;  // proto2's `required`
  bool is_enum = false;
  bool closed_enum = false;  // proto2: a number without a name is as good as absent
  absl::flat_hash_map<int32_t, std::string> enum_names;
  std::string expected;  // for messages
};

// A member of a oneof that declared columns belong to: when it comes, the other members are gone.
struct OneofMember {
  uint32_t number = 0;
  ProtoKind kind = ProtoKind::kBytes;
  std::vector<size_t> others;  // columns
};

struct ProtoPlan {
  std::vector<ProtoColumn> columns;  // one for each of the source
  std::vector<OneofMember> oneofs;
  // Fields that proto2 requires and no column has: their places and names.
  std::vector<std::string> required_without_column;
  std::vector<int> message_indexes;  // the way to the message through its file, outermost first
};

// Reads source.proto_file and what it imports from `files` (the well-known types and
// kappa/v1/contract.proto are there already; imports are looked for as written, then beside the
// file) and finds each column's field. InvalidArgument with file:line:column of what does not
// parse, or of the field a column cannot take.
absl::StatusOr<ProtoPlan> plan_protobuf(const Source& source, const ProductFiles& files);

}  // namespace kappa::schemas
