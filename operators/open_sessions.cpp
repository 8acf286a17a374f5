#include "operators/open_sessions.h"

#include <algorithm>

#include "engine/types/time.h"

namespace kappa::operators {

void GroupSessions::close_before(int64_t last_us) {
  if (sessions_.empty() || sessions_.front().last >= last_us) return;
  const auto open = std::find_if(sessions_.begin(), sessions_.end(),
                                 [&](const OpenSession& s) { return s.last >= last_us; });
  erase(sessions_.begin(), open);
}

void GroupSessions::insert(iterator at, const OpenSession& session) {
  last_number_ = std::max(last_number_, session.number);
  sessions_.insert(at, session);
}

void GroupSessions::erase(iterator begin, iterator end) {
  const bool had_last = std::any_of(
      begin, end, [&](const OpenSession& session) { return session.number == last_number_; });
  sessions_.erase(begin, end);
  if (!had_last) return;
  last_number_ = 0;
  for (const OpenSession& session : sessions_) {
    last_number_ = std::max(last_number_, session.number);
  }
}

void GroupSessions::number(iterator session, int64_t number) {
  session->number = number;
  last_number_ = std::max(last_number_, number);
}

std::pair<GroupSessions::iterator, GroupSessions::iterator> GroupSessions::around(int64_t time_us,
                                                                                  int64_t gap_us) {
  const int64_t from_us = saturating_add(time_us, -gap_us);
  const int64_t to_us = saturating_add(time_us, gap_us);
  // Most rows are about the latest session, or after it.
  auto first = sessions_.end();
  if (sessions_.size() > 8 && sessions_[sessions_.size() - 2].last >= from_us) {
    first = std::lower_bound(
        sessions_.begin(), sessions_.end(), from_us,
        [](const OpenSession& session, int64_t time) { return session.last < time; });
  } else {
    while (first != sessions_.begin() && (first - 1)->last >= from_us) --first;
  }
  auto end = first;
  while (end != sessions_.end() && end->start <= to_us) ++end;
  return {first, end};
}

GroupSessions::iterator GroupSessions::find(int64_t start_us) {
  const auto found = std::lower_bound(
      sessions_.begin(), sessions_.end(), start_us,
      [](const OpenSession& session, int64_t start) { return session.start < start; });
  return found != sessions_.end() && found->start == start_us ? found : sessions_.end();
}

GroupSessions::iterator GroupSessions::find_row(state::RowId row) {
  return std::find_if(sessions_.begin(), sessions_.end(),
                      [&](const OpenSession& session) { return session.row == row; });
}

OpenSessions::OpenSessions(state::TableId table, const std::vector<Type>& key)
    : numbers_(table, state::RowLayout(key, {Type::bigint()}), {.derived = true}) {}

void OpenSessions::find_groups(std::span<const ColumnRef> key, std::span<const uint64_t> hashes,
                               std::vector<uint32_t>* groups) {
  rows_.resize(hashes.size());
  numbers_.find_or_insert(key, hashes, rows_, &created_);
  const state::RowField field = numbers_.layout().values().front();
  for (const uint32_t i : created_) {
    if (free_.empty()) {
      if (groups_ % kSegment == 0) segments_.push_back(std::make_unique<Segment>());
      free_.push_back(groups_++);
    }
    group(free_.back()).group = rows_[i];
    state::Table::get<int64_t>(numbers_.row(rows_[i]), field) = free_.back();
    free_.pop_back();
  }
  groups->resize(rows_.size());
  for (size_t i = 0; i < rows_.size(); ++i) {
    (*groups)[i] = static_cast<uint32_t>(state::Table::get<int64_t>(numbers_.row(rows_[i]), field));
  }
}

void OpenSessions::forget(uint32_t number) {
  GroupSessions& forgotten = group(number);
  if (!forgotten.empty() || forgotten.group == state::kNoRow) return;
  numbers_.erase(forgotten.group);
  forgotten.group = state::kNoRow;
  free_.push_back(number);
}

}  // namespace kappa::operators
