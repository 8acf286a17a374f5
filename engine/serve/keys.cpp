#include "engine/serve/keys.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/serve/api_error.h"
#include "engine/serve/wire.h"
#include "engine/types/text.h"
#include "kappa/v1/value.pb.h"

namespace kappa::serve {
namespace {

// "2 values (store_id, window_start)"
std::string key_text(const ViewRef& view) {
  std::vector<std::string> names;
  for (size_t i = 0; i < view.node->key.size(); ++i) names.push_back(view.key_column(i).name);
  return absl::StrCat(names.size(), names.size() == 1 ? " value (" : " values (",
                      absl::StrJoin(names, ", "), ")");
}

}  // namespace

absl::Status check_has_key(const ViewRef& view) {
  if (!view.node->by_record) return absl::OkStatus();
  return with_reason(
      absl::FailedPreconditionError(absl::StrCat(
          "view ", view.node->name,
          " is keyed by record, so there are no keys to ask for; use Sql or a Scan without range, "
          "or give the view a key: WITH (key = '…')")),
      "VIEW_HAS_NO_KEY", {{"view", view.node->name}});
}

absl::StatusOr<Row> read_key_prefix(const ViewRef& view, const WireValues& values,
                                    const std::string& field) {
  if (static_cast<size_t>(values.size()) > view.node->key.size()) {
    return invalid_field(field, absl::StrCat("the key of view ", view.node->name, " has ",
                                             key_text(view), ", got ", values.size()));
  }
  Row key;
  for (int i = 0; i < values.size(); ++i) {
    absl::StatusOr<Value> value = key_value(values[i], view.key_column(static_cast<size_t>(i)));
    if (!value.ok()) {
      return invalid_field(absl::StrCat(field, "[", i, "]"), to_std(value.status().message()));
    }
    key.push_back(*std::move(value));
  }
  return key;
}

absl::StatusOr<Row> read_key(const ViewRef& view, const WireValues& values,
                             const std::string& field) {
  if (static_cast<size_t>(values.size()) < view.node->key.size()) {
    return invalid_field(field, absl::StrCat("the key of view ", view.node->name, " has ",
                                             key_text(view), ", got ", values.size()));
  }
  return read_key_prefix(view, values, field);
}

}  // namespace kappa::serve
