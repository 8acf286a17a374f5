#include "operators/table_rows.h"

namespace kappa::operators {

std::vector<ColumnRef> record_columns(const Batch& input, const OperatorContext& context) {
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
  std::vector<ColumnRef> columns;
  for (Column* column : {&topics, &partitions, &offsets, &ordinals}) {
    columns.push_back(std::make_shared<const Column>(std::move(*column)));
  }
  return columns;
}

std::vector<ColumnRef> columns_of(const Batch& batch, const std::vector<int>& columns) {
  std::vector<ColumnRef> some;
  some.reserve(columns.size());
  for (int column : columns) some.push_back(batch.columns[static_cast<size_t>(column)]);
  return some;
}

std::vector<ColumnRef> key_columns(const state::Table& table, std::span<const state::RowId> rows,
                                   size_t fields, Arena& arena) {
  std::vector<const std::byte*> images;
  images.reserve(rows.size());
  for (const state::RowId row : rows) images.push_back(table.row(row));
  std::vector<ColumnRef> columns;
  for (size_t i = 0; i < fields; ++i) {
    const state::RowField& field = table.layout().key()[i];
    Column column(field.type);
    state::Table::append_all(images, field, column, arena);
    columns.push_back(std::make_shared<const Column>(std::move(column)));
  }
  return columns;
}

void store_value(state::Table& table, state::RowId id, const state::RowField& field,
                 const Column& column, size_t row) {
  std::byte* bytes = table.row(id);
  const bool null = column.is_null(row);
  if (field.type.physical() == PhysicalType::kString) {
    table.set_string(id, field, null ? std::string_view() : column.values<StringRef>()[row].view());
  } else {
    dispatch_physical(field.type.physical(), [&]<typename T>() {
      if constexpr (!std::is_same_v<T, StringRef>) {
        state::Table::get<T>(bytes, field) = column.values<T>()[row];
      }
    });
  }
  state::Table::set_null(bytes, field, null);
}

}  // namespace kappa::operators
