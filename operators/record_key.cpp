#include "operators/record_key.h"

#include "schemas/encoder.h"

namespace kappa::operators {

RecordKey::RecordKey(const schemas::Source& sink) : columns_(sink.primary_key) {
  const std::vector<std::string> names = schemas::field_names(sink);
  for (const int column : columns_) names_.push_back(names[static_cast<size_t>(column)]);
}

std::vector<ColumnRef> RecordKey::pick(std::span<const ColumnRef> columns) const {
  std::vector<ColumnRef> key;
  for (const int column : columns_) key.push_back(columns[static_cast<size_t>(column)]);
  return key;
}

std::optional<std::string> RecordKey::at(std::span<const ColumnRef> key, size_t row) const {
  if (key.empty()) return std::nullopt;
  const Column& first = *key.front();
  if (key.size() == 1 && first.is_null(row)) return std::nullopt;
  if (key.size() == 1 && first.type().id == TypeId::kText) {
    return std::string(first.values<StringRef>()[row].view());
  }
  std::string object;
  schemas::encode_json(names_, key, row, &object);
  return object;
}

}  // namespace kappa::operators
