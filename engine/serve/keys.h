#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "engine/serve/product.h"
#include "engine/types/value.h"

namespace google::protobuf {
template <typename T>
class RepeatedPtrField;
}
namespace kappa::v1 {
class Value;
}

namespace kappa::serve {

using WireValues = google::protobuf::RepeatedPtrField<v1::Value>;

// FailedPrecondition: the view is keyed by record, so there are no keys to ask for.
absl::Status check_has_key(const ViewRef& view);
// A whole key, in the types of the view's key columns. InvalidArgument names `field`.
absl::StatusOr<Row> read_key(const ViewRef& view, const WireValues& values,
                             const std::string& field);
// The first columns of a key, maybe none.
absl::StatusOr<Row> read_key_prefix(const ViewRef& view, const WireValues& values,
                                    const std::string& field);

}  // namespace kappa::serve
