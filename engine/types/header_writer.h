#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace kappa {

// Writes a record's headers as Kafka's record format v2 has them: the counterpart of HeaderReader
// (record.h), and like it, telling a null value from an empty one.
class HeaderWriter {
 public:
  explicit HeaderWriter(size_t headers);
  // As often as was said.
  void add(std::string_view name, std::optional<std::string_view> value);
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

}  // namespace kappa
