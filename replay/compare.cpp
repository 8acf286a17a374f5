#include "replay/compare.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/types/status_macros.h"
#include "replay/row_hashes.h"

namespace kappa::replay {

using operators::Field;
using operators::NodeId;
using operators::Schema;
using operators::ViewNode;
using serve::ViewDifference;

namespace {

// A view of one of the moments, and how its rows are read: with the columns that both have.
struct Side {
  const Moment& moment;
  NodeId id;
  std::vector<int> columns = {};  // of its schema: the key's first, the same on both sides

  const ViewNode& view() const { return std::get<ViewNode>(moment.plan.node(id).op); }
  const Schema& schema() const { return moment.plan.node(id).schema; }
  const Field& field(int column) const { return schema()[static_cast<size_t>(column)]; }
};

int find_column(const Schema& schema, const std::string& name) {
  const auto found = std::find_if(schema.begin(), schema.end(),
                                  [&](const Field& field) { return field.name == name; });
  return found == schema.end() ? -1 : static_cast<int>(found - schema.begin());
}

bool has_column(const Schema& schema, const Field& field) {
  return std::find(schema.begin(), schema.end(), field) != schema.end();
}

bool in_key(const Side& side, int column) {
  const std::vector<int>& key = side.view().key;
  return std::find(key.begin(), key.end(), column) != key.end();
}

std::string key_text(const Side& side, bool with_types) {
  if (side.view().by_record) return "the record";
  std::vector<std::string> names;
  for (const int column : side.view().key) {
    const Field& field = side.field(column);
    names.push_back(with_types ? absl::StrCat(field.name, " ", to_string(field.type)) : field.name);
  }
  return absl::StrCat("(", absl::StrJoin(names, ", "), ")");
}

// Why the keys of both sides do not stand for the same thing; empty if they do. The order of their
// columns is of no account.
std::string keys_differ(const Side& before, const Side& after) {
  bool equal = before.view().by_record == after.view().by_record &&
               before.view().key.size() == after.view().key.size();
  for (const int column : before.view().key) {
    const int other = find_column(after.schema(), before.field(column).name);
    equal = equal && other >= 0 && in_key(after, other) &&
            after.field(other).type == before.field(column).type;
  }
  if (equal) return "";
  const bool with_types = key_text(before, false) == key_text(after, false);
  return absl::StrCat("its key is ", key_text(before, with_types), " before and ",
                      key_text(after, with_types), " after");
}

std::vector<std::string> only_in(const Schema& schema, const Schema& other) {
  std::vector<std::string> names;
  for (const Field& field : schema) {
    if (has_column(other, field)) continue;
    const bool retyped = find_column(other, field.name) >= 0;
    names.push_back(retyped ? absl::StrCat(field.name, " (", to_string(field.type), ")")
                            : field.name);
  }
  return names;
}

absl::StatusOr<uint64_t> count_rows(const Side& side) {
  KAPPA_RETURN_IF_ERROR(side.moment.rows.rewind(side.id));
  Arena arena;
  uint64_t rows = 0;
  while (true) {
    KAPPA_ASSIGN_OR_RETURN(const Batch batch, side.moment.rows.next(side.id, {}, arena));
    if (batch.empty()) return rows;
    rows += batch.rows;
  }
}

// Two views of one name and key, row by row: the later one's rows are kept as hashes, then the
// former's look for their like among them, and what is left has been added.
//
// Of a view keyed by record the key is not to be seen. Its rows are told apart by all that both
// have, equal ones counted.
class RowComparison {
 public:
  RowComparison(Side before, Side after, size_t samples_max, size_t memory_bytes_max,
                ViewDifference& found)
      : before_(std::move(before)),
        after_(std::move(after)),
        samples_max_(samples_max),
        memory_bytes_max_(memory_bytes_max),
        found_(found) {
    choose_columns();
    rest_.emplace(before_.columns.size() - key_columns_);
    differing_.resize(before_.columns.size() - key_columns_);
  }

  absl::Status run() {
    KAPPA_RETURN_IF_ERROR(each_batch(after_, [this](const Batch& batch) { return keep(batch); }));
    KAPPA_RETURN_IF_ERROR(each_batch(before_, [this](const Batch& batch) { return match(batch); }));
    found_.added = found_.rows_after - (found_.rows_before - found_.removed);
    const uint64_t wanted = std::min<uint64_t>(samples_max_, found_.added);
    std::vector<ViewDifference::Sample> added;
    if (wanted > 0) {
      KAPPA_RETURN_IF_ERROR(each_batch(after_, [&](const Batch& batch) {
        take_added(batch, wanted, added);
        return added.size() < wanted;
      }));
    }
    for (auto* samples : {&changed_, &added, &removed_}) {
      std::move(samples->begin(), samples->end(), std::back_inserter(found_.samples));
    }
    for (size_t c = 0; c < differing_.size(); ++c) {
      if (differing_[c] == 0) continue;
      found_.columns.emplace_back(found_.sample_columns[key_columns_ + c], differing_[c]);
    }
    return absl::OkStatus();
  }

 private:
  void choose_columns() {
    std::vector<int> shared = before_.view().key;
    for (int c = 0; c < static_cast<int>(before_.schema().size()); ++c) {
      if (!in_key(before_, c) && has_column(after_.schema(), before_.field(c))) shared.push_back(c);
    }
    key_columns_ = before_.view().by_record ? shared.size() : before_.view().key.size();
    for (const int column : shared) {
      const std::string& name = before_.field(column).name;
      before_.columns.push_back(column);
      after_.columns.push_back(find_column(after_.schema(), name));
      found_.sample_columns.push_back(name);
    }
  }

  // Calls on_batch(batch), whose hashes are in `hashes_`, until there are no more rows or it gives
  // back false.
  template <typename F>
  absl::Status each_batch(const Side& side, F on_batch) {
    KAPPA_RETURN_IF_ERROR(side.moment.rows.rewind(side.id));
    Arena arena;
    while (true) {
      arena.reset();
      KAPPA_ASSIGN_OR_RETURN(const Batch batch,
                             side.moment.rows.next(side.id, side.columns, arena));
      if (batch.empty()) return absl::OkStatus();
      hashes_.hash(batch, key_columns_);
      KAPPA_ASSIGN_OR_RETURN(const bool goes_on, absl::StatusOr<bool>(on_batch(batch)));
      if (!goes_on) return absl::OkStatus();
    }
  }

  void look_ahead(size_t row) const {
    constexpr size_t kRowsAhead = 16;
    if (row + kRowsAhead < hashes_.keys.size()) rest_->prefetch(hashes_.keys[row + kRowsAhead]);
  }

  absl::StatusOr<bool> keep(const Batch& batch) {
    if (rest_->memory_bytes_with(batch.rows) > memory_bytes_max_) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "view ", found_.view, ": comparing it takes more than the ", memory_bytes_max_,
          " bytes of memory that it may, for hashes of its rows (", found_.rows_after,
          " fit); allow a comparison more memory, or let the view have fewer rows or columns"));
    }
    for (size_t row = 0; row < batch.rows; ++row) {
      look_ahead(row);
      rest_->add(hashes_, row);
    }
    found_.rows_after += batch.rows;
    for (const uint64_t hash : hashes_.rows) found_.checksum_after += hash;
    return true;
  }

  absl::StatusOr<bool> match(const Batch& batch) {
    found_.rows_before += batch.rows;
    for (size_t row = 0; row < batch.rows; ++row) {
      look_ahead(row);
      found_.checksum_before += hashes_.rows[row];
      const RowHashes::Id like = rest_->find(hashes_.keys[row]);
      if (like == RowHashes::kNone || rest_->waiting(like) == 0) {
        if (found_.removed++ < samples_max_) removed_.push_back({row_of(batch, row), std::nullopt});
        continue;
      }
      --rest_->waiting(like);
      if (rest_->row(like) == hashes_.rows[row]) continue;
      ++found_.changed;
      const std::span<const uint32_t> columns = rest_->columns(like);
      for (size_t c = 0; c < columns.size(); ++c) {
        if (columns[c] != hashes_.columns[c][row]) ++differing_[c];
      }
      if (found_.changed <= samples_max_) KAPPA_RETURN_IF_ERROR(take_changed(batch, row));
    }
    return true;
  }

  absl::Status take_changed(const Batch& batch, size_t row) {
    Row former = row_of(batch, row);
    Row key;
    for (const int column : after_.view().key) {
      const auto place = std::find(after_.columns.begin(), after_.columns.end(), column);
      key.push_back(former[static_cast<size_t>(place - after_.columns.begin())]);
    }
    KAPPA_ASSIGN_OR_RETURN(const std::optional<Row> found, after_.moment.rows.get(after_.id, key));
    if (!found) return absl::OkStatus();  // the hashes of two keys are the same, for once
    Row later;
    for (const int column : after_.columns) later.push_back((*found)[static_cast<size_t>(column)]);
    changed_.push_back({std::move(former), std::move(later)});
    return absl::OkStatus();
  }

  void take_added(const Batch& batch, size_t wanted, std::vector<ViewDifference::Sample>& added) {
    for (size_t row = 0; row < batch.rows && added.size() < wanted; ++row) {
      uint32_t& waiting = rest_->waiting(rest_->find(hashes_.keys[row]));
      if (waiting == 0) continue;
      --waiting;
      added.push_back({std::nullopt, row_of(batch, row)});
    }
  }

  static Row row_of(const Batch& batch, size_t row) {
    Row values;
    for (const ColumnRef& column : batch.columns) values.push_back(value_at(*column, row));
    return values;
  }

  Side before_;
  Side after_;
  const size_t samples_max_;
  const size_t memory_bytes_max_;
  ViewDifference& found_;
  size_t key_columns_ = 0;  // of the columns that are read, by which rows find their like
  HashedBatch hashes_;
  std::optional<RowHashes> rest_;    // of the later one's rows
  std::vector<uint64_t> differing_;  // rows, by column behind the key
  std::vector<ViewDifference::Sample> changed_;
  std::vector<ViewDifference::Sample> removed_;
};

absl::StatusOr<ViewDifference> compare_view(const std::string& name, const Moment& before,
                                            const Moment& after, size_t samples_max,
                                            size_t memory_bytes_max) {
  ViewDifference found;
  found.view = name;
  const Side former{before, before.plan.find_view(name)};
  const Side later{after, after.plan.find_view(name)};
  if (later.id == operators::kNoNode) {
    found.incomparable = "only the former logic has it";
    KAPPA_ASSIGN_OR_RETURN(found.rows_before, count_rows(former));
    return found;
  }
  if (former.id == operators::kNoNode) {
    found.incomparable = "only the later logic has it";
    KAPPA_ASSIGN_OR_RETURN(found.rows_after, count_rows(later));
    return found;
  }
  found.columns_before = only_in(former.schema(), later.schema());
  found.columns_after = only_in(later.schema(), former.schema());
  found.incomparable = keys_differ(former, later);
  if (!found.incomparable.empty()) {
    KAPPA_ASSIGN_OR_RETURN(found.rows_before, count_rows(former));
    KAPPA_ASSIGN_OR_RETURN(found.rows_after, count_rows(later));
    return found;
  }
  KAPPA_RETURN_IF_ERROR(RowComparison(former, later, samples_max, memory_bytes_max, found).run());
  return found;
}

}  // namespace

absl::StatusOr<std::vector<ViewDifference>> compare(const Moment& before, const Moment& after,
                                                    size_t samples_max, size_t memory_bytes_max) {
  std::set<std::string> names;
  for (const Moment* moment : {&before, &after}) {
    for (const NodeId id : moment->plan.views()) {
      names.insert(std::get<ViewNode>(moment->plan.node(id).op).name);
    }
  }
  std::vector<ViewDifference> differences;
  for (const std::string& name : names) {
    KAPPA_ASSIGN_OR_RETURN(differences.emplace_back(),
                           compare_view(name, before, after, samples_max, memory_bytes_max));
  }
  return differences;
}

}  // namespace kappa::replay
