#include "test/sql/compiled.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace kappa::sql {
namespace {

constexpr char kTable[] =
    "CREATE FOREIGN TABLE t (flag boolean, i integer, l bigint, d double precision, "
    "n numeric(12,2), s text, bytes bytea, at timestamptz, day date, span interval) SERVER log; ";

std::string fault_line(const Diagnostic& fault, uint32_t columns_before = 0) {
  return absl::StrCat(fault.line, ":", fault.column - columns_before, ": ", fault.message,
                      fault.hint.empty() ? "" : "; ", fault.hint);
}

std::string schema_text(const operators::Schema& schema) {
  return absl::StrJoin(schema, ", ", [](std::string* out, const operators::Field& field) {
    absl::StrAppend(out, field.name, " ", to_string(field.type));
  });
}

std::string node_text(const operators::Plan& plan, const operators::PlanNode& node) {
  const auto* source = std::get_if<operators::SourceNode>(&node.op);
  if (source) {
    return absl::StrCat("source ", plan.sources[static_cast<size_t>(source->source)].name, " [",
                        absl::StrJoin(source->wanted, ","), "]");
  }
  const auto* output = std::get_if<operators::OutputNode>(&node.op);
  if (output) {
    return absl::StrCat("output ", plan.sources[static_cast<size_t>(output->sink)].name);
  }
  return operators::describe(plan, node);
}

struct QueryText {
  std::string operator()(const ViewScan& op) const {
    std::string text = absl::StrCat("scan ", op.view, " [", absl::StrJoin(op.columns, ","), "]");
    if (!op.point_key) return text;
    return absl::StrCat(text, " key (",
                        absl::StrJoin(*op.point_key, ", ",
                                      [](std::string* out, const Value& value) {
                                        absl::StrAppend(out, to_text(value),
                                                        "::", to_string(value.type));
                                      }),
                        ")");
  }
  std::string operator()(const QueryFilter& op) const {
    return "filter " + operators::describe(*op.predicate);
  }
  std::string operator()(const QueryProject& op) const {
    return "project " + absl::StrJoin(op.exprs, ", ", [](std::string* out, const auto& expr) {
             absl::StrAppend(out, operators::describe(*expr));
           });
  }
  std::string operator()(const QueryAggregate& op) const {
    std::string text = absl::StrCat("aggregate by [", absl::StrJoin(op.aggregate.groups, ","), "]");
    for (const auto& call : op.aggregate.calls) {
      absl::StrAppend(&text, " ", std::string(operators::aggregate_name(call.kind)));
      if (call.argument >= 0) absl::StrAppend(&text, " #", call.argument);
      if (call.filter >= 0) absl::StrAppend(&text, " filter #", call.filter);
    }
    return text;
  }
  std::string operator()(const QueryDistinct&) const { return "distinct"; }
  std::string operator()(const QueryUnionAll&) const { return "union all"; }
  std::string operator()(const QueryJoin& op) const {
    return absl::StrCat(op.left ? "left join [" : "join [", absl::StrJoin(op.left_keys, ","),
                        "] = [", absl::StrJoin(op.right_keys, ","), "]");
  }
  std::string operator()(const QuerySort& op) const {
    return "sort " + absl::StrJoin(op.keys, ", ", [](std::string* out, const SortKey& key) {
             absl::StrAppend(out, "#", key.column, key.descending ? " desc" : " asc",
                             key.nulls_first ? " nulls first" : " nulls last");
           });
  }
  std::string operator()(const QueryLimit& op) const {
    return absl::StrCat("limit ", op.limit ? absl::StrCat(*op.limit) : "all", " offset ",
                        op.offset);
  }
  std::string operator()(const QuerySingleRow&) const { return "single row"; }
};

void append_tree(const QueryNode& node, int depth, Lines* lines) {
  lines->push_back(std::string(static_cast<size_t>(depth) * 2, ' ') +
                   std::visit(QueryText(), node.op) + " => " + schema_text(node.schema));
  for (const QueryNodeRef& input : node.inputs) append_tree(*input, depth + 1, lines);
}

}  // namespace

operators::Plan plan_of(const std::string& sql, const schemas::ProductFiles& files) {
  CompiledPlan compiled = compile_product({{"product.sql", sql}}, files);
  INFO(to_status(compiled.diagnostics));
  REQUIRE(compiled.ok());
  return std::move(compiled.plan);
}

Lines faults_of(const std::string& sql, const schemas::ProductFiles& files) {
  Lines lines;
  for (const Diagnostic& fault : compile_product({{"product.sql", sql}}, files).diagnostics) {
    lines.push_back(fault_line(fault));
  }
  return lines;
}

Lines lines_of(const operators::Plan& plan) {
  Lines lines;
  for (const operators::PlanNode& node : plan.nodes) {
    std::string line = absl::StrCat(node.id);
    if (!node.inputs.empty()) absl::StrAppend(&line, " <- ", absl::StrJoin(node.inputs, ","));
    absl::StrAppend(&line, ": ", node_text(plan, node), " => ", schema_text(node.schema));
    if (node.changelog) absl::StrAppend(&line, " changelog");
    if (node.event_time) absl::StrAppend(&line, " event_time #", *node.event_time);
    lines.push_back(std::move(line));
  }
  return lines;
}

Lines query_lines(const std::string& sql, const operators::Plan& plan) {
  const CompiledQuery compiled = compile_query({"query", sql}, plan);
  INFO(sql);
  INFO(to_status(compiled.diagnostics));
  REQUIRE(compiled.ok());
  Lines lines;
  append_tree(*compiled.query->root, 0, &lines);
  return lines;
}

Lines query_faults(const std::string& sql, const operators::Plan& plan) {
  Lines lines;
  for (const Diagnostic& fault : compile_query({"query", sql}, plan).diagnostics) {
    lines.push_back(fault_line(fault));
  }
  return lines;
}

std::string expression(const std::string& text) {
  const std::string sql =
      absl::StrCat(kTable, "CREATE MATERIALIZED VIEW v AS SELECT ", text, " AS x FROM t");
  INFO(text);
  const operators::Plan plan = plan_of(sql);
  for (const operators::PlanNode& node : plan.nodes) {
    const auto* project = std::get_if<operators::ProjectNode>(&node.op);
    if (!project) continue;
    // Columns by their names: which are decoded is not the matter here.
    std::string described = operators::describe(*project->exprs[0]);
    const operators::Schema& schema = plan.node(node.inputs[0]).schema;
    for (size_t i = schema.size(); i-- > 0;) {
      const std::string number = absl::StrCat("#", i, "::", to_string(schema[i].type));
      for (size_t at = 0; (at = described.find(number, at)) != std::string::npos;) {
        described.replace(at, number.size(), schema[i].name);
      }
    }
    return described;
  }
  return "a column";
}

Lines expression_faults(const std::string& text) {
  const std::string before = absl::StrCat(kTable, "CREATE MATERIALIZED VIEW v AS SELECT ");
  const std::string sql = absl::StrCat(before, text, " AS x FROM t");
  Lines lines;
  for (const Diagnostic& fault : compile_product({{"product.sql", sql}}, {}).diagnostics) {
    lines.push_back(fault_line(fault, static_cast<uint32_t>(before.size())));
  }
  return lines;
}

}  // namespace kappa::sql
