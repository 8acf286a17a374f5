#include <algorithm>
#include <cstdlib>
#include <utility>

#include "test/runtime/model/model.h"

// What leaves the model's way, and where it goes.
namespace kappa::model {

void Model::note_late(size_t node) {
  const std::string view = view_below(node);
  note(SideRow::Kind::kLate, view + ".late", {}, view);
}

void Model::note(SideRow::Kind kind, std::string topic, Row row, std::string view) {
  side_.push_back({kind, std::move(topic), place_, place_offset_, std::move(row), std::move(view)});
}

namespace {

// As it is on the wire: there 0 and -0 are two, and NaN is itself.
std::string text_of(const Row& row) {
  std::string text;
  for (const Value& value : row) text += (value.is_null() ? "-" : "=" + to_text(value)) + '\0';
  return text;
}

}  // namespace

void Model::send_changes() {
  for (size_t n = 0; n < plan_.nodes.size(); ++n) {
    const auto* output = std::get_if<OutputNode>(&plan_.nodes[n].op);
    if (!output || output->key.empty()) continue;
    const std::vector<Change> changes = std::exchange(nodes_[n].changes, {});
    const auto key_of = [&](const Change& change) {
      Row key;
      for (const size_t column : output->key) key.push_back(change.row[column]);
      return key;
    };
    for (size_t i = 0; i < changes.size(); ++i) {
      const Row key = key_of(changes[i]);
      std::vector<Change> of_key;
      bool last = true;
      for (size_t k = 0; k < changes.size(); ++k) {
        if (text_of(key_of(changes[k])) != text_of(key)) continue;
        of_key.push_back(changes[k]);
        last = last && k <= i;
      }
      // Of a key whose only column is NULL each row is refused by itself.
      const bool none = key.size() == 1 && key[0].is_null();
      if (none && changes[i].sign > 0) note(SideRow::Kind::kError, dead_letters(n));
      if (!none && last) send_change(n, key, of_key);
    }
  }
}

// Compares what the key had with what it has now.
void Model::send_change(size_t n, const Row& key, const std::vector<Change>& changes) {
  const std::string& topic = std::get<OutputNode>(plan_.nodes[n].op).topic;
  std::map<Row, Row, RowLess>& rows = nodes_[n].keyed;
  const auto found = rows.find(key);
  std::optional<Row> before;
  if (found != rows.end()) before = found->second;
  const bool known = changes.front().sign < 0;
  for (const Change& change : changes) {
    if (change.sign > 0) {
      rows.insert_or_assign(key, change.row);
    } else {
      rows.erase(key);
    }
  }
  const auto now = rows.find(key);
  if (now == rows.end()) {
    if (!before) return;
    note(SideRow::Kind::kOutput, topic, *before);
    side_.back().deletes = true;
  } else if (!known || !before || text_of(*before) != text_of(now->second)) {
    // Append-only rows are told even if they say the same again.
    note(SideRow::Kind::kOutput, topic, now->second);
  }
}

std::vector<Row> Model::upserted(const std::string& topic) const {
  std::vector<Row> rows;
  for (size_t n = 0; n < plan_.nodes.size(); ++n) {
    const auto* output = std::get_if<OutputNode>(&plan_.nodes[n].op);
    if (!output || output->topic != topic) continue;
    for (const auto& [key, row] : nodes_[n].keyed) rows.push_back(row);
  }
  return rows;
}

std::string Model::dead_letters(size_t node) const {
  return (place_ ? place_->topic : view_below(node)) + ".dead-letters";
}

// The view that a node's rows are on their way to; for an output, the product.
std::string Model::view_below(size_t node) const {
  if (const auto* view = std::get_if<ViewNode>(&plan_.nodes[node].op)) return view->name;
  for (size_t n = node + 1; n < plan_.nodes.size(); ++n) {
    const auto& inputs = plan_.nodes[n].inputs;
    if (std::find(inputs.begin(), inputs.end(), node) != inputs.end()) return view_below(n);
  }
  return "default";
}

size_t Model::find_view(const std::string& name) const {
  for (size_t n = 0; n < plan_.nodes.size(); ++n) {
    const auto* view = std::get_if<ViewNode>(&plan_.nodes[n].op);
    if (view && view->name == name) return n;
  }
  std::abort();
}

int64_t Model::watermark_us(const std::string& name) const {
  return nodes_[find_view(name)].out_us;
}

}  // namespace kappa::model
