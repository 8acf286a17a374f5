#include "engine/sql/product_catalog.h"

#include "absl/strings/str_cat.h"
#include "engine/sql/fault.h"
#include "engine/sql/suggest.h"
#include "engine/types/text.h"

namespace kappa::sql {

std::vector<int> Relation::event_times() const {
  std::vector<int> found;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].role == TimeRole::kEventTime) found.push_back(static_cast<int>(i));
  }
  return found;
}

std::optional<int> Relation::event_time() const {
  const std::vector<int> found = event_times();
  if (found.empty()) return std::nullopt;
  return found.front();
}

void ProductCatalog::add(Relation relation) {
  const std::string name = relation.name;
  relations_.insert_or_assign(name, std::move(relation));
}

absl::Status ProductCatalog::check_free(const Node& at, const std::string& name) const {
  if (tables_.contains(name)) {
    return fault(at, absl::StrCat("there is a table \"", name, "\" already"));
  }
  if (relations_.contains(name)) {
    return fault(at, absl::StrCat("there is a view \"", name, "\" already"));
  }
  return absl::OkStatus();
}

absl::StatusOr<const Relation*> ProductCatalog::find(const Node& at,
                                                     const std::string& name) const {
  if (const auto found = relations_.find(name); found != relations_.end()) return &found->second;
  std::vector<std::string> names;
  for (const auto& [known, relation] : relations_) names.push_back(known);
  return unknown(at, name, "table or view", names);
}

absl::StatusOr<int> ProductCatalog::find_table(const Node& at, const std::string& name) const {
  if (const auto found = tables_.find(name); found != tables_.end()) return found->second;
  if (relations_.contains(name)) {
    return fault(at, absl::StrCat("\"", name, "\" is a view; rows go to an output topic"),
                 "declare the topic with CREATE FOREIGN TABLE and insert into that");
  }
  std::vector<std::string> names;
  for (const auto& [known, source] : tables_) names.push_back(known);
  return unknown(at, name, "foreign table", names);
}

absl::Status ProductCatalog::unknown(const Node& at, const std::string& name, std::string_view what,
                                     const std::vector<std::string>& names) const {
  if (faulty_.contains(name)) return consequence();
  const std::string message = absl::StrCat(to_absl(what), " \"", name, "\" does not exist");
  if (announced_.contains(name)) {
    return fault(at, message, "it is declared further down: move that statement up");
  }
  return fault(at, message,
               names.empty() ? "declare it first, with CREATE FOREIGN TABLE … SERVER log"
                             : suggestion(name, names));
}

}  // namespace kappa::sql
