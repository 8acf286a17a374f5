#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns the status of `expr` from the enclosing function unless it is OK.
#define KAPPA_RETURN_IF_ERROR(expr)                                                       \
  do {                                                                                    \
    if (::absl::Status kappa_status_ = (expr); !kappa_status_.ok()) return kappa_status_; \
  } while (false)

#define KAPPA_CONCAT_INNER(a, b) a##b
#define KAPPA_CONCAT(a, b) KAPPA_CONCAT_INNER(a, b)

// KAPPA_ASSIGN_OR_RETURN(auto x, f()): x takes the value of a StatusOr, or its status is returned.
#define KAPPA_ASSIGN_OR_RETURN(lhs, expr) \
  KAPPA_ASSIGN_OR_RETURN_IMPL(KAPPA_CONCAT(kappa_or_, __LINE__), lhs, expr)
// NOLINTBEGIN(bugprone-macro-parentheses): neither a name nor what it is assigned to takes any.
#define KAPPA_ASSIGN_OR_RETURN_IMPL(tmp, lhs, expr) \
  auto tmp = (expr);                                \
  if (!tmp.ok()) return std::move(tmp).status();    \
  lhs = *std::move(tmp)
// NOLINTEND(bugprone-macro-parentheses)
