#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engine/sql/catalog.h"
#include "engine/sql/construct.h"
#include "engine/sql/fault.h"
#include "engine/sql/parser/parser.h"
#include "engine/sql/query.h"
#include "engine/sql/query_binder.h"
#include "engine/sql/text_check.h"
#include "engine/types/status_macros.h"

namespace kappa::sql {
namespace {

// EXPLAIN and a view's name, which is no statement of PostgreSQL's: the name.
std::optional<std::string> explained_view(const SourceText& text, const StatementText& statement) {
  const auto& tokens = statement.tokens;
  if (tokens.size() != 2 || upper_word(text.text(), tokens[0]) != "EXPLAIN") return std::nullopt;
  const std::string_view name = token_text(text.text(), tokens[1]);
  if (tokens[1].kind == Token::Kind::kWord) return absl::AsciiStrToLower(std::string(name));
  if (tokens[1].kind != Token::Kind::kQuotedName || !tokens[1].complete) return std::nullopt;
  return absl::StrReplaceAll(std::string(name.substr(1, name.size() - 2)), {{"\"\"", "\""}});
}

// The SELECT that EXPLAIN is about.
absl::StatusOr<const Node*> explained_select(const Node& explain, const StatementText& statement) {
  for (const Node& option : explain.list("options")) {
    const std::string name = absl::AsciiStrToUpper(std::string(option.text("defname")));
    return fault(option, absl::StrCat("EXPLAIN ", name, " is not supported yet"),
                 "write EXPLAIN SELECT …: it shows how the query would be run");
  }
  KAPPA_RETURN_IF_ERROR(expect_only(explain, {{"query"}, {"options"}}));
  const Node* query = explain.child("query");
  if (query && query->is("SelectStmt")) return query;
  return fault(statement.tokens[1].offset, "EXPLAIN takes a SELECT or the name of a view");
}

absl::StatusOr<std::shared_ptr<const BoundQuery>> compile(const SourceText& text,
                                                          const operators::Plan& plan) {
  KAPPA_RETURN_IF_ERROR(check_text(text));
  const auto statements = split_statements(text.text());
  if (statements.empty()) return fault(0, "there is no query", "write SELECT … FROM a view");
  if (statements.size() > 1) {
    return fault(statements[1].begin, "a query is one SELECT, here a second statement begins");
  }
  QueryBinder binder(text, plan);
  BoundQuery query;
  if (const auto view = explained_view(text, statements[0])) {
    KAPPA_ASSIGN_OR_RETURN(const operators::NodeId id,
                           binder.find_view(*view, statements[0].tokens[1].offset));
    query.views = {id};
    query.explains = true;
    return std::make_shared<const BoundQuery>(std::move(query));
  }
  KAPPA_ASSIGN_OR_RETURN(const Node node, parse_statement(text.text(), statements[0]));
  const Node* select = &node;
  if (node.is("ExplainStmt")) {
    KAPPA_ASSIGN_OR_RETURN(select, explained_select(node, statements[0]));
    query.explains = true;
  }
  if (!select->is("SelectStmt")) {
    return fault(statements[0].begin, "a query is a SELECT",
                 "what a product declares stands in its files and takes effect with kappa apply");
  }
  KAPPA_ASSIGN_OR_RETURN(query.root, binder.compile(*select));
  query.views = binder.views();
  return std::make_shared<const BoundQuery>(std::move(query));
}

}  // namespace

CompiledQuery compile_query(const SqlText& text, const operators::Plan& plan) {
  const SourceText source(text.file, text.text, &plan.models);
  auto query = compile(source, plan);
  if (!query.ok()) return {nullptr, {to_diagnostic(query.status(), source)}};
  return {*std::move(query), {}};
}

}  // namespace kappa::sql
