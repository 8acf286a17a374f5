#include "engine/sql/construct.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/sql/fault.h"
#include "engine/types/text.h"

namespace kappa::sql {
namespace {

std::string key_of(const Node& node, const Field& field) {
  return absl::StrCat(node.kind, ".", field.name);
}

// The construct stands where its parts do; a bare flag stands where its node does.
const Node& place_of(const Node& node, const Field& field) {
  return field.nodes.empty() || field.nodes.front().kind.empty() ? node : field.nodes.front();
}

absl::Status refuse_field(const Node& node, const Field& field, std::string_view where) {
  const std::string with_value = absl::StrCat(key_of(node, field), "=", field.scalar);
  const bool known_value = !field.scalar.empty() && find_construct(with_value) != nullptr;
  return not_supported(place_of(node, field), known_value ? with_value : key_of(node, field),
                       where);
}

}  // namespace

absl::Status expect_only(const Node& node, std::initializer_list<Handled> handled,
                         std::string_view where) {
  for (const Field& field : node.fields) {
    const auto rule = std::find_if(handled.begin(), handled.end(),
                                   [&](const Handled& h) { return h.field == field.name; });
    const bool fits = rule != handled.end() && (rule->only.empty() || rule->only == field.scalar);
    if (!fits) return refuse_field(node, field, where);
  }
  for (const Handled& rule : handled) {
    if (!rule.only.empty() && !node.has(rule.field)) {
      return not_supported(node, absl::StrCat(node.kind, ".", to_absl(rule.field), "="), where);
    }
  }
  return absl::OkStatus();
}

absl::Status not_supported(const Node& at, std::string_view key, std::string_view where) {
  const Construct* construct = find_construct(key);
  const std::string name =
      construct ? std::string(construct->name) : absl::StrCat("this use of ", to_absl(key));
  return fault(
      at.first_offset(),
      absl::StrCat(name, " is not supported yet", where.empty() ? "" : " ", to_absl(where)),
      construct ? std::string(construct->hint) : "");
}

}  // namespace kappa::sql
