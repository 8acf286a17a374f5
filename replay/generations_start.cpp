// Generations: how a replay begins.

#include <chrono>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/runtime/beginning.h"
#include "engine/types/datetime.h"
#include "engine/types/failpoint.h"
#include "engine/types/status_macros.h"
#include "replay/generations.h"
#include "replay/new_generation.h"

namespace kappa::replay {

using state::GenerationInfo;
using state::GenerationState;
using state::ProductInfo;

namespace {

constexpr std::chrono::seconds kPatience{10};

// InvalidArgument: what is asked for beside the files makes no sense.
absl::Status check_request(const serve::ReplayRequest& request, const operators::Plan& plan,
                           LogTime now) {
  KAPPA_RETURN_IF_ERROR(check_start(request.start, now));
  const std::set<std::string> topics = runtime::topics_read(plan);
  for (const std::string& topic : request.accepted_gaps) {
    if (topics.contains(topic)) continue;
    return absl::InvalidArgumentError(absl::StrCat("the files read no topic ", topic,
                                                   ", whose gap is to be accepted; they read ",
                                                   absl::StrJoin(topics, ", ")));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<uint32_t> Generations::start_replay(const serve::ReplayRequest& request) {
  KAPPA_ASSIGN_OR_RETURN(const Operation operation, begin_operation(kPatience));
  if (const auto other = find_replay(0); other.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("generation ", other->id, " of product ", surroundings_.product, " ",
                     state_text(*other), ": swap it in or cancel it before another one starts"));
  }
  KAPPA_ASSIGN_OR_RETURN(const CompiledFiles compiled, surroundings_.compile(request.files));
  KAPPA_RETURN_IF_ERROR(check_request(request, compiled.plan, surroundings_.clock.now()));
  KAPPA_RETURN_IF_ERROR(surroundings_.make_topics(compiled.plan));
  const std::shared_ptr<Generation> leader = live();
  const LogicChange change = replay::compare(logic_of(*leader), {compiled.plan, compiled.protos});
  const ProductInfo known = info();
  const Course course = make_course(leader->pipeline->plan(), known.find(leader->id)->start,
                                    compiled.plan, request.start, change, request.recompute_all);
  if (course.keeps() && change.none()) {
    return absl::FailedPreconditionError(
        absl::StrCat("these files change nothing in generation ", leader->id, " of product ",
                     surroundings_.product, "; to compute it again all the same: --recompute-all"));
  }
  KAPPA_RETURN_IF_ERROR(
      check_gaps(compiled.plan, course, surroundings_.log, request.accepted_gaps));
  KAPPA_RETURN_IF_ERROR(check_handover(compiled.plan, compiled.protos, request.files));
  // Topics that the live one does not read join the order here.
  const std::set<std::string> topics = runtime::topics_read(compiled.plan);
  KAPPA_RETURN_IF_ERROR(leader->pipeline->join({topics.begin(), topics.end()},
                                               std::chrono::steady_clock::now() + kPatience));
  GenerationInfo made;
  made.id = known.last_generation + 1;
  made.state = GenerationState::kReplaying;
  made.plan_fingerprint = operators::fingerprint(compiled.plan);
  made.files = request.files;
  made.created = timestamp_to_text(surroundings_.clock.now().ms * kMicrosPerMilli);
  made.cpu_cores_max = request.budget.cpu_cores_max;
  made.records_per_second_max = request.budget.records_per_second_max;
  made.memory_bytes_max = request.budget.memory_bytes_max;
  made.start = request.start;
  made.kept_views = course.kept_views;
  KAPPA_RETURN_IF_ERROR(
      make_generation(surroundings_.directory, surroundings_.product, made, compiled.plan,
                      first_state(surroundings_, *leader, compiled.plan, course)));
  fail_here_if_asked("replay.made");
  KAPPA_RETURN_IF_ERROR(this->change([&](ProductInfo& info) {
    info.generations.push_back(made);
    info.last_generation = made.id;
  }));
  fail_here_if_asked("replay.started");
  KAPPA_RETURN_IF_ERROR(follow(made).status());
  return made.id;
}

}  // namespace kappa::replay
