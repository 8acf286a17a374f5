#include "test/runtime/compare.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {
namespace {

using model::SideRow;

std::string line_of(const Row& row) {
  std::string line;
  for (size_t i = 0; i < row.size(); ++i) line += (i > 0 ? "|" : "") + to_text(row[i]);
  return line;
}

Lines split_lines(const std::string& text) {
  Lines split;
  size_t from = 0;
  while (from < text.size()) {
    const size_t end = std::min(text.find('\n', from), text.size());
    split.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return split;
}

nlohmann::json json_of(const Value& value) {
  if (value.is_null()) return nullptr;
  switch (value.type.id) {
    case TypeId::kBoolean:
      return std::get<bool>(value.data);
    case TypeId::kInteger:
      return std::get<int32_t>(value.data);
    case TypeId::kDouble: {
      // The writer leaves a fraction away that there is not: so does the reader then.
      const double number = std::get<double>(value.data);
      if (!std::isfinite(number)) return to_text(value);
      if (number == std::floor(number)) return static_cast<int64_t>(number);
      return number;
    }
    case TypeId::kBigint: {
      const int64_t number = std::get<int64_t>(value.data);
      const int64_t exact = int64_t{1} << 53;
      if (number >= -exact && number <= exact) return number;
      return to_text(value);
    }
    default:
      return to_text(value);
  }
}

absl::Status check_keys(const operators::ViewNode& view, operators::NodeId id,
                        const std::vector<Row>& rows, Snapshot& snapshot) {
  constexpr size_t kLookups = 3;
  if (view.by_record) return absl::OkStatus();
  for (size_t i = 0; i < rows.size(); i += 1 + rows.size() / kLookups) {
    KAPPA_ASSIGN_OR_RETURN(const auto found, snapshot.get(id, key_of(view, rows[i])));
    if (found && model::same_row(*found, rows[i])) continue;
    return absl::InternalError(absl::StrCat("view ", view.name, ": a snapshot shows ",
                                            line_of(rows[i]), ", but by its key ",
                                            found ? line_of(*found) : "nothing"));
  }
  return absl::OkStatus();
}

// A record of a topic: the record that caused it, its key and its payload.
struct Published {
  std::string cause;  // "t0-1@17"
  std::optional<std::string> key;
  std::optional<std::string> value;
};

std::optional<std::string> copy_of(std::optional<std::string_view> bytes) {
  if (!bytes) return std::nullopt;
  return std::string(*bytes);
}

absl::StatusOr<std::vector<Published>> read_topic(const log::Log& log, const std::string& topic) {
  std::vector<Published> records;
  const auto info = log.topic(topic);
  if (absl::IsNotFound(info.status())) return records;
  KAPPA_RETURN_IF_ERROR(info.status());
  for (int32_t p = 0; p < info->config.partitions; ++p) {
    KAPPA_ASSIGN_OR_RETURN(const auto reader, log.open_reader({topic, p}, Offset{0}));
    while (true) {
      KAPPA_ASSIGN_OR_RETURN(const RecordBlock block, reader->read(1u << 20));
      if (block.empty()) break;
      for (const RecordView& record : block.records) {
        std::map<std::string, std::string> headers;
        for (auto& [name, value] : parse_headers(record)) headers[name] = value;
        records.push_back({absl::StrCat(headers["kappa-topic"], "-", headers["kappa-partition"],
                                        "@", headers["kappa-offset"]),
                           copy_of(record.key_view()), copy_of(record.value_view())});
      }
    }
  }
  return records;
}

const model::OutputNode* find_output(const model::Plan& plan, const std::string& topic) {
  for (const model::Node& node : plan.nodes) {
    const auto* output = std::get_if<model::OutputNode>(&node.op);
    if (output && output->topic == topic) return output;
  }
  return nullptr;
}

std::string payload_of(const Row& row, const model::OutputNode& output) {
  nlohmann::json object = nlohmann::json::object();
  for (size_t i = 0; i < row.size(); ++i) object[output.names[i]] = json_of(row[i]);
  return object.dump();
}

// A key on the wire: the text of a single text column, else an object.
std::string wire_key_of(const Row& row, const model::OutputNode& output) {
  if (output.text_key) return nlohmann::json(to_text(row[output.key.front()])).dump();
  nlohmann::json object = nlohmann::json::object();
  for (const size_t i : output.key) object[output.names[i]] = json_of(row[i]);
  return object.dump();
}

std::string line_of(const SideRow& row, const model::Plan& plan) {
  std::string line = row.partition ? absl::StrCat(row.partition->topic, "-",
                                                  row.partition->partition, "@", row.offset)
                                   : "-@";
  if (row.kind != SideRow::Kind::kOutput) return line;
  const model::OutputNode& output = *find_output(plan, row.topic);
  if (!output.key.empty()) absl::StrAppend(&line, " ", wire_key_of(row.row, output));
  return absl::StrCat(line, " ", row.deletes ? "null" : payload_of(row.row, output));
}

std::string payload_of(const Published& record) {
  return record.value ? nlohmann::json::parse(*record.value).dump() : "null";
}

std::string wire_key_of(const Published& record, const model::OutputNode& output) {
  if (output.text_key) return nlohmann::json(record.key.value_or("")).dump();
  return nlohmann::json::parse(record.key.value_or("null")).dump();
}

// Outputs leave in the order.
absl::Status compare_output(const log::Log& log, const model::OutputNode& output,
                            const Lines& expected, const model::Model& model) {
  KAPPA_ASSIGN_OR_RETURN(const auto published, read_topic(log, output.topic));
  Lines actual;
  std::map<std::string, std::string> folded;  // payloads, by key
  for (const Published& record : published) {
    actual.push_back(record.cause);
    const std::string key = output.key.empty() ? "" : wire_key_of(record, output);
    if (!output.key.empty()) absl::StrAppend(&actual.back(), " ", key);
    absl::StrAppend(&actual.back(), " ", payload_of(record));
    if (record.value) {
      folded[key] = payload_of(record);
    } else {
      folded.erase(key);
    }
  }
  KAPPA_RETURN_IF_ERROR(differ("topic " + output.topic, expected, actual));
  if (output.key.empty()) return absl::OkStatus();
  // What a reader of the whole topic has in the end is the relation.
  std::map<std::string, std::string> relation;
  for (const Row& row : model.upserted(output.topic)) {
    relation[wire_key_of(row, output)] = payload_of(row, output);
  }
  Lines rows;
  Lines read;
  for (const auto& [key, payload] : relation) rows.push_back(absl::StrCat(key, " ", payload));
  for (const auto& [key, payload] : folded) read.push_back(absl::StrCat(key, " ", payload));
  return differ(absl::StrCat("what topic ", output.topic, " comes to"), rows, read);
}

absl::Status compare_topic(const log::Log& log, const std::string& topic, Lines expected) {
  KAPPA_ASSIGN_OR_RETURN(const auto published, read_topic(log, topic));
  Lines actual;
  for (const Published& record : published) actual.push_back(record.cause);
  // Dead letters and late rows of several statements mix.
  std::sort(expected.begin(), expected.end());
  std::sort(actual.begin(), actual.end());
  return differ("topic " + topic, expected, actual);
}

}  // namespace

Row key_of(const operators::ViewNode& view, const Row& row) {
  Row key;
  for (const int column : view.key) key.push_back(row[static_cast<size_t>(column)]);
  return key;
}

absl::Status differ(const std::string& what, const Lines& expected, const Lines& actual) {
  if (expected == actual) return absl::OkStatus();
  const auto [left, right] =
      std::mismatch(expected.begin(), expected.end(), actual.begin(), actual.end());
  return absl::InternalError(absl::StrCat(what, ": expected ", expected.size(), " lines, got ",
                                          actual.size(), "; expected ",
                                          left == expected.end() ? "nothing more" : *left, ", got ",
                                          right == actual.end() ? "nothing more" : *right));
}

absl::Status differ_in_text(const std::string& what, const std::string& expected,
                            const std::string& actual) {
  return differ(what, split_lines(expected), split_lines(actual));
}

absl::StatusOr<SeenView> see_view(const operators::Plan& plan, Snapshot& snapshot,
                                  const std::string& name) {
  const operators::NodeId id = plan.find_view(name);
  std::vector<int> columns(plan.node(id).schema.size());
  std::iota(columns.begin(), columns.end(), 0);
  SeenView view{.lines = {}, .stamp = snapshot.stamp(), .waiting = {}, .rows = {}};
  while (true) {
    Arena arena;
    KAPPA_ASSIGN_OR_RETURN(const Batch batch, snapshot.next(id, columns, arena));
    if (batch.empty()) break;
    for (size_t i = 0; i < batch.rows; ++i) {
      Row row;
      for (const ColumnRef& column : batch.columns) row.push_back(value_at(*column, i));
      view.lines.push_back(line_of(row));
      view.rows.push_back(std::move(row));
    }
  }
  std::sort(view.lines.begin(), view.lines.end());
  KAPPA_RETURN_IF_ERROR(
      check_keys(std::get<operators::ViewNode>(plan.node(id).op), id, view.rows, snapshot));
  KAPPA_ASSIGN_OR_RETURN(view.waiting, snapshot.waiting(id));
  return view;
}

absl::Status compare_view(const std::string& what, const SeenView& view, const std::string& name,
                          const model::Model& model) {
  KAPPA_RETURN_IF_ERROR(differ(what, model.view(name), view.lines));
  const model::Waiting expected = model.waiting(name);
  const bool same_until = expected.rows == 0 || view.waiting.until.us == expected.until_us;
  if (static_cast<int64_t>(view.waiting.rows) != expected.rows || !same_until) {
    return absl::InternalError(absl::StrCat(what, ": ", expected.rows, " rows wait until ",
                                            expected.until_us, ", the engine says ",
                                            view.waiting.rows, " until ", view.waiting.until.us));
  }
  return absl::OkStatus();
}

absl::Status compare_counts(const std::string& what, const PipelineStats& stats,
                            const model::Model& model) {
  std::map<std::string, uint64_t> late;
  std::map<std::string, uint64_t> duplicates;
  for (const SideRow& row : model.side()) {
    if (row.kind == SideRow::Kind::kLate) ++late[row.view];
    if (row.kind == SideRow::Kind::kDuplicate) ++duplicates[row.view];
  }
  for (const ViewStats& view : stats.views) {
    if (view.late_records == late[view.name] && view.duplicates == duplicates[view.name]) continue;
    return absl::InternalError(absl::StrCat(what, ": view ", view.name, " has refused ",
                                            late[view.name], " late rows and ",
                                            duplicates[view.name], " duplicates, the engine says ",
                                            view.late_records, " and ", view.duplicates));
  }
  return absl::OkStatus();
}

absl::Status compare_place(const std::string& what, const Stamp& stamp,
                           const std::map<TopicPartition, int64_t>& applied) {
  for (const auto& [partition, next] : stamp.place) {
    const auto found = applied.find(partition);
    const int64_t expected = found == applied.end() ? 0 : found->second;
    if (next.value == expected) continue;
    return absl::InternalError(absl::StrCat(what, ": ", partition.topic, "-", partition.partition,
                                            " is applied up to ", expected, ", the engine says ",
                                            next.value));
  }
  return absl::OkStatus();
}

absl::Status compare_published(const log::Log& log, const model::GeneratedPlan& generated,
                               const model::Model& model) {
  std::map<std::string, Lines> expected;
  for (const SideRow& row : model.side()) {
    expected[row.topic].push_back(line_of(row, generated.plan));
  }
  for (const std::string& topic : generated.outputs) {
    const model::OutputNode& output = *find_output(generated.plan, topic);
    KAPPA_RETURN_IF_ERROR(compare_output(log, output, expected[topic], model));
  }
  Lines topics{"default.dead-letters", "default.late"};
  for (const std::string& view : generated.views) {
    topics.push_back(view + ".late");
    topics.push_back(view + ".dead-letters");
  }
  for (const auto& source : generated.plan.sources) topics.push_back(source.name + ".dead-letters");
  for (const std::string& topic : topics) {
    KAPPA_RETURN_IF_ERROR(compare_topic(log, topic, expected[topic]));
  }
  return absl::OkStatus();
}

}  // namespace kappa::runtime
