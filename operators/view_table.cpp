#include "operators/view_table.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "engine/types/hash.h"
#include "engine/types/invariant.h"
#include "engine/types/time.h"
#include "operators/table_rows.h"

namespace kappa::operators {

ViewTable::ViewTable(const Plan& plan, NodeId node, bool emits)
    : node_(plan.node(node)),
      op_(std::get<ViewNode>(node_.op)),
      schema_(plan.node(node_.inputs[0]).schema),
      emits_(emits),
      changelog_input_(plan.node(node_.inputs[0]).changelog),
      timed_(emits && node_.changelog && op_.expiry),
      timer_owner_(TimerOwner::of(plan, node)) {
  std::vector<Type> key;
  if (op_.by_record) {
    key = {Type::text(), Type::integer(), Type::bigint(), Type::integer()};
  } else {
    for (int column : op_.key) key.push_back(schema_[static_cast<size_t>(column)].type);
  }
  std::vector<Type> values;
  for (int c = 0; c < static_cast<int>(schema_.size()); ++c) {
    if (std::find(op_.key.begin(), op_.key.end(), c) != op_.key.end() && !op_.by_record) continue;
    value_columns_.push_back(c);
    values.push_back(schema_[static_cast<size_t>(c)].type);
  }
  const state::RowLayout layout(key, values);
  field_of_column_.resize(schema_.size());
  for (size_t k = 0; k < op_.key.size() && !op_.by_record; ++k) {
    field_of_column_[static_cast<size_t>(op_.key[k])] = layout.key()[k];
  }
  for (size_t v = 0; v < value_columns_.size(); ++v) {
    field_of_column_[static_cast<size_t>(value_columns_[v])] = layout.values()[v];
  }
  table_ = std::make_unique<state::Table>(state::TableId{operator_id(plan, node), 0}, layout);
  if (op_.expiry) {
    expiry_.emplace(*op_.expiry, field_of_column_[static_cast<size_t>(op_.expiry->column)]);
  }
}

std::vector<ColumnRef> ViewTable::key_columns(const Batch& input, const OperatorContext& context) {
  std::vector<ColumnRef> key;
  if (!op_.by_record) {
    for (int column : op_.key) key.push_back(input.columns[static_cast<size_t>(column)]);
    return key;
  }
  return record_columns(input, context);
}

void ViewTable::store(state::RowId id, const Batch& input, size_t row) {
  for (int c : value_columns_) {
    const auto index = static_cast<size_t>(c);
    store_value(*table_, id, field_of_column_[index], *input.columns[index], row);
  }
}

Batch ViewTable::rows_as_batch(std::span<const state::RowId> ids, Arena& arena) const {
  Batch batch;
  batch.rows = ids.size();
  std::vector<const std::byte*> rows;
  for (state::RowId id : ids) rows.push_back(table_->row(id));
  for (size_t c = 0; c < schema_.size(); ++c) {
    Column column(schema_[c].type);
    append_column(static_cast<int>(c), rows, column, arena);
    batch.columns.push_back(std::make_shared<const Column>(std::move(column)));
  }
  return batch;
}

// Collects the changes that a view passes on: rows of its input, and rows of its own that go.
class ViewTable::Changes {
 public:
  explicit Changes(const Schema& schema) {
    for (const Field& field : schema) columns_.emplace_back(field.type);
  }

  void add(const Batch& from, size_t row, RowPlace place, StringRef tie, int8_t sign) {
    const uint32_t picked[] = {static_cast<uint32_t>(row)};
    for (size_t c = 0; c < columns_.size(); ++c)
      columns_[c].append(from.columns[c]->gather(picked));
    batch_.places.push_back(place);
    batch_.ties.push_back(tie);
    batch_.signs.push_back(sign);
    tied_ |= tie.size > 0;
    ++batch_.rows;
  }

  Batch finish() {
    for (Column& column : columns_) {
      batch_.columns.push_back(std::make_shared<const Column>(std::move(column)));
    }
    if (!tied_) batch_.ties.clear();
    return std::move(batch_);
  }

 private:
  std::vector<Column> columns_;
  Batch batch_;
  bool tied_ = false;
};

// Rows are there as soon as they were looked up; this says which hold no row of the view. A key may
// go and come back within a batch, so what is absent at the end is erased at the end.
class ViewTable::Absent {
 public:
  Absent(std::span<const state::RowId> ids, std::span<const uint32_t> created) {
    for (uint32_t i : created) ids_.push_back(ids[i]);
    std::sort(ids_.begin(), ids_.end());
  }

  bool take(state::RowId id) {
    const auto found = std::lower_bound(ids_.begin(), ids_.end(), id);
    if (found == ids_.end() || *found != id) return false;
    ids_.erase(found);
    return true;
  }
  void put(state::RowId id) { ids_.insert(std::lower_bound(ids_.begin(), ids_.end(), id), id); }
  void clear() { ids_.clear(); }
  const std::vector<state::RowId>& ids() const { return ids_; }

 private:
  std::vector<state::RowId> ids_;  // ascending
};

void ViewTable::process(const Batch& input, const OperatorContext& context,
                        std::vector<Batch>* out) {
  std::vector<uint32_t> passed;
  if (!emits_ || !node_.changelog) {
    apply(input, context, nullptr, &passed);
    if (!emits_ || passed.empty()) return;
    out->push_back(passed.size() == input.rows ? input : gather(input, passed));
    return;
  }
  Changes changes(schema_);
  if (timed_) {
    apply_timed(input, context, changes);
  } else {
    apply(input, context, &changes, &passed);
  }
  Batch batch = changes.finish();
  if (!batch.empty()) out->push_back(std::move(batch));
}

void ViewTable::apply(const Batch& input, const OperatorContext& context, Changes* changes,
                      std::vector<uint32_t>* passed) {
  if (input.empty()) return;
  const std::vector<ColumnRef> key = key_columns(input, context);
  std::vector<uint64_t> hashes;
  hash_columns(key, input.rows, &hashes);
  std::vector<state::RowId> ids(input.rows);
  std::vector<uint32_t> created;
  table_->find_or_insert(key, hashes, ids, &created);
  Absent absent(ids, created);
  const bool all_new = created.size() == input.rows && !changelog_input_;
  if (all_new) absent.clear();
  for (uint32_t i = 0; i < input.rows; ++i) {
    // An expired row is gone, whether or not it was removed already.
    const bool existed =
        !all_new && !absent.take(ids[i]) &&
        visible(table_->row(ids[i]), context.watermark[input.places[i].track_index()]);
    if (!input.signs.empty() && input.signs[i] < 0) {
      if (changes && existed) retract(ids[i], input, i, context.arena, *changes);
      absent.put(ids[i]);
    } else if (existed && op_.conflict == ViewNode::Conflict::kFirstWins) {
      refuse_duplicate(input, i, context);
    } else if (insert(ids[i], input, i, existed, context, changes)) {
      passed->push_back(i);
    } else {
      absent.put(ids[i]);
    }
  }
  for (state::RowId id : absent.ids()) table_->erase(id);
}

namespace {

StringRef tie_of(const Batch& batch, size_t row) {
  return batch.ties.empty() ? StringRef{} : batch.ties[row];
}

}  // namespace

void ViewTable::retract(state::RowId id, const Batch& cause, size_t row, Arena& arena,
                        Changes& changes) const {
  changes.add(rows_as_batch({&id, 1}, arena), 0, cause.places[row], tie_of(cause, row), -1);
}

void ViewTable::refuse_duplicate(const Batch& input, size_t row,
                                 const OperatorContext& context) const {
  SideRow side{input.places[row], node_.id, SideRow::Kind::kDuplicate, {}, {}, {}};
  side.tie = tie_of(input, row).view();
  side.text =
      absl::StrCat("a row with this key is already in view ", op_.name, "; the first one stays");
  context.side.push_back(std::move(side));
}

bool ViewTable::insert(state::RowId id, const Batch& input, size_t row, bool existed,
                       const OperatorContext& context, Changes* changes) {
  const auto expires_before = existed ? expires_at(table_->row(id)) : std::nullopt;
  if (changes && existed) retract(id, input, row, context.arena, *changes);
  if (timed_) {
    const auto expires = expires_at(input, row);
    if (expires && *expires <= context.watermark[input.places[row].track_index()]) return false;
    const bool has_timer = expires_before && expires && *expires_before <= *expires;
    if (expires && !has_timer) timers_[*expires].push_back(id);
  }
  store(id, input, row);
  if (changes) changes->add(input, row, input.places[row], tie_of(input, row), 1);
  return true;
}

// ---- expiry ---------------------------------------------------------------------------------

std::optional<int64_t> ViewTable::expires_at(const std::byte* row) const {
  return expiry_ ? expiry_->at(row) : std::nullopt;
}

std::optional<int64_t> ViewTable::expires_at(const Batch& input, size_t row) const {
  const Column& times = *input.columns[static_cast<size_t>(op_.expiry->column)];
  if (times.is_null(row)) return std::nullopt;
  return saturating_add(times.values<int64_t>()[row], op_.expiry->after_us);
}

bool ViewTable::visible(const std::byte* row, int64_t watermark_us) const {
  return !expiry_ || !expiry_->has_passed(row, watermark_us);
}

void ViewTable::apply_timed(const Batch& input, const OperatorContext& context, Changes& changes) {
  const int64_t watermark_us = context.watermark.back();
  // Rows that come in this batch may expire in it.
  for (size_t i = 0; i < input.rows; ++i) {
    const auto expires = expires_at(input, i);
    if (expires && *expires <= watermark_us) timers_.try_emplace(*expires);
  }
  std::vector<uint32_t> passed;
  run_timers(
      input.places, context.watermark,
      [&]() -> std::optional<int64_t> {
        if (timers_.empty() || timers_.begin()->first > watermark_us) return std::nullopt;
        return timers_.begin()->first;
      },
      [&](size_t begin, size_t end) {
        if (begin == 0 && end == input.rows) return apply(input, context, &changes, &passed);
        std::vector<uint32_t> picked(end - begin);
        std::iota(picked.begin(), picked.end(), static_cast<uint32_t>(begin));
        apply(gather(input, picked), context, &changes, &passed);
      },
      [&](RowPlace place) { fire(place, context.arena, changes); });
}

void ViewTable::fire(RowPlace place, Arena& arena, Changes& changes) {
  const int64_t due_us = timers_.begin()->first;
  const std::vector<state::RowId> ids = std::move(timers_.begin()->second);
  timers_.erase(timers_.begin());
  const auto any = [](const std::byte*) { return true; };
  for (const TimerRow& row : timer_rows(*table_, ids, any)) {
    const auto expires = expires_at(table_->row(row.id));
    if (!expires || *expires < due_us) continue;
    if (*expires > due_us) {
      timers_[*expires].push_back(row.id);
      continue;
    }
    const StringRef tie = arena.copy(timer_tie(timer_owner_, due_us, row.key));
    changes.add(rows_as_batch({&row.id, 1}, arena), 0, place, tie, -1);
    table_->erase(row.id);
  }
}

void ViewTable::restored(int64_t watermark_us) {
  if (!timed_) return;
  for (state::RowId id = 0; id < table_->row_ids_end(); ++id) {
    if (!table_->live(id)) continue;
    const auto expires = expires_at(table_->row(id));
    if (expires && *expires > watermark_us) timers_[*expires].push_back(id);
  }
}

void ViewTable::remove_expired(int64_t watermark_us) {
  if (expiry_) expiry_->remove_some(*table_, watermark_us);
}

void ViewTable::append_column(int column, std::span<const std::byte* const> rows, Column& out,
                              Arena& arena) const {
  const state::RowField& field = field_of_column_[static_cast<size_t>(column)];
  for (const std::byte* row : rows) state::Table::append_to(row, field, out, arena);
}

}  // namespace kappa::operators
