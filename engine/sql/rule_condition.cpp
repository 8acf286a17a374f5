#include "engine/sql/rule_condition.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/sql/construct.h"
#include "engine/sql/expression_binder.h"
#include "engine/sql/fault.h"
#include "engine/sql/parser/parser.h"
#include "engine/sql/text_check.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"

namespace kappa::sql {
namespace {

// Stands on a line of its own, so that columns are those of the condition.
constexpr std::string_view kBefore = "SELECT\n";
constexpr size_t kConditionBytesMax = 16u << 10;

// The one expression of a SELECT that has nothing else: a condition cannot say more than it is.
absl::StatusOr<const Node*> only_expression(const Node& select) {
  if (!select.is("SelectStmt")) return fault(kBefore.size(), "a rule is one condition");
  const auto targets = select.list("targetList");
  if (targets.empty()) return fault(kBefore.size(), "the condition is empty");
  if (targets.size() > 1) return fault(targets[1], "a rule is one condition, here a second begins");
  KAPPA_RETURN_IF_ERROR(expect_only(
      select, {{"targetList"}, {"limitOption", "LIMIT_OPTION_DEFAULT"}, {"op", "SETOP_NONE"}},
      "in a rule"));
  KAPPA_RETURN_IF_ERROR(expect_only(targets[0], {{"val"}}, "in a rule"));
  return targets[0].child("val");
}

absl::StatusOr<operators::ExprRef> compile_condition(const SourceText& text, const Scope& scope) {
  KAPPA_RETURN_IF_ERROR(check_text(text));
  const auto statements = split_statements(text.text());
  if (statements.size() != 1) {
    return fault(statements[1].begin, "a rule is one condition, without a semicolon");
  }
  KAPPA_ASSIGN_OR_RETURN(const Node select, parse_statement(text.text(), statements[0]));
  KAPPA_ASSIGN_OR_RETURN(const Node* expression, only_expression(select));
  return ExpressionBinder(text, scope, "a rule").bind_condition(*expression);
}

class ConditionCompiler final : public operators::RuleCompiler {
 public:
  explicit ConditionCompiler(Scope scope) : scope_(std::move(scope)) {}

  absl::StatusOr<operators::ExprRef> compile(std::string_view condition) const override {
    if (condition.size() > kConditionBytesMax) {
      return absl::InvalidArgumentError(absl::StrCat("its condition has ", condition.size(),
                                                     " bytes, more than ", kConditionBytesMax));
    }
    const SourceText text("rule", absl::StrCat(to_absl(kBefore), to_absl(condition)), nullptr,
                          /*lines_ahead=*/1);
    auto compiled = compile_condition(text, scope_);
    if (compiled.ok()) return compiled;
    const Diagnostic wrong = to_diagnostic(compiled.status(), text);
    return absl::InvalidArgumentError(absl::StrCat(wrong.line, ":", wrong.column, ": ",
                                                   wrong.message, wrong.hint.empty() ? "" : "; ",
                                                   wrong.hint));
  }

 private:
  const Scope scope_;
};

}  // namespace

std::shared_ptr<const operators::RuleCompiler> make_rule_compiler(Scope scope) {
  return std::make_shared<const ConditionCompiler>(std::move(scope));
}

}  // namespace kappa::sql
