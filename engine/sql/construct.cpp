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

absl::Status refuse_field(const Node& node, const Field& field, std::string_view where) {
  const std::string with_value = absl::StrCat(key_of(node, field), "=", field.scalar);
  const bool known_value = !field.scalar.empty() && find_construct(with_value) != nullptr;
  const bool is_flag = field.nodes.empty() || field.nodes.front().kind.empty();
  return not_supported(is_flag ? node.first_offset() : field.offset,
                       known_value ? with_value : key_of(node, field), where);
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
  return not_supported(at.first_offset(), key, where);
}

absl::Status not_supported(size_t offset, std::string_view key, std::string_view where) {
  const Construct* construct = find_construct(key);
  const std::string name =
      construct ? std::string(construct->name) : absl::StrCat("this use of ", to_absl(key));
  return fault(
      offset, absl::StrCat(name, " is not supported yet", where.empty() ? "" : " ", to_absl(where)),
      construct ? std::string(construct->hint) : "");
}

}  // namespace kappa::sql
