#include "engine/sql/view_rows.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "engine/sql/fault.h"
#include "engine/sql/parser/parser.h"
#include "engine/sql/query.h"
#include "engine/sql/query_binder.h"
#include "engine/sql/text_check.h"
#include "engine/types/status_macros.h"

namespace kappa::sql {
namespace {

std::string quoted(const std::string& name) {
  return absl::StrCat("\"", absl::StrReplaceAll(name, {{"\"", "\"\""}}), "\"");
}

// The SELECT as a text whose first line is ours; the condition stands below it as it was written.
std::string select_text(const std::string& view, const std::vector<std::string>& columns,
                        const std::string& condition) {
  const std::string list = absl::StrJoin(columns, ", ", [](std::string* out, const auto& name) {
    absl::StrAppend(out, quoted(name));
  });
  const bool all_rows = absl::StripAsciiWhitespace(condition).empty();
  return absl::StrCat("SELECT ", columns.empty() ? "*" : list, " FROM ", quoted(view),
                      all_rows ? "\n" : " WHERE\n", condition);
}

// The condition must not have become another clause. Without parentheses around it, one too many
// is a syntax error, so nothing that it holds can get out of WHERE unseen.
absl::Status check_only_where(const Node& select) {
  constexpr std::array<std::string_view, 3> kOurs = {"targetList", "fromClause", "whereClause"};
  for (const Field& field : select.fields) {
    const bool ours = std::find(kOurs.begin(), kOurs.end(), field.name) != kOurs.end();
    const bool unset = field.scalar == "LIMIT_OPTION_DEFAULT" || field.scalar == "SETOP_NONE";
    if (ours || unset) continue;
    return fault(field.offset, "a condition is one expression, and here something else begins",
                 "write what may stand between WHERE and the next clause, such as amount > 10");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const BoundQuery>> compile(const SourceText& text,
                                                          const operators::Plan& plan) {
  KAPPA_RETURN_IF_ERROR(check_text(text));
  const auto statements = split_statements(text.text());
  if (statements.size() != 1) {
    return fault(statements[1].begin,
                 "a condition is one expression, here another statement begins");
  }
  KAPPA_ASSIGN_OR_RETURN(const Node select, parse_statement(text.text(), statements[0]));
  KAPPA_RETURN_IF_ERROR(check_only_where(select));
  QueryBinder binder(text, plan);
  BoundQuery query;
  KAPPA_ASSIGN_OR_RETURN(query.root, binder.compile(select));
  query.views = binder.views();
  return std::make_shared<const BoundQuery>(std::move(query));
}

}  // namespace

CompiledQuery compile_view_rows(const operators::Plan& plan, operators::NodeId view,
                                const std::vector<std::string>& columns, const SqlText& condition) {
  const std::string& name = std::get<operators::ViewNode>(plan.node(view).op).name;
  const SourceText text(condition.file, select_text(name, columns, condition.text), &plan.models,
                        /*lines_ahead=*/1);
  auto query = compile(text, plan);
  if (!query.ok()) return {nullptr, {to_diagnostic(query.status(), text)}};
  return {*std::move(query), {}};
}

}  // namespace kappa::sql
