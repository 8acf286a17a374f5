#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/serve/pseudonyms.h"
#include "engine/types/value.h"

namespace kappa::v1 {
class Decision;
class Row;
class Value;
}  // namespace kappa::v1

namespace kappa::serve {

// Where the columns of a view of decisions, or of an output of alerts, are. What it has besides
// those that a Decision names are features.
class DecisionColumns {
 public:
  // FailedPrecondition names those of `needed` that `columns` lacks; `what` is how errors call
  // what has them: "view decisions".
  static absl::StatusOr<DecisionColumns> find(std::string_view what,
                                              std::vector<std::string> columns,
                                              std::span<const std::string_view> needed);

  // Cards and customers as their pseudonyms; nullptr: as they are.
  void write(const v1::Row& row, const Pseudonyms* pseudonyms, v1::Decision* out) const;
  void write(const Row& row, const Pseudonyms* pseudonyms, v1::Decision* out) const;

 private:
  struct Column {
    std::string name;
    // Of a column that a Decision names; null: of a feature.
    void (*write)(const v1::Value&, const Pseudonyms*, v1::Decision*);
  };
  std::vector<Column> columns_;
};

// What the view `decisions` and the output `fraud_alerts` must have.
std::span<const std::string_view> decision_columns();
std::span<const std::string_view> alert_columns();

}  // namespace kappa::serve
