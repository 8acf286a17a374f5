#pragma once

#include <atomic>
#include <string_view>

namespace kappa {

// Named places at which a test lets the process die, as `kill -9` would: nothing is flushed,
// nothing is cleaned up. The environment names one when the process starts:
//
//   KAPPA_FAIL_AT=checkpoint.written       at the first time that it is reached
//   KAPPA_FAIL_AT=outbox.committed:3       at the third
//
// These there are, in the order in which one turn of a checkpoint reaches them:
//
//   checkpoint.before_write   journal and log are synced, the store holds nothing of it yet
//   checkpoint.runs_added     it holds the large parts, which count for nothing yet
//   checkpoint.written        the store holds it; what it has for topics is not published
//   outbox.before_begin       before a transaction, or without one before the first record
//   outbox.produced           the records are handed to the client; they may be on their way
//   outbox.before_commit      records and place are at the broker, and count for nobody yet
//   outbox.committed          they count; nobody here knows yet
//   outbox.published          this process knows; the store does not
//
// And of a swap (replay/swap.h):
//
//   swap.held                 the leader stands still
//   swap.taken_over           the follower could lead; the catalogue does not say so
//   swap.committed            it does
//
// And of the handover of topics that hold a relation by key (replay/handover.h), behind a swap:
//
//   handover.computed         what they lack is known, and nothing of it is stored
//   handover.durable          it is in a checkpoint; the catalogue still asks for it
//   handover.forgotten        the catalogue does not; nothing is taken from the log yet
//
// Unset, a place costs one relaxed load.
namespace failpoint {

extern std::atomic<bool> armed;
void reach(std::string_view name);

}  // namespace failpoint

inline void fail_here_if_asked(std::string_view name) {
  if (failpoint::armed.load(std::memory_order_relaxed)) [[unlikely]]
    failpoint::reach(name);
}

}  // namespace kappa
