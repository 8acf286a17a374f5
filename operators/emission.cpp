#include "operators/emission.h"

#include <algorithm>

namespace kappa::operators {

Emission::Emission(const Schema& schema, Arena& arena) : arena_(arena) {
  for (const Field& field : schema) columns_.emplace_back(field.type);
}

void Emission::add(const GroupedRows& from, const std::byte* row, RowPlace place, int8_t sign,
                   std::string_view tie) {
  const std::byte* const rows[] = {row};
  for (size_t c = 0; c < columns_.size(); ++c) {
    from.append_column(static_cast<int>(c), rows, columns_[c], arena_);
  }
  batch_.places.push_back(place);
  batch_.signs.push_back(sign);
  batch_.ties.push_back(tie.empty() ? StringRef{} : arena_.copy(tie));
  ++batch_.rows;
}

Batch Emission::finish(bool changelog) {
  for (Column& column : columns_) {
    batch_.columns.push_back(std::make_shared<const Column>(std::move(column)));
  }
  if (!changelog) batch_.signs.clear();
  const bool tied = std::any_of(batch_.ties.begin(), batch_.ties.end(),
                                [](const StringRef& tie) { return tie.size > 0; });
  if (!tied) batch_.ties.clear();
  return std::move(batch_);
}

}  // namespace kappa::operators
