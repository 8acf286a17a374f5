#include "replay/new_generation.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/runtime/beginning.h"
#include "engine/runtime/order_journal.h"
#include "engine/types/datetime.h"
#include "engine/types/failpoint.h"
#include "engine/types/status_macros.h"
#include "state/checkpoint.h"
#include "state/store.h"

namespace kappa::replay {

using state::ReplayStart;

namespace {

constexpr std::chrono::seconds kPatience{10};  // with a live pipeline that is to give its state

// By nodes that are computed. `kept`: by node; empty: none.
std::vector<int> sources_read(const operators::Plan& plan, const std::vector<bool>& kept) {
  std::set<int> sources;
  for (const operators::PlanNode& node : plan.nodes) {
    const auto* source = std::get_if<operators::SourceNode>(&node.op);
    if (source && (kept.empty() || !kept[node.id])) sources.insert(source->source);
  }
  return {sources.begin(), sources.end()};
}

// The first record that is to be read.
absl::StatusOr<Offset> first_offset(const log::Log& log, const TopicPartition& partition,
                                    const ReplayStart& start) {
  if (!start.from_ms) return Offset{0};
  KAPPA_ASSIGN_OR_RETURN(const log::PartitionRange range, log.range(partition));
  KAPPA_ASSIGN_OR_RETURN(const Offset first,
                         log.offset_for_time(partition, LogTime{*start.from_ms}));
  // Where the log's own first record is not earlier than that, earlier ones may be gone.
  return first == range.start ? Offset{0} : first;
}

// A copy of the live generation's store becomes that of the new one.
absl::Status give_along(Generation& live, const operators::Plan& plan, const Course& course,
                        const log::Log& log, const std::string& directory) {
  const absl::Status copied =
      live.pipeline->copy_state(directory, std::chrono::steady_clock::now() + kPatience);
  if (absl::IsDeadlineExceeded(copied)) {
    return absl::DeadlineExceededError(
        "the live generation takes a backlog, and gives its state along once that is done: ask "
        "again then, or compute all of it with --recompute-all");
  }
  KAPPA_RETURN_IF_ERROR(copied);
  fail_here_if_asked("replay.copied");
  KAPPA_ASSIGN_OR_RETURN(const std::unique_ptr<state::StateStore> store,
                         state::open_rocksdb_store(directory));
  state::CheckpointStore checkpoints(store.get());
  KAPPA_ASSIGN_OR_RETURN(const std::string stored, checkpoints.read_place());
  KAPPA_ASSIGN_OR_RETURN(const runtime::Place at, runtime::decode_place(stored));
  runtime::Place place = runtime::beginning(plan, at.journal_id);
  if (course.start.from_ms) {
    KAPPA_RETURN_IF_ERROR(
        runtime::begin_at_time(plan, log, LogTime{*course.start.from_ms}, &place));
  }
  if (course.start.order == ReplayStart::Order::kLogTime) {
    runtime::begin_in_log_time(plan, at, &place);
  }
  std::set<uint64_t> operators;
  if (course.keeps()) {
    operators = runtime::bring_along(live.pipeline->plan(), at, plan, course.kept, &place);
  }
  return checkpoints.keep_only(operators, encode(place));
}

absl::Status begin_later(const Surroundings& surroundings, const operators::Plan& plan,
                         const Course& course, const std::string& directory) {
  const std::string path = surroundings.directory.journal_path(surroundings.product);
  KAPPA_ASSIGN_OR_RETURN(const auto journal, runtime::OrderJournal::open(path, /*writer=*/false));
  runtime::Place place = runtime::beginning(plan, journal->id());
  KAPPA_RETURN_IF_ERROR(
      runtime::begin_at_time(plan, surroundings.log, LogTime{*course.start.from_ms}, &place));
  KAPPA_ASSIGN_OR_RETURN(const std::unique_ptr<state::StateStore> store,
                         state::open_rocksdb_store(directory));
  state::Checkpoint checkpoint;
  checkpoint.place = encode(place);
  return state::CheckpointStore(store.get()).write(checkpoint);
}

}  // namespace

absl::Status check_start(const ReplayStart& start, LogTime now) {
  if (!start.from_ms || *start.from_ms <= now.ms) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a replay cannot begin at ", timestamp_to_text(*start.from_ms * kMicrosPerMilli),
                   ", which is still to come"));
}

Course make_course(const operators::Plan& before, const ReplayStart& live,
                   const operators::Plan& after, const ReplayStart& start,
                   const LogicChange& change, bool recompute_all) {
  Course course{start, sources_read(after, {}), {}, {}};
  const bool same_order = start == live && start.order == ReplayStart::Order::kJournal;
  if (recompute_all || !same_order) return course;
  std::vector<bool> kept = runtime::can_be_brought_along(before, after, kept_nodes(after, change));
  if (std::find(kept.begin(), kept.end(), true) == kept.end()) return course;
  course.sources = sources_read(after, kept);
  for (const operators::NodeId view : after.views()) {
    if (!kept[view]) continue;
    course.kept_views.push_back(std::get<operators::ViewNode>(after.node(view).op).name);
  }
  course.kept = std::move(kept);
  return course;
}

absl::Status check_gaps(const operators::Plan& plan, const Course& course, const log::Log& log,
                        const std::vector<std::string>& accepted) {
  for (const int source : course.sources) {
    const std::string& topic = plan.sources[static_cast<size_t>(source)].topic;
    if (std::find(accepted.begin(), accepted.end(), topic) != accepted.end()) continue;
    KAPPA_ASSIGN_OR_RETURN(const log::TopicInfo info, log.topic(topic));
    for (int32_t p = 0; p < info.config.partitions; ++p) {
      KAPPA_ASSIGN_OR_RETURN(const log::PartitionRange range, log.range({topic, p}));
      KAPPA_ASSIGN_OR_RETURN(const Offset first, first_offset(log, {topic, p}, course.start));
      if (range.start <= first) continue;
      return absl::FailedPreconditionError(absl::StrCat(
          "topic ", topic, " partition ", p, " begins at offset ", range.start.value,
          ": what was there before is gone, and what it has added to the live generation cannot be "
          "computed again; to replay what is left: --accept-gap ",
          topic));
    }
  }
  return absl::OkStatus();
}

state::FillStore first_state(const Surroundings& surroundings, Generation& live,
                             const operators::Plan& plan, const Course& course) {
  if (course.keeps() || course.start.order == ReplayStart::Order::kLogTime) {
    return [&](const std::string& directory) {
      return give_along(live, plan, course, surroundings.log, directory);
    };
  }
  if (!course.start.from_ms) return nullptr;
  return [&](const std::string& directory) {
    return begin_later(surroundings, plan, course, directory);
  };
}

}  // namespace kappa::replay
