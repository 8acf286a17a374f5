#include "test/runtime/model/source_generator.h"

#include "engine/types/time.h"

namespace kappa::model {
namespace {

std::string declaration(const Source& source, Dice& dice) {
  std::vector<std::string> columns;
  for (size_t i = 0; i < source.fields.size(); ++i) {
    const bool not_null = source.not_null[i] && source.primary_key.empty() && dice.coin();
    // What a key or an event time is anyway need not be said.
    const bool said = not_null || (source.not_null[i] && i == 3);
    columns.push_back(source.fields[i].name + " " + to_string(source.fields[i].type) +
                      (said ? " NOT NULL" : ""));
  }
  if (!source.primary_key.empty()) columns.push_back("PRIMARY KEY (id)");
  std::string options = "topic '" + source.name + "', format 'json'";
  if (source.event_time) {
    options += ", event_time 'at', out_of_orderness " + seconds(source.out_of_orderness_us);
    options += ", max_future " + seconds(source.max_future_us);
    if (source.idle_timeout_us) options += ", idle_timeout " + seconds(*source.idle_timeout_us);
  }
  return "CREATE FOREIGN TABLE " + source.name + " (" + join(columns, ", ") +
         ") SERVER log OPTIONS (" + options + ");\n";
}

void add_source(const std::string& name, Draft& draft) {
  Dice& dice = draft.dice();
  Source source;
  source.name = name;
  source.fields = {{"id", Type::bigint()},           {"k", Type::text()},
                   {"g", Type::integer()},           {"n", Type::bigint()},
                   {"amount", Type::numeric(12, 2)}, {"x", Type::double_precision()},
                   {"ok", Type::boolean()},          {"at", Type::timestamptz()}};
  source.not_null.assign(source.fields.size(), false);
  if (dice.one_in(3)) source.primary_key = {0};
  source.not_null[0] = !source.primary_key.empty();
  source.not_null[3] = dice.one_in(4);
  if (!dice.one_in(8)) source.event_time = source.fields.size() - 1;
  source.partitions = static_cast<int>(dice.between(1, 4));
  if (source.event_time) {
    source.not_null.back() = true;
    if (dice.coin()) source.out_of_orderness_us = dice.between(0, 12) * kMicrosPerSecond;
    if (dice.coin()) source.max_future_us = dice.between(0, 30) * kMicrosPerSecond;
    if (dice.one_in(3)) source.idle_timeout_us = dice.between(1, 20) * kMicrosPerSecond;
  }
  draft.declare(declaration(source, dice));
  draft.plan().sources.push_back(source);
  Relation relation{.name = name, .node = 0, .fields = source.fields};
  for (const Field& of_record : record_fields()) relation.fields.push_back(of_record);
  relation.node = draft.add(SourceNode{draft.plan().sources.size() - 1}, {});
  relation.event_time = source.event_time;
  relation.is_source = true;
  relation.by_records = true;
  relation.key = source.primary_key;
  draft.relations().push_back(std::move(relation));
}

}  // namespace

void add_sources(Draft& draft) {
  const int64_t sources = draft.dice().one_in(4) ? 3 : 2;
  for (int64_t s = 0; s < sources; ++s) add_source("t" + std::to_string(s), draft);
}

}  // namespace kappa::model
