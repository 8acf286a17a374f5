#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/serve/api_error.h"
#include "engine/serve/backend.h"
#include "engine/serve/generation_wire.h"
#include "engine/serve/unary_call.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "kappa/v1/replay.grpc.pb.h"

namespace kappa::serve {
namespace {

using Files = std::map<std::string, std::string>;

constexpr int64_t kRunningRetryMs = 1000;
constexpr std::chrono::seconds kForAnswer{1};

// What a call is about, as its request has it.
struct Asked {
  Method method;
  std::string product;      // empty: the only one
  uint32_t generation = 0;  // 0: it names none
};

template <typename Request>
Asked asked_of(Method method, const Request& request) {
  Asked asked{method, request.product()};
  if constexpr (requires { request.generation(); }) asked.generation = request.generation();
  return asked;
}

// What a call works on, and for whom.
struct Target {
  Asked asked;
  Products::Ref product;
  std::string caller;  // as Gate::caller() names it

  GenerationControl& control() const { return *product->generations; }
};

absl::StatusOr<Products::Ref> find_controlled(const Products& products, const std::string& name) {
  KAPPA_ASSIGN_OR_RETURN(Products::Ref product, products.find(name));
  if (product->generations != nullptr) return product;
  // Says so if it is restoring or has failed, which explains it.
  KAPPA_RETURN_IF_ERROR(products.find_readable(product->name).status());
  return with_reason(absl::FailedPreconditionError(
                         absl::StrCat("this server has no replays for product ", product->name)),
                     "NO_REPLAY", {{"product", product->name}});
}

// What the control says, with a reason for programs.
absl::Status explained(absl::Status status, const Target& target) {
  if (status.ok() || !details_of(status).reason.empty()) return status;
  std::map<std::string, std::string> metadata = {{"product", target.product->name}};
  const uint32_t generation = target.asked.generation;
  if (generation != 0) metadata["generation"] = absl::StrCat(generation);
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return with_reason(std::move(status), "GENERATION_NOT_FOUND", metadata);
    case absl::StatusCode::kFailedPrecondition:
      return with_reason(std::move(status), "REPLAY_PRECONDITION", metadata);
    case absl::StatusCode::kAborted:
      return with_retry(with_reason(std::move(status), "OPERATION_RUNNING", metadata),
                        kRunningRetryMs);
    default:
      return status;
  }
}

// A path that stays below the directory it is taken from.
bool is_plain_path(const std::string& path) {
  if (path.empty() || path.find_first_of(std::string("\\\0", 2)) != path.npos) return false;
  for (const absl::string_view part : absl::StrSplit(path, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

absl::StatusOr<Files> files_of(const v1::StartReplayRequest& request, const ServerLimits& limits) {
  const size_t count = request.files().size();
  if (count == 0 || count > limits.replay_files_max) {
    return invalid_field(
        "files", absl::StrCat("expected 1 to ", limits.replay_files_max, " files, got ", count));
  }
  Files files;
  for (const auto& [path, text] : request.files()) {
    if (!is_plain_path(path)) {
      return invalid_field(
          "files", absl::StrCat("expected paths in the product's directory, got ", excerpt(path)));
    }
    files.emplace(path, text);
  }
  return files;
}

absl::StatusOr<ReplayBudget> budget_of(const v1::ReplayBudget& wire) {
  const ReplayBudget budget = from_wire(wire);
  const auto fits = [](double value) { return std::isfinite(value) && value >= 0; };
  if (!fits(budget.cpu_cores_max)) {
    return invalid_field("budget.cpu_cores_max", "expected 0 (no limit) or more");
  }
  if (!fits(budget.records_per_second_max)) {
    return invalid_field("budget.records_per_second_max", "expected 0 (no limit) or more");
  }
  if (wire.memory_bytes_max() < 0) {
    return invalid_field("budget.memory_bytes_max", "expected 0 (no limit) or more");
  }
  return budget;
}

absl::StatusOr<state::ReplayStart> start_of(const v1::ReplayStart& wire) {
  const state::ReplayStart start = from_wire(wire);
  const bool known = v1::ReplayOrder_IsValid(wire.order());
  if (!known) return invalid_field("start.order", "expected the order of the journal or log time");
  if (start.from_ms) {
    KAPPA_RETURN_IF_ERROR(check_timestamp("start.from_timestamp_ms", *start.from_ms));
  }
  return start;
}

// The status of a generation that has just been made.
GenerationStatus status_of(GenerationControl& control, uint32_t id) {
  for (GenerationStatus& status : control.generations()) {
    if (status.id == id) return std::move(status);
  }
  GenerationStatus gone;
  gone.id = id;
  gone.state = state::GenerationState::kReplaying;
  return gone;
}

// Whether the audit has what became of a call.
bool is_deed(Method method) {
  switch (method) {
    case Method::kStartReplay:
    case Method::kCancelReplay:
    case Method::kSwapGeneration:
    case Method::kRollBack:
    case Method::kDropRetiredGenerations:
      return true;
    default:
      return false;
  }
}

std::string generation_text(uint32_t generation) {
  return generation == 0 ? "the only replay" : absl::StrCat("generation ", generation);
}

class ReplayService final : public v1::Replay::CallbackService {
 public:
  explicit ReplayService(const Backend& backend) : backend_(backend) {}

  grpc::ServerUnaryReactor* ListGenerations(grpc::CallbackServerContext* context,
                                            const v1::ListGenerationsRequest* request,
                                            v1::ListGenerationsResponse* response) override {
    return handle(Method::kListGenerations, context, *request, [&](auto call, auto on) {
      backend_.short_tasks.submit([call, on, response] {
        const std::vector<GenerationStatus> generations = on.control().generations();
        call->answer([&] {
          for (const auto& status : generations) to_wire(status, response->add_generations());
          return absl::OkStatus();
        });
      });
      return absl::OkStatus();
    });
  }

  grpc::ServerUnaryReactor* StartReplay(grpc::CallbackServerContext* context,
                                        const v1::StartReplayRequest* request,
                                        v1::StartReplayResponse* response) override {
    return handle(Method::kStartReplay, context, *request, [&](auto call, auto on) {
      ReplayRequest replay;
      KAPPA_ASSIGN_OR_RETURN(replay.files, files_of(*request, backend_.limits));
      KAPPA_ASSIGN_OR_RETURN(replay.budget, budget_of(request->budget()));
      replay.accepted_gaps = {request->accepted_gaps().begin(), request->accepted_gaps().end()};
      KAPPA_ASSIGN_OR_RETURN(replay.start, start_of(request->start()));
      replay.recompute_all = request->recompute_all();
      return work(call, on, [this, call, on, replay = std::move(replay), response] {
        const absl::StatusOr<uint32_t> id = on.control().start_replay(replay);
        if (!id.ok()) return fail(call, on, id.status());
        done(on, absl::StrCat("generation ", *id, " replays"));
        const GenerationStatus status = status_of(on.control(), *id);
        call->answer([&] {
          to_wire(status, response->mutable_generation());
          return absl::OkStatus();
        });
      });
    });
  }

  grpc::ServerUnaryReactor* PauseReplay(grpc::CallbackServerContext* context,
                                        const v1::PauseReplayRequest* request,
                                        v1::PauseReplayResponse*) override {
    return handle(Method::kPauseReplay, context, *request, [&](auto call, auto on) {
      backend_.short_tasks.submit([call, on, generation = request->generation()] {
        if (call->ended()) return;
        call->finish(explained(on.control().pause_replay(generation), on));
      });
      return absl::OkStatus();
    });
  }

  grpc::ServerUnaryReactor* ResumeReplay(grpc::CallbackServerContext* context,
                                         const v1::ResumeReplayRequest* request,
                                         v1::ResumeReplayResponse*) override {
    return handle(Method::kResumeReplay, context, *request, [&](auto call, auto on) {
      std::optional<ReplayBudget> budget;
      if (request->has_budget()) {
        KAPPA_ASSIGN_OR_RETURN(budget, budget_of(request->budget()));
      }
      backend_.short_tasks.submit([call, on, generation = request->generation(), budget] {
        if (call->ended()) return;
        call->finish(explained(on.control().resume_replay(generation, budget), on));
      });
      return absl::OkStatus();
    });
  }

  grpc::ServerUnaryReactor* CancelReplay(grpc::CallbackServerContext* context,
                                         const v1::CancelReplayRequest* request,
                                         v1::CancelReplayResponse*) override {
    return handle(Method::kCancelReplay, context, *request, [&](auto call, auto on) {
      return work(call, on, [this, call, on, generation = request->generation()] {
        const absl::Status status = on.control().cancel_replay(generation);
        if (!status.ok()) return fail(call, on, status);
        done(on, absl::StrCat(generation_text(generation), " is removed"));
        call->finish(status);
      });
    });
  }

  grpc::ServerUnaryReactor* CompareGenerations(grpc::CallbackServerContext* context,
                                               const v1::CompareGenerationsRequest* request,
                                               v1::CompareGenerationsResponse* response) override {
    return handle(Method::kCompareGenerations, context, *request, [&](auto call, auto on) {
      const int32_t samples = request->samples_max();
      const size_t most = backend_.limits.samples_max;
      if (samples < 0 || static_cast<size_t>(samples) > most) {
        return invalid_field("samples_max",
                             absl::StrCat("expected 0 to ", most, ", got ", samples));
      }
      const runtime::Deadline deadline = work_deadline(*context);
      return work(
          call, on,
          [this, call, on, samples, deadline, response, generation = request->generation()] {
            const absl::StatusOr<Comparison> comparison =
                on.control().compare(generation, static_cast<size_t>(samples), deadline);
            if (!comparison.ok()) return fail(call, on, comparison.status());
            call->answer([&] {
              to_wire(*comparison, response);
              return absl::OkStatus();
            });
          });
    });
  }

  grpc::ServerUnaryReactor* SwapGeneration(grpc::CallbackServerContext* context,
                                           const v1::SwapGenerationRequest* request,
                                           v1::SwapGenerationResponse* response) override {
    return handle(Method::kSwapGeneration, context, *request, [&](auto call, auto on) {
      SwapRequest swap;
      swap.generation = request->generation();
      swap.require_equal.assign(request->require_equal().begin(), request->require_equal().end());
      swap.keep_following = request->keep_following();
      const runtime::Deadline deadline = work_deadline(*context);
      return work(call, on, [this, call, on, swap = std::move(swap), deadline, response] {
        end_swap(call, on, on.control().swap(swap, deadline), response);
      });
    });
  }

  grpc::ServerUnaryReactor* RollBack(grpc::CallbackServerContext* context,
                                     const v1::RollBackRequest* request,
                                     v1::RollBackResponse* response) override {
    return handle(Method::kRollBack, context, *request, [&](auto call, auto on) {
      const runtime::Deadline deadline = work_deadline(*context);
      return work(call, on,
                  [this, call, on, follow = request->keep_following(), deadline, response] {
                    end_swap(call, on, on.control().roll_back(follow, deadline), response);
                  });
    });
  }

  grpc::ServerUnaryReactor* DropRetiredGenerations(
      grpc::CallbackServerContext* context, const v1::DropRetiredGenerationsRequest* request,
      v1::DropRetiredGenerationsResponse* response) override {
    return handle(Method::kDropRetiredGenerations, context, *request, [&](auto call, auto on) {
      return work(call, on, [this, call, on, keep = request->keep(), response] {
        const absl::StatusOr<std::vector<uint32_t>> dropped = on.control().drop_retired(keep);
        if (!dropped.ok()) return fail(call, on, dropped.status());
        if (!dropped->empty()) {
          done(on, absl::StrCat("removed ", dropped->size() == 1 ? "generation " : "generations ",
                                absl::StrJoin(*dropped, ", ")));
        }
        call->answer([&] {
          for (const uint32_t generation : *dropped) response->add_generations(generation);
          return absl::OkStatus();
        });
      });
    });
  }

 private:
  // Lets the caller in, finds the product and calls `start` with the call and its Target. What
  // `start` hands to other threads ends the call; an error that it returns does so at once.
  template <typename Request, typename Start>
  grpc::ServerUnaryReactor* handle(Method method, grpc::CallbackServerContext* context,
                                   const Request& request, Start start) {
    const UnaryCall::Ref call = UnaryCall::start(backend_.metrics, method, context);
    absl::Status status = backend_.gate.admit(*context, method, Right::kAdmin, "");
    if (status.ok()) {
      const Asked asked = asked_of(method, request);
      const std::string caller = backend_.gate.caller(*context);
      const auto found = find_controlled(backend_.products, asked.product);
      status = found.ok() ? start(call, Target{asked, *found, caller}) : found.status();
      if (!status.ok()) note_failure(asked, caller, status);
    }
    if (!status.ok()) call->finish(status);
    return call->reactor();
  }

  // Runs `task` on a query thread, unless the caller has gone away before its turn: nobody would
  // know that anything was done.
  absl::Status work(const UnaryCall::Ref& call, const Target& target, std::function<void()> task) {
    const bool taken = backend_.queries.try_submit([this, call, target, task = std::move(task)] {
      if (!call->ended()) return task();
      note_failure(target.asked, target.caller,
                   absl::CancelledError("the caller went away before its turn"));
    });
    return taken ? absl::OkStatus() : too_many_queries();
  }

  // Before the call's own, so that what became of the work still reaches the caller.
  runtime::Deadline work_deadline(const grpc::ServerContextBase& context) const {
    const runtime::Deadline deadline = deadline_of(context, backend_.limits.replay_ms_max);
    const auto left = deadline - std::chrono::steady_clock::now();
    return deadline - std::min<runtime::Deadline::duration>(left / 10, kForAnswer);
  }

  void done(const Target& target, const std::string& what) const {
    backend_.gate.done(target.asked.method, target.caller,
                       absl::StrCat("product ", target.product->name, ", ", what));
  }

  // In the audit, if it is about what the audit has.
  void note_failure(const Asked& asked, const std::string& caller,
                    const absl::Status& status) const {
    if (!is_deed(asked.method)) return;
    const auto product = backend_.products.find(asked.product);
    std::string what =
        absl::StrCat("product ", product.ok() ? (*product)->name : excerpt(asked.product));
    if (asked.generation != 0) absl::StrAppend(&what, ", generation ", asked.generation);
    backend_.gate.failed(asked.method, caller, what, status);
  }

  // Ends a call that has failed.
  void fail(const UnaryCall::Ref& call, const Target& target, const absl::Status& status) const {
    note_failure(target.asked, target.caller, status);
    call->finish(explained(status, target));
  }

  template <typename Response>
  void end_swap(const UnaryCall::Ref& call, const Target& target,
                const absl::StatusOr<SwapReport>& report, Response* response) const {
    if (!report.ok()) return fail(call, target, report.status());
    done(target, absl::StrCat("generation ", report->to, " is live in place of ", report->from));
    call->answer([&] {
      to_wire(*report, response->mutable_report());
      return absl::OkStatus();
    });
  }

  const Backend& backend_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_replay_service(const Backend& backend) {
  return std::make_unique<ReplayService>(backend);
}

}  // namespace kappa::serve
