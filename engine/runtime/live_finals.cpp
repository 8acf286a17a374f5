// Final outputs, which change hands by event time: what a leader has said of them, and what a
// follower keeps for the day on which it leads.

#include <algorithm>
#include <utility>

#include "engine/runtime/live_pipeline.h"
#include "operators/output.h"

namespace kappa::runtime {

using operators::FinalOutput;
using operators::kAllWanted;
using operators::kNoneWanted;
using operators::OutputMarks;

// A leader's.
OutputMarks LivePipeline::said_to() const {
  OutputMarks marks;
  for (const FinalOutput& output : finals_) {
    int64_t to_us = watermarks_.current(output.held_by);
    const auto before = state_.final_from.find(output.output);
    if (before != state_.final_from.end()) to_us = std::max(to_us, before->second);
    marks[output.name] = to_us;
  }
  return marks;
}

// Followers drop by it: what is not in a checkpoint might be said otherwise after a crash.
OutputMarks LivePipeline::said_durably() const {
  return checkpointer_->idle() ? said_in_checkpoint_ : said_before_;
}

void LivePipeline::note_said(OutputMarks said_to) {
  post([this, said_to = std::move(said_to)] {
    if (!follows_) return;
    for (const FinalOutput& output : finals_) {
      const auto said = said_to.find(output.name);
      const int64_t from_us = said == said_to.end() ? kNoneWanted : said->second;
      keep_from_us_[output.output] = from_us;
      outbox_.kept().drop_below(output.output, from_us);
    }
    want_outputs();
  });
}

// Where the former leader has stopped saying them, this one begins.
void LivePipeline::take_up_finals(const OutputMarks& said_to) {
  state_.final_from.clear();
  for (const FinalOutput& output : finals_) {
    const auto said = said_to.find(output.name);
    if (said != said_to.end()) state_.final_from[output.output] = said->second;
  }
  said_in_checkpoint_ = said_before_ = said_to;
  owes_kept_ = true;
}

// Before a leader goes on.
absl::Status LivePipeline::say_kept() {
  if (outbox_.muted() || !owes_kept_) return absl::OkStatus();
  const uint64_t before = state_.outbox_next;
  const absl::Status said = outbox_.say_kept(checkpoints_, state_.final_from, &state_);
  owes_kept_ = !said.ok();
  changed_ = changed_ || state_.outbox_next != before;
  return said;
}

// Once a leader's own rows are where the former one has stopped, nothing below comes any more. It
// says from where on what it has kept is to leave.
void LivePipeline::forget_passed() {
  if (owes_kept_) return;
  for (const FinalOutput& output : finals_) {
    const auto from = state_.final_from.find(output.output);
    if (from == state_.final_from.end()) continue;
    if (watermarks_.current(output.held_by) >= from->second) state_.final_from.erase(from);
  }
  want_outputs();
}

// Lets outputs make records of what leaves, or may have to, and of nothing else.
void LivePipeline::want_outputs() {
  for (const operators::PlanNode& node : plan_.nodes) {
    if (!std::holds_alternative<operators::OutputNode>(node.op)) continue;
    flow_->want(node.id, outbox_.muted() ? kNoneWanted : kAllWanted);
  }
  if (outbox_.muted() && options_.mute_outputs) return;
  const auto& from_us = outbox_.muted() ? keep_from_us_ : state_.final_from;
  for (const FinalOutput& output : finals_) {
    const auto from = from_us.find(output.output);
    flow_->want(output.output, from == from_us.end() ? kAllWanted : from->second);
  }
}

}  // namespace kappa::runtime
