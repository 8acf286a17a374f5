#include "operators/lookup.h"

#include <algorithm>
#include <numeric>

#include "engine/types/hash.h"
#include "operators/join_order.h"
#include "operators/row_errors.h"
#include "operators/table_rows.h"

namespace kappa::operators {

struct Lookup::Answers {
  std::vector<uint32_t> rows;   // of the left side
  std::vector<uint32_t> found;  // which of `rows` found something, where a condition asks
  std::vector<Column> columns;  // of the right side, a row each of `rows`
};

namespace {}  // namespace

Lookup::Lookup(const Plan& plan, NodeId node)
    : node_(node),
      op_(std::get<LookupNode>(plan.node(node).op)),
      right_schema_(plan.node(plan.node(node).inputs[1]).schema) {
  std::vector<Type> key;
  std::vector<Type> values;
  for (int column : op_.key.right) key.push_back(right_schema_[static_cast<size_t>(column)].type);
  for (int c = 0; c < static_cast<int>(right_schema_.size()); ++c) {
    if (std::find(op_.key.right.begin(), op_.key.right.end(), c) != op_.key.right.end()) continue;
    value_columns_.push_back(c);
    values.push_back(right_schema_[static_cast<size_t>(c)].type);
  }
  const state::RowLayout layout(key, values);
  table_ = std::make_unique<state::Table>(state::TableId{operator_id(plan, node), 0}, layout);
  field_of_column_.resize(right_schema_.size());
  for (size_t i = 0; i < op_.key.right.size(); ++i) {
    field_of_column_[static_cast<size_t>(op_.key.right[i])] = layout.key()[i];
  }
  for (size_t i = 0; i < value_columns_.size(); ++i) {
    field_of_column_[static_cast<size_t>(value_columns_[i])] = layout.values()[i];
  }
  nulls_.resize(layout.row_bytes());
  for (const state::RowField& field : field_of_column_) {
    state::Table::set_null(nulls_.data(), field, true);
  }
  if (op_.condition) condition_.emplace(op_.condition);
  if (op_.expiry) {
    expiry_.emplace(*op_.expiry, field_of_column_[static_cast<size_t>(op_.expiry->column)]);
  }
}

void Lookup::process_both(const Batch& left, const Batch& right, const OperatorContext& context,
                          std::vector<Batch>* out) {
  find_right(right);
  find_left(left);
  Answers answers;
  for (const Field& field : right_schema_)
    answers.columns.emplace_back(field.type).reserve(left.rows);
  for_each_place_run(
      left, right, [&](size_t begin, size_t end) { answer(left, begin, end, context, answers); },
      [&](size_t begin, size_t end) { apply(right, begin, end); });
  for (state::RowId id : absent_) table_->erase(id);
  absent_.clear();
  if (answers.rows.empty()) return;
  Batch batch = answers.rows.size() == left.rows ? left : gather(left, answers.rows);
  batch.key_hashes.clear();
  for (Column& column : answers.columns) {
    batch.columns.push_back(std::make_shared<const Column>(std::move(column)));
  }
  if (condition_) batch = judge(std::move(batch), answers.found, context);
  if (!batch.empty()) out->push_back(std::move(batch));
}

void Lookup::find_right(const Batch& right) {
  right_ids_.resize(right.rows);
  if (right.empty()) return;
  const std::vector<ColumnRef> key = columns_of(right, op_.key.right);
  hash_columns(key, right.rows, &hashes_);
  std::vector<uint32_t> created;
  table_->find_or_insert(key, hashes_, right_ids_, &created);
  for (uint32_t row : created) absent_.insert(right_ids_[row]);
}

void Lookup::find_left(const Batch& left) {
  left_ids_.resize(left.rows);
  if (left.empty()) return;
  const std::vector<ColumnRef> key = columns_of(left, op_.key.left);
  // An exchange may have computed the hashes already.
  if (left.key_hashes.empty()) hash_columns(key, left.rows, &hashes_);
  table_->find(key, left.key_hashes.empty() ? hashes_ : left.key_hashes, left_ids_);
  for (const ColumnRef& column : key) {
    if (!column->has_nulls()) continue;
    for (size_t i = 0; i < left.rows; ++i) {
      if (column->is_null(i)) left_ids_[i] = state::kNoRow;
    }
  }
}

void Lookup::apply(const Batch& right, size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i) {
    const state::RowId id = right_ids_[i];
    if (!right.signs.empty() && right.signs[i] < 0) {
      absent_.insert(id);
      continue;
    }
    if (!absent_.empty()) absent_.erase(id);
    for (int column : value_columns_) {
      const auto c = static_cast<size_t>(column);
      store_value(*table_, id, field_of_column_[c], *right.columns[c], i);
    }
  }
}

void Lookup::answer(const Batch& left, size_t begin, size_t end, const OperatorContext& context,
                    Answers& answers) {
  const state::Table& table = *table_;
  images_.clear();
  for (size_t i = begin; i < end; ++i) {
    const state::RowId id = left_ids_[i];
    const std::byte* image = nullptr;
    if (id != state::kNoRow && (absent_.empty() || !absent_.contains(id))) image = table.row(id);
    // Timers of a place find the watermark moved on already: their side is below this one.
    if (image && expiry_ &&
        expiry_->has_passed(image, (*context.right_watermark)[left.places[i].place() + 1])) {
      image = nullptr;
    }
    if (!image && !op_.outer) continue;
    if (image && condition_) answers.found.push_back(static_cast<uint32_t>(answers.rows.size()));
    answers.rows.push_back(static_cast<uint32_t>(i));
    images_.push_back(image ? image : nulls_.data());
  }
  // At once, for the rows may change before the next run.
  for (size_t c = 0; c < answers.columns.size(); ++c) {
    state::Table::append_all(images_, field_of_column_[c], answers.columns[c], context.arena);
  }
}

// Asks the condition about those that found something. Where it is not true, nothing was found.
Batch Lookup::judge(Batch answers, const std::vector<uint32_t>& found,
                    const OperatorContext& context) {
  const bool all = found.size() == answers.rows;
  const Batch candidates = all ? answers : gather(answers, found);
  std::vector<uint32_t> matched;
  std::vector<RowError> errors;
  if (!candidates.empty()) {
    condition_->select(candidates, context.arena, &matched, &errors);
    report_errors(node_, candidates, errors, context);
  }
  if (matched.size() == candidates.rows) return answers;

  std::vector<bool> refused(answers.rows, false);
  for (uint32_t row : found) refused[row] = true;
  for (uint32_t row : matched) refused[found[row]] = false;
  std::vector<bool> failed(answers.rows, false);
  for (const RowError& error : errors) failed[found[error.row]] = true;
  std::vector<uint32_t> rest;
  for (uint32_t i = 0; i < answers.rows; ++i) {
    if (!failed[i]) rest.push_back(i);
  }
  Batch judged = gather(answers, rest);
  for (size_t c = judged.columns.size() - right_schema_.size(); c < judged.columns.size(); ++c) {
    Column column = answers.columns[c]->gather(rest);
    for (size_t i = 0; i < rest.size(); ++i) {
      if (refused[rest[i]]) column.set_null(i);
    }
    judged.columns[c] = std::make_shared<const Column>(std::move(column));
  }
  return judged;
}

bool Lookup::kept(const std::byte* row, int64_t watermark_us) const {
  return !expiry_ || !expiry_->has_passed(row, watermark_us);
}

void Lookup::remove_expired(int64_t watermark_us) {
  if (expiry_) expiry_->remove_some(*table_, watermark_us);
}

}  // namespace kappa::operators
