#include "engine/types/batch.h"

namespace kappa {
namespace {

template <typename T>
std::vector<T> gather_vector(const std::vector<T>& values, const std::vector<uint32_t>& picked) {
  std::vector<T> out;
  if (!values.empty()) append_picked(values, picked, &out);
  return out;
}

}  // namespace

Batch gather(const Batch& batch, const std::vector<uint32_t>& picked) {
  Batch out;
  out.rows = picked.size();
  out.columns.reserve(batch.columns.size());
  for (const ColumnRef& column : batch.columns) {
    out.columns.push_back(std::make_shared<const Column>(column->gather(picked)));
  }
  out.places = gather_vector(batch.places, picked);
  out.signs = gather_vector(batch.signs, picked);
  out.ties = gather_vector(batch.ties, picked);
  return out;
}

}  // namespace kappa
