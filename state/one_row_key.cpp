#include "state/one_row_key.h"

#include "engine/types/hash.h"
#include "engine/types/invariant.h"

namespace kappa::state {
namespace {

template <typename T>
T value_as(const Value& value) {
  if constexpr (std::is_same_v<T, StringRef>) {
    const auto& text = std::get<std::string>(value.data);
    return {text.data(), static_cast<uint32_t>(text.size())};
  } else if constexpr (std::is_same_v<T, int8_t>) {
    return static_cast<int8_t>(std::get<bool>(value.data));
  } else {
    return std::get<T>(value.data);
  }
}

}  // namespace

OneRowKey::OneRowKey(const std::vector<RowField>& fields) {
  for (const RowField& field : fields) {
    writable_.push_back(std::make_shared<Column>(field.type, 1));
    columns_.push_back(writable_.back());
  }
  hashes_.resize(1);
}

void OneRowKey::set(const Row& key) {
  KAPPA_INVARIANT(key.size() == writable_.size(), "a value for each column of the key");
  for (size_t c = 0; c < key.size(); ++c) {
    Column& column = *writable_[c];
    const Value& value = key[c];
    KAPPA_INVARIANT(value.is_null() || value.type.physical() == column.type().physical(),
                    "a key's values have the types of its columns");
    if (value.is_null()) {
      column.set_null(0);
      continue;
    }
    if (column.has_nulls()) column.mutable_nulls()[0] = 0;
    dispatch_physical(column.type().physical(),
                      [&]<typename T>() { column.values<T>()[0] = value_as<T>(value); });
  }
  hash_columns(columns_, 1, &hashes_);
}

}  // namespace kappa::state
