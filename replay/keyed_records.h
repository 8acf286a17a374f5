#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "engine/log/log.h"
#include "engine/runtime/patience.h"
#include "engine/runtime/reads.h"
#include "engine/types/hash.h"
#include "operators/plan.h"
#include "replay/logic_change.h"

namespace kappa::replay {

// The records by which a topic holds a relation: its last ones, by key. Of payloads it keeps
// hashes.
using KeyedRecords = absl::flat_hash_map<std::string, WideHash>;

// Those that an output's relation comes to at the moment of `rows`, in which view_of_output() is
// pinned: visit(key, payload) for each, in no particular order. Rows that have no key or no payload
// count as none, as ever. DeadlineExceeded, Unavailable: as the snapshot says.
absl::Status visit_records(const Logic& logic, operators::NodeId output, runtime::Snapshot& rows,
                           const std::function<void(std::string key, std::string payload)>& visit);

// Those that a topic holds now; none if it is not there. Reads all of it. Unavailable: the log has
// not answered for so long.
absl::StatusOr<KeyedRecords> read_topic(const log::Log& log, const std::string& topic,
                                        const runtime::Patience& patience);

}  // namespace kappa::replay
