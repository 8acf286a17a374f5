#include <algorithm>
#include <array>
#include <numeric>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "engine/sql/construct.h"
#include "engine/sql/fault.h"
#include "engine/sql/options.h"
#include "engine/sql/statement.h"
#include "engine/sql/suggest.h"
#include "engine/sql/type_name.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "schemas/record_column.h"

namespace kappa::sql {

using schemas::Format;
using schemas::Source;
using schemas::SourceColumn;
using schemas::TimeUnit;

namespace {

constexpr size_t kTopicBytesMax = 249;  // Kafka's limit

std::vector<std::string> names_of(const Source& source) {
  std::vector<std::string> names;
  for (const SourceColumn& column : source.columns) names.push_back(column.name);
  return names;
}

absl::StatusOr<int> column_index(const Node& at, const Source& source, const std::string& name) {
  const auto names = names_of(source);
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<int>(found - names.begin());
  return fault(at, absl::StrCat("\"", source.name, "\" has no column \"", name, "\""),
               suggestion(name, names));
}

absl::Status bind_column_options(const Node& node, SourceColumn& column) {
  KAPPA_ASSIGN_OR_RETURN(
      const Options options,
      Options::read(node.list("fdwoptions"), {"field", "unit", "minor_units"}, "a column"));
  column.field = options.text("field").value_or(column.name);
  if (const auto unit = options.text("unit")) {
    constexpr std::array<std::pair<std::string_view, TimeUnit>, 4> kUnits = {
        std::pair{"s", TimeUnit::kSeconds}, std::pair{"ms", TimeUnit::kMillis},
        std::pair{"us", TimeUnit::kMicros}, std::pair{"ns", TimeUnit::kNanos}};
    const auto found = std::find_if(kUnits.begin(), kUnits.end(),
                                    [&](const auto& known) { return known.first == *unit; });
    if (found == kUnits.end()) {
      return fault(options.place("unit"),
                   absl::StrCat("option \"unit\": ", excerpt(*unit), " is not a unit of time"),
                   "write 's', 'ms', 'us' or 'ns'");
    }
    if (column.type.id != TypeId::kTimestamptz && column.type.id != TypeId::kDate) {
      return fault(options.place("unit"),
                   absl::StrCat("option \"unit\" is for timestamptz and date, \"", column.name,
                                "\" is ", to_string(column.type)));
    }
    column.unit = found->second;
  }
  KAPPA_ASSIGN_OR_RETURN(const auto minor_units, options.boolean("minor_units"));
  column.minor_units = minor_units.value_or(false);
  if (column.minor_units && column.type.id != TypeId::kNumeric) {
    return fault(options.place("minor_units"),
                 absl::StrCat("option \"minor_units\" is for numeric, \"", column.name, "\" is ",
                              to_string(column.type)));
  }
  return absl::OkStatus();
}

absl::Status set_primary_key(const Node& at, std::vector<int> key, Source& source) {
  if (!source.primary_key.empty()) {
    return fault(at, absl::StrCat("\"", source.name, "\" has two primary keys"),
                 "name all key columns in one: PRIMARY KEY (a, b)");
  }
  for (int column : key) source.columns[static_cast<size_t>(column)].not_null = true;
  source.primary_key = std::move(key);
  return absl::OkStatus();
}

// Those behind the type of the last column.
absl::Status bind_constraints(const Node& node, Source& source) {
  SourceColumn& column = source.columns.back();
  bool nullable = false;
  for (const Node& constraint : node.list("constraints")) {
    const std::string kind(constraint.text("contype"));
    if (kind != "CONSTR_NOTNULL" && kind != "CONSTR_PRIMARY" && kind != "CONSTR_NULL") {
      return not_supported(constraint, absl::StrCat("Constraint.contype=", kind));
    }
    KAPPA_RETURN_IF_ERROR(expect_only(constraint, {{"contype"}}));
    nullable = nullable || kind == "CONSTR_NULL";
    if (kind == "CONSTR_NOTNULL") column.not_null = true;
    if (kind == "CONSTR_PRIMARY") {
      const int index = static_cast<int>(source.columns.size()) - 1;
      KAPPA_RETURN_IF_ERROR(set_primary_key(constraint, {index}, source));
    }
    if (nullable && column.not_null) {
      return fault(constraint, "a column is NULL or NOT NULL, not both");
    }
  }
  return absl::OkStatus();
}

absl::Status bind_column(const Node& node, Source& source) {
  KAPPA_RETURN_IF_ERROR(expect_only(
      node, {{"colname"}, {"typeName"}, {"constraints"}, {"fdwoptions"}, {"is_local", "true"}}));
  SourceColumn column;
  column.name = std::string(node.text("colname"));
  const auto names = names_of(source);
  if (std::find(names.begin(), names.end(), column.name) != names.end()) {
    return fault(node, absl::StrCat("\"", source.name, "\" has two columns \"", column.name, "\""));
  }
  KAPPA_ASSIGN_OR_RETURN(column.type, bind_type(*node.child("typeName")));
  KAPPA_RETURN_IF_ERROR(bind_column_options(node, column));
  source.columns.push_back(std::move(column));
  return bind_constraints(node, source);
}

absl::Status bind_table_constraint(const Node& node, Source& source) {
  const std::string kind(node.text("contype"));
  if (kind != "CONSTR_PRIMARY") {
    return not_supported(node, absl::StrCat("Constraint.contype=", kind));
  }
  KAPPA_RETURN_IF_ERROR(expect_only(node, {{"contype"}, {"keys"}}));
  std::vector<int> key;
  for (const std::string& name : node.names("keys")) {
    KAPPA_ASSIGN_OR_RETURN(const int column, column_index(node, source, name));
    if (std::find(key.begin(), key.end(), column) != key.end()) {
      return fault(node, absl::StrCat("key column \"", name, "\" comes twice"));
    }
    key.push_back(column);
  }
  return set_primary_key(node, std::move(key), source);
}

absl::Status bind_columns(const Node& base, Source& source) {
  const auto elements = base.list("tableElts");
  for (const Node& element : elements) {
    if (element.is("Constraint")) continue;
    if (!element.is("ColumnDef")) return not_supported(element, element.kind);
    KAPPA_RETURN_IF_ERROR(bind_column(element, source));
  }
  for (const Node& element : elements) {
    if (element.is("Constraint")) KAPPA_RETURN_IF_ERROR(bind_table_constraint(element, source));
  }
  if (!source.columns.empty()) return absl::OkStatus();
  return fault(base, absl::StrCat("\"", source.name, "\" declares no column"),
               "declare the columns that are to be read: (name type, …)");
}

absl::Status bind_topic(const Options& options, const Node& name_node, const operators::Plan& plan,
                        Source& source) {
  source.topic = options.text("topic").value_or(source.name);
  const Node& at = options.has("topic") ? options.place("topic") : name_node;
  const bool legal = !source.topic.empty() && source.topic.size() <= kTopicBytesMax &&
                     source.topic != "." && source.topic != ".." &&
                     std::all_of(source.topic.begin(), source.topic.end(), [](char c) {
                       return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
                              c == '_' || c == '-';
                     });
  if (!legal) {
    return fault(at, absl::StrCat(excerpt(source.topic), " is not the name of a topic"),
                 "a topic is named with 1 to 249 letters, digits, '.', '_' and '-'");
  }
  for (const Source& other : plan.sources) {
    if (other.topic != source.topic) continue;
    return fault(
        at,
        absl::StrCat("topic ", excerpt(source.topic), " already belongs to \"", other.name, "\""),
        "declare all columns in one table, and make views over it");
  }
  return absl::OkStatus();
}

absl::Status bind_format(const Options& options, const Node& name_node, Source& source) {
  const std::string format = options.text("format").value_or("json");
  if (format != "json" && format != "protobuf") {
    return fault(options.place("format"),
                 absl::StrCat("format ", excerpt(format), " is not supported yet"),
                 "there are 'json' and 'protobuf'");
  }
  source.format = format == "json" ? Format::kJson : Format::kProtobuf;
  for (const char* name : {"proto", "message"}) {
    if (source.format == Format::kJson && options.has(name)) {
      return fault(options.place(name),
                   absl::StrCat("option \"", name, "\" is for format 'protobuf'"),
                   "add format 'protobuf'");
    }
    if (source.format == Format::kProtobuf && !options.has(name)) {
      return fault(options.place("format"),
                   absl::StrCat("format 'protobuf' needs the option \"", name, "\""),
                   "write proto 'events/sales.proto', message 'package.Message'");
    }
  }
  source.proto_file = options.text("proto").value_or("");
  source.proto_message = options.text("message").value_or("");
  if (source.format == Format::kProtobuf) return absl::OkStatus();
  for (const SourceColumn& column : source.columns) {
    if (column.minor_units) {
      return fault(name_node, absl::StrCat("column \"", column.name,
                                           "\": option \"minor_units\" is for format 'protobuf'"));
    }
  }
  return absl::OkStatus();
}

// A column that the table declares or that every record has.
absl::StatusOr<int> event_time_column(const Node& at, const Source& source,
                                      const std::string& name) {
  std::vector<std::string> names;
  for (const schemas::ReadableColumn& column : schemas::readable_columns(source)) {
    if (column.name == name) return static_cast<int>(names.size());
    names.push_back(column.name);
  }
  const auto declared = names_of(source);
  return fault(at, absl::StrCat("\"", source.name, "\" has no column \"", name, "\""),
               suggestion(name, closest(name, names) ? names : declared));
}

absl::Status bind_time(const Options& options, Source& source) {
  if (const auto name = options.text("event_time")) {
    const Node& at = options.place("event_time");
    KAPPA_ASSIGN_OR_RETURN(source.event_time, event_time_column(at, source, *name));
    const auto column = schemas::readable_columns(source)[static_cast<size_t>(*source.event_time)];
    const Type& type = column.type;
    if (type.id != TypeId::kTimestamptz) {
      return fault(at, absl::StrCat("the event time \"", *name, "\" is ", to_string(type)),
                   column.of_record ? "name a timestamptz column, or kafka_timestamp"
                                    : "declare it as timestamptz");
    }
  }
  for (const char* name : {"out_of_orderness", "max_future", "idle_timeout"}) {
    if (options.has(name) && !source.event_time) {
      return fault(options.place(name), absl::StrCat("option \"", name, "\" needs an event time"),
                   "add event_time 'column'");
    }
  }
  KAPPA_ASSIGN_OR_RETURN(const auto out_of_orderness, options.duration_us("out_of_orderness"));
  KAPPA_ASSIGN_OR_RETURN(const auto max_future, options.duration_us("max_future"));
  KAPPA_ASSIGN_OR_RETURN(source.idle_timeout_us, options.duration_us("idle_timeout"));
  source.out_of_orderness_us = out_of_orderness.value_or(source.out_of_orderness_us);
  source.max_future_us = max_future.value_or(source.max_future_us);
  return absl::OkStatus();
}

absl::Status bind_mode(const Options& options, Source& source) {
  const auto mode = options.text("mode");
  if (!mode || *mode == "append") return absl::OkStatus();
  if (*mode != "upsert") {
    return fault(options.place("mode"),
                 absl::StrCat("option \"mode\": ", excerpt(*mode), " is not a mode"),
                 "write 'append' (every record is a row) or 'upsert' (a record is the row of its "
                 "key, one without a value deletes it)");
  }
  if (source.primary_key.empty()) {
    return fault(options.place("mode"), "mode 'upsert' needs a PRIMARY KEY",
                 "name the columns that records replace each other by: PRIMARY KEY (a, b)");
  }
  source.upsert = true;
  return absl::OkStatus();
}

// The .proto is there and has a field for each column.
absl::Status check_decoder(const Options& options, const Node& name_node, const Source& source,
                           const schemas::ProductFiles& files) {
  std::vector<int> all(source.columns.size());
  std::iota(all.begin(), all.end(), 0);
  const auto decoder = schemas::make_decoder(source, std::move(all), files);
  if (decoder.ok()) return absl::OkStatus();
  return fault(options.has("proto") ? options.place("proto") : name_node, decoder.status());
}

// A source of mode 'upsert' is itself a view: the latest row of each key.
Relation view_of_upserts(const Source& source, int index, ProductContext& context) {
  PlanBuilder& builder = context.builder;
  std::vector<operators::ExprRef> columns;
  std::vector<std::string> names;
  Relation relation;
  for (const SourceColumn& column : source.columns) {
    columns.push_back(operators::column_expr(static_cast<int>(columns.size()), column.type));
    names.push_back(column.name);
    relation.columns.push_back({.name = column.name, .type = column.type});
  }
  const operators::NodeId rows = builder.project(builder.read(index), std::move(columns));
  operators::ViewNode view;
  view.name = source.name;
  view.key = source.primary_key;
  view.conflict = operators::ViewNode::Conflict::kLatestWins;
  view.statement = context.statement;
  view.of_source = index;
  relation.name = source.name;
  relation.node = builder.view(rows, view, names);
  relation.key = source.primary_key;
  relation.changelog = true;
  if (const auto event_time = builder.node(relation.node).event_time) {
    relation.columns[static_cast<size_t>(*event_time)].role = TimeRole::kEventTime;
  }
  return relation;
}

Relation facts_of(const Source& source, int index) {
  Relation relation;
  relation.name = source.name;
  relation.source = index;
  for (const schemas::ReadableColumn& column : schemas::readable_columns(source)) {
    relation.columns.push_back(
        {.name = column.name, .type = column.type, .hidden = column.of_record.has_value()});
  }
  if (source.event_time) {
    relation.columns[static_cast<size_t>(*source.event_time)].role = TimeRole::kEventTime;
  }
  relation.by_records = true;
  if (!source.primary_key.empty()) relation.key = source.primary_key;
  relation.conflict = operators::ViewNode::Conflict::kFirstWins;
  return relation;
}

}  // namespace

absl::Status compile_foreign_table(const Node& statement, ProductContext& context) {
  KAPPA_RETURN_IF_ERROR(expect_only(statement, {{"base"}, {"servername"}, {"options"}}));
  Node base = *statement.child("base");
  base.kind = "CreateStmt";
  KAPPA_RETURN_IF_ERROR(
      expect_only(base, {{"relation"}, {"tableElts"}, {"oncommit", "ONCOMMIT_NOOP"}}));
  const Node& name_node = *base.child("relation");
  KAPPA_RETURN_IF_ERROR(
      expect_only(name_node, {{"relname"}, {"inh", "true"}, {"relpersistence", "p"}}));
  Source source;
  source.name = std::string(name_node.text("relname"));
  KAPPA_RETURN_IF_ERROR(context.catalog.check_free(name_node, source.name));
  if (statement.text("servername") != "log") {
    return fault(
        name_node,
        absl::StrCat("there is no server \"", std::string(statement.text("servername")), "\""),
        "write SERVER log");
  }
  KAPPA_RETURN_IF_ERROR(bind_columns(base, source));
  KAPPA_ASSIGN_OR_RETURN(const Options options,
                         Options::read(statement.list("options"),
                                       {"topic", "format", "proto", "message", "event_time",
                                        "out_of_orderness", "max_future", "idle_timeout", "mode"},
                                       "a foreign table"));
  operators::Plan& plan = context.builder.plan();
  KAPPA_RETURN_IF_ERROR(bind_topic(options, name_node, plan, source));
  KAPPA_RETURN_IF_ERROR(bind_format(options, name_node, source));
  KAPPA_RETURN_IF_ERROR(bind_time(options, source));
  KAPPA_RETURN_IF_ERROR(bind_mode(options, source));
  KAPPA_RETURN_IF_ERROR(check_decoder(options, name_node, source, context.files));

  const auto index = static_cast<int>(plan.sources.size());
  plan.sources.push_back(source);
  context.catalog.add(source.upsert ? view_of_upserts(source, index, context)
                                    : facts_of(source, index));
  context.catalog.add_table(source.name, index);
  return absl::OkStatus();
}

}  // namespace kappa::sql
