#pragma once

#include <memory>
#include <span>
#include <vector>

#include "operators/accumulator.h"
#include "operators/session_buckets.h"
#include "operators/session_side.h"

namespace kappa::operators {

// All that the calls of a Session keep beside the rows of its open sessions.
class SessionSides {
 public:
  // `sessions` is the table of sessions, to whose layout the accumulators are bound; it outlives
  // this. The table of a call that comes first for it has the call's number.
  SessionSides(const AggregateNode& op, const Schema& input, uint64_t operator_id,
               const AccumulatorSet& accumulators, state::Table& sessions);

  bool any() const { return !sides_.empty(); }
  std::vector<state::Table*> tables() const;

  void add(const SessionRows& rows);
  // A session and its row.
  struct Named {
    SessionName name;
    state::RowId row;
  };
  // Makes two sessions of a group one, whose row is that of `joined`, touched, and whose name is
  // returned: that of the one that has seen more, so that less moves.
  SessionName merge(const Named& joined, const Named& other);
  void erase(SessionName session);
  void restored(OpenSessions& open);

 private:
  void add_side(const AggregateNode& op, size_t call, const Schema& input, state::TableId id,
                std::span<const state::RowField> fields, state::Table& sessions);
  SessionBuckets& buckets_of(const AggregateCall& call, const AggregateNode& op, state::TableId id,
                             state::Table& sessions);
  size_t size(SessionName session) const;

  std::vector<Type> key_;  // of their tables: group and origin
  std::vector<std::unique_ptr<SessionSide>> sides_;
  std::vector<SessionBuckets*> buckets_;  // those of `sides_` that are some
};

}  // namespace kappa::operators
