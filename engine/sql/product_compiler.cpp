#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "engine/sql/catalog.h"
#include "engine/sql/fault.h"
#include "engine/sql/parser/parser.h"
#include "engine/sql/plan_builder.h"
#include "engine/sql/product_catalog.h"
#include "engine/sql/product_models.h"
#include "engine/sql/statement.h"
#include "engine/sql/text_check.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"

namespace kappa::sql {
namespace {

// The name that CREATE … TABLE or VIEW gives, read from the words alone, since the statement may
// not parse; empty if it is none.
std::string created_name(std::string_view text, const StatementText& statement) {
  const auto& tokens = statement.tokens;
  const auto word = [&](size_t i) {
    return i < tokens.size() ? upper_word(text, tokens[i]) : std::string();
  };
  if (word(0) != "CREATE") return "";
  size_t i = 1;
  while (i < tokens.size() && word(i) != "TABLE" && word(i) != "VIEW" && word(i) != "AS") ++i;
  if (word(i) == "AS" || ++i >= tokens.size()) return "";
  if (word(i) == "IF" && word(i + 1) == "NOT" && word(i + 2) == "EXISTS") i += 3;
  if (i >= tokens.size()) return "";
  const std::string name(token_text(text, tokens[i]));
  if (tokens[i].kind == Token::Kind::kQuotedName) return name.substr(1, name.size() - 2);
  return absl::AsciiStrToLower(name);
}

// Its first words, for naming a statement that is none of ours: "DROP TABLE".
std::string statement_name(std::string_view text, const StatementText& statement) {
  std::string name;
  for (size_t i = 0; i < std::min<size_t>(2, statement.tokens.size()); ++i) {
    if (statement.tokens[i].kind != Token::Kind::kWord) break;
    absl::StrAppend(&name, name.empty() ? "" : " ", upper_word(text, statement.tokens[i]));
  }
  return name.empty() ? "this statement" : name;
}

absl::Status refuse_statement(const Node& node, const SourceText& text,
                              const StatementText& statement) {
  const std::string name = statement_name(text.text(), statement);
  if (node.is("CreateStmt")) {
    return fault(statement.begin, "CREATE TABLE is not supported: rows live in the log",
                 "write CREATE FOREIGN TABLE … SERVER log OPTIONS (topic '…')");
  }
  if (node.is("ViewStmt")) {
    return fault(statement.begin, "CREATE VIEW is not supported yet",
                 "write CREATE MATERIALIZED VIEW");
  }
  if (node.is("SelectStmt")) {
    return fault(statement.begin, "a product declares; it does not query",
                 "give the SELECT to kappa query, or write CREATE MATERIALIZED VIEW v AS SELECT …");
  }
  if (node.is("DropStmt") || node.kind.starts_with("Alter") || node.is("RenameStmt")) {
    return fault(statement.begin, absl::StrCat(name, " is not supported"),
                 "change the declaration itself: a product takes effect as a whole");
  }
  return fault(statement.begin, absl::StrCat(name, " is not supported yet"),
               "a product has CREATE FOREIGN TABLE, CREATE MATERIALIZED VIEW and INSERT INTO … "
               "SELECT");
}

class ProductCompiler {
 public:
  explicit ProductCompiler(const schemas::ProductFiles& files)
      : files_(files), builder_(&result_.plan) {}

  CompiledPlan run(const std::vector<SqlText>& texts) {
    result_.plan.models = read_models(files_);
    std::vector<SourceText> sources;
    sources.reserve(texts.size());
    for (const SqlText& text : texts) {
      sources.emplace_back(text.file, text.text, &result_.plan.models);
    }
    for (const SourceText& text : sources) announce(text);
    for (const SourceText& text : sources) compile_text(text);
    if (result_.ok()) finish_plan(&result_.plan);
    return std::move(result_);
  }

 private:
  void announce(const SourceText& text) {
    if (!check_text(text).ok()) return;
    for (const StatementText& statement : split_statements(text.text())) {
      catalog_.announce(created_name(text.text(), statement));
    }
  }

  void compile_text(const SourceText& text) {
    if (const absl::Status status = check_text(text); !status.ok()) {
      result_.diagnostics.push_back(to_diagnostic(status, text));
      return;
    }
    for (const StatementText& statement : split_statements(text.text())) {
      const absl::Status status = compile_statement(text, statement);
      if (status.ok()) continue;
      catalog_.add_faulty(created_name(text.text(), statement));
      if (!is_consequence(status)) result_.diagnostics.push_back(to_diagnostic(status, text));
    }
  }

  absl::Status compile_statement(const SourceText& text, const StatementText& statement) {
    KAPPA_ASSIGN_OR_RETURN(const Node node, parse_statement(text.text(), statement));
    const auto index = static_cast<int>(result_.plan.statements.size());
    result_.plan.statements.push_back(
        {text.text().substr(statement.begin, statement.end - statement.begin),
         text.position(statement.begin)});
    ProductContext context{text, files_, catalog_, builder_, index, feeds_};
    if (node.is("CreateForeignTableStmt")) return compile_foreign_table(node, context);
    if (node.is("InsertStmt")) return compile_insert(node, context);
    if (node.is("CreateTableAsStmt")) return compile_view(node, context);
    return refuse_statement(node, text, statement);
  }

  const schemas::ProductFiles& files_;
  CompiledPlan result_;
  PlanBuilder builder_;
  ProductCatalog catalog_;
  std::map<int, std::set<int>> feeds_;
};

}  // namespace

CompiledPlan compile_product(const std::vector<SqlText>& texts,
                             const schemas::ProductFiles& files) {
  return ProductCompiler(files).run(texts);
}

}  // namespace kappa::sql
