#include "engine/serve/scan_rows.h"

#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "engine/runtime/query_rows.h"
#include "engine/serve/api_error.h"
#include "engine/types/status_macros.h"

namespace kappa::serve {
namespace {

// Rows come in small slices, so that this is a bound on work, not on the answer.
constexpr size_t kRowsKeptMax = 0xFFFF'FFFF;

// A column's non-null cell against a non-null value of its type, in SQL's order.
int compare_cell(const Column& column, size_t row, const Value& value) {
  switch (column.type().physical()) {
    case PhysicalType::kInt8: {
      const int cell = column.values<int8_t>()[row] != 0 ? 1 : 0;
      return cell - static_cast<int>(std::get<bool>(value.data));
    }
    case PhysicalType::kInt32: {
      const auto order = column.values<int32_t>()[row] <=> std::get<int32_t>(value.data);
      return order < 0 ? -1 : order > 0;
    }
    case PhysicalType::kInt64: {
      const auto order = column.values<int64_t>()[row] <=> std::get<int64_t>(value.data);
      return order < 0 ? -1 : order > 0;
    }
    case PhysicalType::kInt128: {
      const int128 cell = column.values<int128>()[row];
      const int128 bound = std::get<int128>(value.data);
      return cell < bound ? -1 : cell > bound;
    }
    case PhysicalType::kDouble: {
      const double cell = column.values<double>()[row];
      const double bound = std::get<double>(value.data);
      if (std::isnan(cell) || std::isnan(bound)) {
        return static_cast<int>(std::isnan(cell)) - static_cast<int>(std::isnan(bound));
      }
      return cell < bound ? -1 : cell > bound;
    }
    case PhysicalType::kString:
      return column.values<StringRef>()[row].view().compare(std::get<std::string>(value.data));
  }
  return 0;
}

// The first key columns of a row against a bound: negative, 0 if they are equal, positive.
int compare_key(const Batch& rows, size_t row, const std::vector<int>& key, const Row& bound) {
  for (size_t i = 0; i < bound.size(); ++i) {
    const Column& column = *rows.columns[static_cast<size_t>(key[i])];
    const bool null_cell = column.is_null(row);
    if (null_cell || bound[i].is_null()) {
      const int order = static_cast<int>(null_cell) - static_cast<int>(bound[i].is_null());
      if (order != 0) return order;
      continue;
    }
    const int order = compare_cell(column, row, bound[i]);
    if (order != 0) return order;
  }
  return 0;
}

absl::Status too_many_rows(size_t rows_max) {
  return with_reason(absl::ResourceExhaustedError(absl::StrCat(
                         "the view holds more than ", rows_max,
                         " rows, more than a scan may read; use Sql or ask for single keys")),
                     "SCAN_ROWS_LIMIT");
}

absl::Status too_much_memory(size_t bytes_max) {
  return with_reason(
      absl::ResourceExhaustedError(absl::StrCat("the range holds more than ", bytes_max,
                                                " bytes, more than a scan may keep; narrow it "
                                                "with prefix, start or end, or use Sql")),
      "SCAN_MEMORY_LIMIT");
}

}  // namespace

bool KeyRange::contains(const Batch& rows, size_t row, const std::vector<int>& key) const {
  return compare_key(rows, row, key, prefix) == 0 && compare_key(rows, row, key, start) >= 0 &&
         (end.empty() || compare_key(rows, row, key, end) < 0);
}

absl::StatusOr<std::shared_ptr<const ScanRows>> scan(const ViewRef& view, const KeyRange& range,
                                                     runtime::ViewReader& reader,
                                                     const ScanLimits& limits) {
  KAPPA_ASSIGN_OR_RETURN(const std::unique_ptr<runtime::Snapshot> snapshot,
                         reader.pin({view.id}, limits.deadline));
  std::vector<int> columns(view.schema->size());
  std::iota(columns.begin(), columns.end(), 0);
  runtime::QueryRows kept(*view.schema);
  size_t scanned = 0;
  std::vector<uint32_t> picked;
  Arena slice_arena;
  for (;;) {
    slice_arena.reset();
    KAPPA_ASSIGN_OR_RETURN(const Batch slice, snapshot->next(view.id, columns, slice_arena));
    if (slice.empty()) break;
    scanned += slice.rows;
    if (scanned > limits.rows_scanned_max) return too_many_rows(limits.rows_scanned_max);
    picked.clear();
    for (uint32_t row = 0; row < slice.rows; ++row) {
      if (range.contains(slice, row, view.node->key)) picked.push_back(row);
    }
    if (picked.empty()) continue;
    kept.append(slice, picked);
    if (kept.bytes() + kept.rows() * sizeof(uint32_t) > limits.memory_bytes_max) {
      return too_much_memory(limits.memory_bytes_max);
    }
  }
  std::vector<sql::SortKey> keys;
  for (const int column : view.node->key) keys.push_back({column});
  auto rows = std::make_shared<ScanRows>();
  rows->stamp = snapshot->stamp();
  rows->schema = *view.schema;
  rows->order = kept.order(keys, kRowsKeptMax);
  rows->bytes = kept.bytes() + kept.rows() * sizeof(uint32_t);
  rows->rows = kept.take_rows();
  rows->arena = kept.take_arena();
  return rows;
}

}  // namespace kappa::serve
