#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operators/evaluator.h"
#include "operators/operator.h"

namespace kappa::operators {

// Rules applied to a stream, on one worker: the first one's, since every row meets every rule. It
// holds the rules as they came, and those that can be compiled compiled.
//
// State: one row a rule; key = rule_id, values = the other columns of the right side.
//
//   right: insert ─► row stored ─► compiled ─► a rule
//                                     └─wrong─► dead letter, no rule
//          retract ─► row and rule removed
//   left:  row ─► each rule that is valid at its event time, in the order of ids
//                     └─► condition true ─► id, reason code and weight are added to the row's
//
// A condition that fails to evaluate for a row is not true of it: the failure is a dead letter, and
// the row goes on.
class RuleMatch final : public JoinOperator {
 public:
  RuleMatch(const Plan& plan, NodeId node);

  void process_both(const Batch& left, const Batch& right, const OperatorContext& context,
                    std::vector<Batch>* out) override;
  std::vector<state::Table*> tables() override { return {table_.get()}; }
  void restored(int64_t watermark_us) override;

 private:
  struct Rule {
    Evaluator condition;
    std::string reason_code;
    int64_t weight = 0;  // in units of the weight column's scale
    std::optional<int64_t> valid_from_us;
    std::optional<int64_t> valid_until_us;

    bool valid_at(int64_t time_us) const {
      return (!valid_from_us || *valid_from_us <= time_us) &&
             (!valid_until_us || time_us < *valid_until_us);
    }
  };
  // What the rules say, a row each of the left side.
  struct Findings;

  void apply(const Batch& right, size_t row, const OperatorContext& context);
  // The rule of a stored row. InvalidArgument says why it is none.
  absl::StatusOr<Rule> read_rule(const std::byte* image) const;
  void judge(const Batch& left, size_t begin, size_t end, const OperatorContext& context,
             Findings& findings) const;
  void judge_by(const std::string& id, const Rule& rule, const Batch& rows, size_t begin,
                const OperatorContext& context, Findings& findings) const;
  void report(RowPlace place, std::string_view tie, std::string text,
              const OperatorContext& context) const;

  const NodeId node_;
  const RulesNode& op_;
  const Type weight_type_;  // of the rules' sum
  std::unique_ptr<state::Table> table_;
  std::map<std::string, Rule> rules_;
};

}  // namespace kappa::operators
