#include "schemas/row_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/types/invariant.h"
#include "schemas/record_column.h"

namespace kappa::schemas {

RowWriter::RowWriter(const Source& source, std::vector<int> wanted)
    : targets_(source.columns.size()), wanted_(std::move(wanted)) {
  for (size_t i = 0; i < targets_.size(); ++i) {
    targets_[i].values = nowhere_;
    targets_[i].width = width_of(source.columns[i].type.physical());
    targets_[i].required = source.columns[i].not_null;
  }
  for (const int column : source.primary_key) targets_[static_cast<size_t>(column)].required = true;
  if (source.event_time && is_declared(source, *source.event_time)) {
    targets_[static_cast<size_t>(*source.event_time)].required = true;
  }
  for (size_t i = 0; i < wanted_.size(); ++i) {
    const auto column = static_cast<size_t>(wanted_[i]);
    KAPPA_INVARIANT(column < targets_.size(), "a wanted column is one of the source's");
    targets_[column].wanted = static_cast<int>(i);
    targets_[column].row_mask = ~size_t{0};
    wanted_types_.push_back(source.columns[column].type);
  }
}

void RowWriter::begin(size_t records, Decoded* out) {
  out_ = out;
  accepted_ = 0;
  row_ = 0;
  has_null_ = false;
  out->malformed.clear();
  out->records.resize(records);
  bool reusable = out->columns.size() == wanted_types_.size();
  for (size_t i = 0; reusable && i < wanted_types_.size(); ++i) {
    reusable = out->columns[i].type() == wanted_types_[i];
  }
  if (!reusable) {
    out->columns.clear();
    out->columns.reserve(wanted_types_.size());
    for (const Type type : wanted_types_) out->columns.emplace_back(type);
  }
  for (size_t i = 0; i < wanted_.size(); ++i) {
    Column& column = out->columns[i];
    column.resize(0);  // forgets the nulls
    column.resize(records);
    Target& target = targets_[static_cast<size_t>(wanted_[i])];
    target.nulls = nullptr;
    dispatch_physical(column.type().physical(), [&]<typename T>() {
      target.values = reinterpret_cast<std::byte*>(column.values<T>().data());
    });
  }
}

void RowWriter::finish() {
  for (Column& column : out_->columns) column.resize(accepted_);
  out_->records.resize(accepted_);
}

bool RowWriter::set_null(size_t column) {
  Target& target = targets_[column];
  if (target.required) return false;
  if (target.wanted < 0) return true;
  if (target.nulls == nullptr) {
    target.nulls = out_->columns[static_cast<size_t>(target.wanted)].mutable_nulls().data();
  }
  target.nulls[row_] = 1;
  std::memset(target.values + row_ * target.width, 0, target.width);
  has_null_ = true;
  return true;
}

void RowWriter::take_back_nulls() {
  has_null_ = false;
  const size_t end = std::min(accepted_ + kRowsAhead, out_->records.size());
  for (const int column : wanted_) {
    uint8_t* const nulls = targets_[static_cast<size_t>(column)].nulls;
    if (nulls != nullptr) std::fill(nulls + accepted_, nulls + end, uint8_t{0});
  }
}

void RowWriter::reject(size_t record, std::string reason) {
  take_back();
  out_->malformed.push_back({static_cast<uint32_t>(record), std::move(reason)});
}

}  // namespace kappa::schemas
