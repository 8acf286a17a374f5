#pragma once

#include <cstddef>

#include "engine/types/batch.h"

namespace kappa::operators {

// Goes through the rows of a join's two inputs: calls on_right(begin, end) and on_left(begin, end)
// for runs of rows of one side, as long as they come without one of the other in between.
// right_first(l, r) says whether row r of the right one comes before row l of the left one.
template <typename RightFirst, typename OnLeft, typename OnRight>
void for_each_run_by(const Batch& left, const Batch& right, RightFirst right_first,
                     OnLeft&& on_left, OnRight&& on_right) {
  size_t l = 0;
  size_t r = 0;
  while (l < left.rows || r < right.rows) {
    // Where a row of the right side may come, the left one does not.
    const size_t left_begin = l;
    while (l < left.rows && (r == right.rows || !right_first(l, r))) ++l;
    if (l > left_begin) on_left(left_begin, l);
    const size_t right_begin = r;
    while (r < right.rows && (l == left.rows || right_first(l, r))) ++r;
    if (r > right_begin) on_right(right_begin, r);
  }
}

// In their order: by place, a timer's rows by their tie, and of what is equal in both the right
// ones first. So what comes of rows of both sides comes in order.
template <typename OnLeft, typename OnRight>
void for_each_run(const Batch& left, const Batch& right, OnLeft&& on_left, OnRight&& on_right) {
  const auto tie = [](const Batch& batch, size_t row) {
    return batch.ties.empty() ? std::string_view() : batch.ties[row].view();
  };
  const auto right_first = [&](size_t l, size_t r) {
    const RowPlace on_the_left = left.places[l];
    const RowPlace on_the_right = right.places[r];
    if (on_the_left != on_the_right) return on_the_right < on_the_left;
    return !on_the_right.is_timer() || tie(right, r) <= tie(left, l);
  };
  for_each_run_by(left, right, right_first, on_left, on_right);
}

// By place, and of one place all the right ones first. So a left row finds all that the right side
// has there.
template <typename OnLeft, typename OnRight>
void for_each_place_run(const Batch& left, const Batch& right, OnLeft&& on_left,
                        OnRight&& on_right) {
  const auto right_first = [&](size_t l, size_t r) { return right.places[r] <= left.places[l]; };
  for_each_run_by(left, right, right_first, on_left, on_right);
}

}  // namespace kappa::operators
