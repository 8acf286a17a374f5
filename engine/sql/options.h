#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/sql/parser/tree.h"

namespace kappa::sql {

// The options of a statement: OPTIONS (topic 'sales') or WITH (grace = '10 seconds').
class Options {
 public:
  // Refuses, with a hint, an option that is not `known`, comes twice or has no text for a value.
  // `owner` says whose they are: "a column". The nodes outlive the options.
  static absl::StatusOr<Options> read(std::span<const Node> elements,
                                      const std::vector<std::string>& known,
                                      std::string_view owner);

  bool has(std::string_view name) const { return find(name) != nullptr; }
  std::optional<std::string> text(std::string_view name) const;
  // A span of time that is not negative, in microseconds.
  absl::StatusOr<std::optional<int64_t>> duration_us(std::string_view name) const;
  absl::StatusOr<std::optional<bool>> boolean(std::string_view name) const;
  // Where the option stands; it is there.
  const Node& place(std::string_view name) const;

 private:
  struct Option {
    std::string name;
    std::string value;
    const Node* node;
  };
  const Option* find(std::string_view name) const;

  std::vector<Option> options_;
};

}  // namespace kappa::sql
