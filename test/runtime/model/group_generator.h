#pragma once

#include <optional>
#include <string>
#include <vector>

#include "test/runtime/model/draft.h"

namespace kappa::model {

// A SELECT with GROUP BY: columns and something computed of them, aggregates of every kind with and
// without FILTER, WHERE and HAVING. With `group` it is by that column of the input alone.
Query groups_query(Draft& draft, const Relation& input, std::optional<size_t> group = std::nullopt);

// What a statement's options say of all its windows.
struct Emission {
  int64_t grace_us = 0;
  bool final = false;
  std::optional<int64_t> retention_us = {};

  std::vector<std::string> options() const;
};
// With `final` it is that; else now and then.
Emission choose_emission(Draft& draft, bool final);

// What windows must show, if anything.
struct Shown {
  std::optional<size_t> group = {};  // the column of the input that they are grouped by, alone
  bool time = false;                 // window_time
  // Nothing but the group, what tells the windows apart, window_time and two counts: windows of
  // like kinds have like columns.
  bool counts_only = false;
};

// The same over windows of a kind.
Query window_query(Draft& draft, const Relation& input, Window::Kind kind,
                   const Emission& emission = {}, const Shown& shown = {});

}  // namespace kappa::model
