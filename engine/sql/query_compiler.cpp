#include "engine/sql/catalog.h"
#include "engine/sql/fault.h"
#include "engine/sql/parser/parser.h"
#include "engine/sql/query.h"
#include "engine/sql/query_binder.h"
#include "engine/sql/text_check.h"
#include "engine/types/status_macros.h"

namespace kappa::sql {
namespace {

absl::StatusOr<std::shared_ptr<const BoundQuery>> compile(const SourceText& text,
                                                          const operators::Plan& plan) {
  KAPPA_RETURN_IF_ERROR(check_text(text));
  const auto statements = split_statements(text.text());
  if (statements.empty()) return fault(0, "there is no query", "write SELECT … FROM a view");
  if (statements.size() > 1) {
    return fault(statements[1].begin, "a query is one SELECT, here a second statement begins");
  }
  KAPPA_ASSIGN_OR_RETURN(const Node node, parse_statement(text.text(), statements[0]));
  if (!node.is("SelectStmt")) {
    return fault(statements[0].begin, "a query is a SELECT",
                 "what a product declares stands in its files and takes effect with kappa apply");
  }
  QueryBinder binder(text, plan);
  BoundQuery query;
  KAPPA_ASSIGN_OR_RETURN(query.root, binder.compile(node));
  query.views = binder.views();
  return std::make_shared<const BoundQuery>(std::move(query));
}

}  // namespace

CompiledQuery compile_query(const SqlText& text, const operators::Plan& plan) {
  const SourceText source(text.file, text.text);
  auto query = compile(source, plan);
  if (!query.ok()) return {nullptr, {to_diagnostic(query.status(), source)}};
  return {*std::move(query), {}};
}

}  // namespace kappa::sql
