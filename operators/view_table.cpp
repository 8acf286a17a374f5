#include "operators/view_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/types/hash.h"
#include "engine/types/invariant.h"
#include "engine/types/time.h"

namespace kappa::operators {

ViewTable::ViewTable(const Plan& plan, NodeId node, bool emits)
    : node_(plan.node(node)),
      op_(std::get<ViewNode>(node_.op)),
      schema_(plan.node(node_.inputs[0]).schema),
      emits_(emits),
      changelog_input_(plan.node(node_.inputs[0]).changelog) {
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
}

std::vector<ColumnRef> ViewTable::key_columns(const Batch& input, const OperatorContext& context) {
  std::vector<ColumnRef> key;
  if (!op_.by_record) {
    for (int column : op_.key) key.push_back(input.columns[static_cast<size_t>(column)]);
    return key;
  }
  Column topics(Type::text(), input.rows);
  Column partitions(Type::integer(), input.rows);
  Column offsets(Type::bigint(), input.rows);
  Column ordinals(Type::integer(), input.rows);
  int32_t ordinal = 0;
  for (size_t i = 0; i < input.rows; ++i) {
    const auto [partition, offset] = context.record_at(input.places[i].place());
    ordinal = i > 0 && input.places[i].place() == input.places[i - 1].place() ? ordinal + 1 : 0;
    topics.values<StringRef>()[i] = {partition->topic.data(),
                                     static_cast<uint32_t>(partition->topic.size())};
    partitions.values<int32_t>()[i] = partition->partition;
    offsets.values<int64_t>()[i] = offset.value;
    ordinals.values<int32_t>()[i] = ordinal;
  }
  for (Column* column : {&topics, &partitions, &offsets, &ordinals}) {
    key.push_back(std::make_shared<const Column>(std::move(*column)));
  }
  return key;
}

void ViewTable::store(state::RowId id, const Batch& input, size_t row) {
  std::byte* bytes = table_->row(id);
  for (int c : value_columns_) {
    const auto index = static_cast<size_t>(c);
    const state::RowField& field = field_of_column_[index];
    const Column& column = *input.columns[index];
    const bool null = column.is_null(row);
    if (field.type.physical() == PhysicalType::kString) {
      table_->set_string(id, field,
                         null ? std::string_view() : column.values<StringRef>()[row].view());
    } else {
      dispatch_physical(field.type.physical(), [&]<typename T>() {
        if constexpr (!std::is_same_v<T, StringRef>) {
          state::Table::get<T>(bytes, field) = column.values<T>()[row];
        }
      });
    }
    state::Table::set_null(bytes, field, null);
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

namespace {

// Collects the changes a view passes on: rows of its input, and old rows that those replace.
class Changes {
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
    ++batch_.rows;
  }

  Batch finish(bool changelog, bool tied) {
    for (Column& column : columns_) {
      batch_.columns.push_back(std::make_shared<const Column>(std::move(column)));
    }
    if (!changelog) batch_.signs.clear();
    if (!tied) batch_.ties.clear();
    return std::move(batch_);
  }

 private:
  std::vector<Column> columns_;
  Batch batch_;
};

}  // namespace

void ViewTable::process(const Batch& input, const OperatorContext& context,
                        std::vector<Batch>* out) {
  if (input.empty()) return;
  const std::vector<ColumnRef> key = key_columns(input, context);
  std::vector<uint64_t> hashes;
  hash_columns(key, input.rows, &hashes);
  std::vector<state::RowId> ids(input.rows);
  std::vector<uint32_t> created;
  table_->find_or_insert(key, hashes, ids, &created);

  // Rows are there as soon as they were looked up; `present` says which hold a row of the view. A
  // key may go and come back within a batch, so what is absent at the end is erased at the end.
  std::vector<state::RowId> absent;
  for (uint32_t i : created) absent.push_back(ids[i]);
  std::sort(absent.begin(), absent.end());
  const auto take_absent = [&](state::RowId id) {
    const auto found = std::lower_bound(absent.begin(), absent.end(), id);
    if (found == absent.end() || *found != id) return false;
    absent.erase(found);
    return true;
  };
  const auto put_absent = [&](state::RowId id) {
    absent.insert(std::lower_bound(absent.begin(), absent.end(), id), id);
  };

  const bool all_new = created.size() == input.rows && !changelog_input_;
  if (all_new) absent.clear();
  std::vector<uint32_t> passed;  // without retractions: rows that became part of the view
  std::optional<Changes> changes;
  if (emits_ && node_.changelog) changes.emplace(schema_);
  for (size_t i = 0; i < input.rows; ++i) {
    const bool inserts = input.signs.empty() || input.signs[i] > 0;
    const StringRef tie = input.ties.empty() ? StringRef{} : input.ties[i];
    // An expired row is gone, whether or not it was removed already.
    const bool existed =
        !all_new && !take_absent(ids[i]) &&
        visible(table_->row(ids[i]), context.watermark[input.places[i].track_index()]);
    if (!inserts) {
      if (changes && existed) {
        changes->add(rows_as_batch({&ids[i], 1}, context.arena), 0, input.places[i], tie, -1);
      }
      put_absent(ids[i]);
      continue;
    }
    if (existed && op_.conflict == ViewNode::Conflict::kFirstWins) {
      SideRow side{input.places[i], node_.id, SideRow::Kind::kDuplicate, {}, {}, {}};
      side.tie = tie.view();
      side.text = absl::StrCat("a row with this key is already in view ", op_.name,
                               "; the first one stays");
      context.side.push_back(std::move(side));
      continue;
    }
    if (changes && existed) {
      changes->add(rows_as_batch({&ids[i], 1}, context.arena), 0, input.places[i], tie, -1);
    }
    store(ids[i], input, i);
    if (changes) changes->add(input, i, input.places[i], tie, 1);
    passed.push_back(static_cast<uint32_t>(i));
  }
  for (state::RowId id : absent) table_->erase(id);
  if (!emits_) return;
  if (changes) {
    Batch batch = changes->finish(true, !input.ties.empty());
    if (!batch.empty()) out->push_back(std::move(batch));
  } else if (passed.size() == input.rows) {
    out->push_back(input);
  } else if (!passed.empty()) {
    out->push_back(gather(input, passed));
  }
}

bool ViewTable::visible(const std::byte* row, int64_t watermark_us) const {
  if (!op_.retention_us || !op_.event_time) return true;
  const state::RowField& field = field_of_column_[static_cast<size_t>(*op_.event_time)];
  if (state::Table::is_null(row, field)) return true;
  return saturating_add(state::Table::get<int64_t>(row, field), *op_.retention_us) > watermark_us;
}

void ViewTable::append_column(int column, std::span<const std::byte* const> rows, Column& out,
                              Arena& arena) const {
  const state::RowField& field = field_of_column_[static_cast<size_t>(column)];
  for (const std::byte* row : rows) state::Table::append_to(row, field, out, arena);
}

void ViewTable::remove_expired(int64_t watermark_us, size_t rows_max) {
  if (!op_.retention_us || !op_.event_time) return;
  const state::RowId end = table_->row_ids_end();
  for (size_t n = std::min<size_t>(rows_max, end); n > 0; --n) {
    if (expiry_cursor_ >= end) expiry_cursor_ = 0;
    const state::RowId id = expiry_cursor_++;
    if (table_->live(id) && !visible(table_->row(id), watermark_us)) table_->erase(id);
  }
}

}  // namespace kappa::operators
