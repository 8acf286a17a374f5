#include "engine/sql/order_by.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/sql/construct.h"
#include "engine/sql/expression_tree.h"
#include "engine/sql/fault.h"
#include "engine/types/status_macros.h"

namespace kappa::sql {

absl::StatusOr<SortDirection> read_direction(const Node& item) {
  if (item.text("sortby_dir") == "SORTBY_USING") {
    return fault(item.first_offset(), "ORDER BY … USING is not supported yet", "write ASC or DESC");
  }
  KAPPA_RETURN_IF_ERROR(expect_only(item, {{"node"}, {"sortby_dir"}, {"sortby_nulls"}}));
  SortDirection direction{.descending = item.text("sortby_dir") == "SORTBY_DESC"};
  const std::string_view nulls = item.text("sortby_nulls");
  direction.nulls_first =
      nulls == "SORTBY_NULLS_DEFAULT" ? direction.descending : nulls == "SORTBY_NULLS_FIRST";
  return direction;
}

absl::StatusOr<int> ordered_output(const Node& node, const std::vector<OutputColumn>& outputs) {
  if (const Node* integer = node.is("A_Const") ? node.child("ival") : nullptr) {
    int64_t number = 0;
    const bool fits = absl::SimpleAtoi(std::string(integer->text("ival")), &number) &&
                      number >= 1 && number <= static_cast<int64_t>(outputs.size());
    if (fits) return static_cast<int>(number) - 1;
    return fault(node, absl::StrCat("ORDER BY ", std::string(integer->text("ival")),
                                    ": the SELECT list has ", outputs.size(), " columns"));
  }
  if (!node.is("ColumnRef") || node.list("fields").size() != 1) return -1;
  const std::string name = node.names("fields")[0];
  int found = -1;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].name != name) continue;
    if (found >= 0 && !same_meaning(outputs[static_cast<size_t>(found)].expr, outputs[i].expr)) {
      return fault(node, absl::StrCat("ORDER BY \"", name, "\" is ambiguous"),
                   "order by the column's number");
    }
    found = static_cast<int>(i);
  }
  return found;
}

}  // namespace kappa::sql
