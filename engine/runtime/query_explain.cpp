#include "engine/runtime/query_explain.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace kappa::runtime {
namespace {

using operators::Schema;

const std::string& name_of(const Schema& schema, int column) {
  return schema[static_cast<size_t>(column)].name;
}

// Tells the stages of one query.
class QueryExplainer {
 public:
  explicit QueryExplainer(const operators::Plan& plan) : plan_(plan) {}

  ExplainedNode explain_stage(const sql::QueryNode& node) const {
    ExplainedNode explained;
    explained.of_query = true;
    std::visit([&](const auto& op) { tell(node, op, &explained); }, node.op);
    for (const sql::QueryNodeRef& input : node.inputs) {
      explained.inputs.push_back(explain_stage(*input));
    }
    return explained;
  }

 private:
  // A stage's columns; what a projection computes is called by what it computes.
  static Schema computed(const sql::QueryNode& node) {
    Schema schema = node.schema;
    const auto* project = std::get_if<sql::QueryProject>(&node.op);
    for (size_t i = 0; project && i < schema.size(); ++i) {
      schema[i].name = to_sql(*project->exprs[i], input(node));
    }
    return schema;
  }

  static const Schema& input(const sql::QueryNode& node) { return node.inputs[0]->schema; }

  void tell(const sql::QueryNode& node, const sql::ViewScan& op, ExplainedNode* out) const {
    const auto& view = std::get<operators::ViewNode>(plan_.node(op.view).op);
    const Schema& schema = plan_.node(op.view).schema;
    if (op.point_key) {
      std::vector<std::string> parts;
      for (size_t k = 0; k < view.key.size(); ++k) {
        const operators::ExprRef value = operators::constant_expr((*op.point_key)[k]);
        parts.push_back(absl::StrCat(name_of(schema, view.key[k]), " = ", to_sql(*value, {})));
      }
      out->operation = absl::StrCat("get by key ", absl::StrJoin(parts, " AND "));
    } else {
      out->operation = "scan";
    }
    absl::StrAppend(
        &out->operation, ": ",
        absl::StrJoin(node.schema, ", ", [](std::string* text, const operators::Field& field) {
          absl::StrAppend(text, field.name);
        }));
    out->inputs.push_back(explain(plan_, op.view));
  }

  void tell(const sql::QueryNode& node, const sql::QueryFilter& op, ExplainedNode* out) const {
    out->operation = absl::StrCat("filter ", to_sql(*op.predicate, input(node)));
  }

  void tell(const sql::QueryNode& node, const sql::QueryProject& op, ExplainedNode* out) const {
    std::vector<std::string> shown;
    for (const operators::ExprRef& expr : op.exprs) {
      const std::string& name = node.schema[shown.size()].name;
      const std::string text = to_sql(*expr, input(node));
      shown.push_back(text == name ? name : absl::StrCat(text, " AS ", name));
    }
    out->operation = absl::StrCat("project ", absl::StrJoin(shown, ", "));
  }

  void tell(const sql::QueryNode& node, const sql::QueryAggregate& op, ExplainedNode* out) const {
    const Schema arguments = computed(*node.inputs[0]);
    std::vector<std::string> groups;
    std::vector<std::string> calls;
    for (const int column : op.aggregate.groups) groups.push_back(name_of(arguments, column));
    for (const operators::AggregateCall& call : op.aggregate.calls) {
      calls.push_back(to_sql(call, arguments));
    }
    const std::string by = absl::StrJoin(groups, ", ");
    out->operation = absl::StrCat("aggregate", by.empty() ? "" : " by ", by,
                                  calls.empty() ? "" : ": ", absl::StrJoin(calls, ", "));
    out->state = by.empty() ? "one row" : absl::StrCat("a row a group, by ", by);
  }

  void tell(const sql::QueryNode&, const sql::QueryDistinct&, ExplainedNode* out) const {
    out->operation = "distinct";
    out->state = "the rows given out";
  }

  void tell(const sql::QueryNode&, const sql::QueryUnionAll&, ExplainedNode* out) const {
    out->operation = "union all";
  }

  void tell(const sql::QueryNode& node, const sql::QueryJoin& op, ExplainedNode* out) const {
    std::vector<std::string> parts;
    for (size_t k = 0; k < op.left_keys.size(); ++k) {
      parts.push_back(absl::StrCat(name_of(node.inputs[0]->schema, op.left_keys[k]), " = ",
                                   name_of(node.inputs[1]->schema, op.right_keys[k])));
    }
    out->operation =
        absl::StrCat(op.left ? "left join on " : "join on ", absl::StrJoin(parts, " AND "));
    out->state = "the rows of the right side";
  }

  void tell(const sql::QueryNode& node, const sql::QuerySort& op, ExplainedNode* out) const {
    out->operation = absl::StrCat(
        "sort by ", absl::StrJoin(op.keys, ", ", [&](std::string* text, const sql::SortKey& key) {
          absl::StrAppend(text, name_of(node.schema, key.column), key.descending ? " DESC" : "",
                          nulls_text(key.descending, key.nulls_first));
        }));
    out->state = "all rows";
  }

  void tell(const sql::QueryNode&, const sql::QueryLimit& op, ExplainedNode* out) const {
    out->operation = op.limit ? absl::StrCat("limit ", *op.limit) : "no limit";
    if (op.offset > 0) absl::StrAppend(&out->operation, " offset ", op.offset);
  }

  void tell(const sql::QueryNode&, const sql::QuerySingleRow&, ExplainedNode* out) const {
    out->operation = "one row";
  }

  const operators::Plan& plan_;
};

}  // namespace

ExplainedNode explain_query(const sql::BoundQuery& query, const operators::Plan& plan) {
  if (!query.root) return explain(plan, query.views.front());
  return QueryExplainer(plan).explain_stage(*query.root);
}

}  // namespace kappa::runtime
