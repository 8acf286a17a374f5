#include "engine/cli/commands/declare_replay.h"

#include <limits>

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "engine/cli/commands/declare_common.h"

namespace kappa::cli {
namespace {

constexpr int kSamplesMax = 100;          // of the API
constexpr int64_t kDeadlineMaxS = 3'600;  // of the API
constexpr int64_t kMemoryMaxMib = int64_t{1} << 30;

class ReplayDeclaration {
 public:
  ReplayDeclaration(CLI::App& app, ReplayCommands& options, std::string& config, Chosen* chosen)
      : app_(app),
        replay_(declare_command(
            app, "replay", "Recompute a product from its log under changed logic, and swap it in",
            "  kappa plan schemas/playground            # what the files would change\n"
            "  kappa replay start schemas/playground    # beside what is live\n"
            "  kappa replay status --watch\n"
            "  kappa replay diff\n"
            "  kappa replay swap\n"
            "  kappa replay rollback\n\n"
            "Or all of it with kappa apply. Help for one: kappa replay start --help.\n")),
        options_(options),
        config_(config),
        chosen_(chosen) {
    replay_.require_subcommand(1);
  }

  void declare_all() {
    declare_start();
    declare_status();
    declare_pause();
    declare_resume();
    declare_cancel();
    declare_diff();
    declare_swap();
    declare_rollback();
    declare_gc();
    declare_apply();
  }

 private:
  // An option that no setting stands for: what to do now, not how things are.
  template <typename T>
  static CLI::Option* once(CLI::App& command, const std::string& name, T& value,
                           const std::string& what) {
    return command.add_option(name, value, what)->configurable(false);
  }
  static void flag(CLI::App& command, const std::string& name, bool& value,
                   const std::string& what) {
    command.add_flag(name, value, what)->configurable(false);
  }

  template <typename Options>
  void runs(CLI::App& command, int (*run)(const Options&), Options& options) {
    command.callback([chosen = chosen_, run, &options] {
      chosen->run = [run, &options] { return run(options); };
    });
  }

  void connection(CLI::App& command, ReplayTarget& target) {
    declare_connect(command, target.connect);
    declare_output(command, target.output, config_);
  }

  // Of a command about a product that is named, not given by its files.
  void target_of(CLI::App& command, ReplayTarget& target) {
    declare_product_name(command, target.product);
    connection(command, target);
  }

  static void generation(CLI::App& command, uint32_t& value, const std::string& what) {
    once(command, "generation", value, what)
        ->check(whole_number(1, std::numeric_limits<uint32_t>::max()))
        ->type_name("N");
  }

  static void directory(CLI::App& command, std::string& value) {
    once(command, "directory", value, "the product's directory")->required()->type_name("DIR");
  }

  static void budget(CLI::App& command, BudgetOptions& value) {
    once(command, "--max-cpu", value.cpu_cores_max, "cores it may take; default: what it can get")
        ->check(more_than_zero())
        ->type_name("CORES");
    once(command, "--max-rate", value.records_per_second_max,
         "records it may apply a second; default: what it can")
        ->check(more_than_zero())
        ->type_name("N");
    once(command, "--max-memory", value.memory_mib_max,
         "MiB of state that it may hold in memory, with more it pauses; default: what it needs")
        ->check(whole_number(1, kMemoryMaxMib))
        ->type_name("MIB");
  }

  // What a start adds to the course.
  static void accept_gap(CLI::App& command, CourseOptions& value) {
    once(command, "--accept-gap", value.accepted_gaps,
         "topics to replay from what retention has left of them")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->type_name("TOPIC[,TOPIC]");
  }

  static void require_equal(CLI::App& command, std::vector<std::string>& value) {
    once(command, "--require-equal", value, "views that must be the same in both, or all")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->type_name("VIEW[,VIEW]");
  }

  static void deadline(CLI::App& command, int64_t& value) {
    within(once(command, "--deadline-s", value, "longest wait for a comparison or a swap"), 1,
           kDeadlineMaxS);
  }

  static void keep_following(CLI::App& command, bool& value) {
    flag(command, "--keep-following", value,
         "what was live goes on applying records, so that the way back is instant");
  }

  void declare_start() {
    CLI::App& start = declare_command(
        replay_, "start", "Recompute a product with the files in its directory",
        "  kappa replay start schemas/playground\n"
        "  kappa replay start schemas/playground --max-cpu 1.5 --max-rate 50000 --wait\n"
        "  kappa replay start schemas/playground --from 2026-11-01 --order log-time\n\n"
        "Views that do not change are not computed: they bring their state along from what is\n"
        "live. With --recompute-all they are, and so they are from another start or in another\n"
        "order than the live generation's.\n");
    ReplayStartOptions& options = options_.start;
    directory(start, options.directory);
    budget(start, options.budget);
    declare_course(start, options.course);
    accept_gap(start, options.course);
    flag(start, "--wait", options.wait, "end once it is ready; 1 if it fails");
    connection(start, options.target);
    runs(start, run_replay_start, options);
  }

  void declare_status() {
    CLI::App& status =
        declare_command(replay_, "status", "Show the generations and how far replays are",
                        "  kappa replay status\n"
                        "  kappa replay status --watch\n"
                        "  kappa replay status --watch --output json   # an object a second\n");
    ReplayStatusOptions& options = options_.status;
    flag(status, "--watch", options.watch, "go on until none is replaying; 1 if one has failed");
    target_of(status, options.target);
    runs(status, run_replay_status, options);
  }

  void declare_pause() {
    CLI::App& pause = declare_command(replay_, "pause", "Let a replay rest",
                                      "  kappa replay pause\n  kappa replay pause 4\n");
    generation(pause, options_.pause.generation, "default: the only replay");
    target_of(pause, options_.pause);
    runs(pause, run_replay_pause, options_.pause);
  }

  void declare_resume() {
    CLI::App& resume =
        declare_command(replay_, "resume", "Let a replay go on, or change what it may take",
                        "  kappa replay resume\n  kappa replay resume 4 --max-cpu 2\n");
    ReplayResumeOptions& options = options_.resume;
    generation(resume, options.target.generation, "default: the only replay");
    budget(resume, options.budget);
    target_of(resume, options.target);
    runs(resume, run_replay_resume, options);
  }

  void declare_cancel() {
    CLI::App& cancel =
        declare_command(replay_, "cancel", "End a replay and remove what it has computed",
                        "  kappa replay cancel\n  kappa replay cancel 4\n");
    generation(cancel, options_.cancel.generation, "default: the only one replaying or ready");
    target_of(cancel, options_.cancel);
    runs(cancel, run_replay_cancel, options_.cancel);
  }

  void declare_diff() {
    CLI::App& diff = declare_command(
        replay_, "diff", "Compare the views of a generation with the live ones",
        "  kappa replay diff\n"
        "  kappa replay diff 4 --samples 10 --require-equal revenue_by_channel,best_sellers\n\n"
        "Exit codes: 0 all views are equal, or all that must be; 1 failed; 2 they differ.\n");
    ReplayDiffOptions& options = options_.diff;
    generation(diff, options.target.generation, "default: the only one replaying or ready");
    within(once(diff, "--samples", options.samples, "rows to show of each kind of difference"), 0,
           kSamplesMax);
    require_equal(diff, options.require_equal);
    deadline(diff, options.deadline_s);
    target_of(diff, options.target);
    runs(diff, run_replay_diff, options);
  }

  void declare_swap() {
    CLI::App& swap =
        declare_command(replay_, "swap", "Make a generation that is ready the live one",
                        "  kappa replay swap\n"
                        "  kappa replay swap 4 --require-equal all --yes\n\n"
                        "Without a terminal and without --yes it does nothing, and ends with 2.\n");
    ReplaySwapOptions& options = options_.swap;
    generation(swap, options.target.generation, "default: the only one");
    require_equal(swap, options.require_equal);
    keep_following(swap, options.keep_following);
    flag(swap, "--yes", options.yes, "do it without being asked");
    deadline(swap, options.deadline_s);
    target_of(swap, options.target);
    runs(swap, run_replay_swap, options);
  }

  void declare_rollback() {
    CLI::App& rollback =
        declare_command(replay_, "rollback", "Make what was live before the last swap live again",
                        "  kappa replay rollback\n"
                        "  kappa replay rollback --keep-following --yes\n\n"
                        "Without a terminal and without --yes it does nothing, and ends with 2.\n");
    ReplaySwapOptions& options = options_.rollback;
    keep_following(rollback, options.keep_following);
    flag(rollback, "--yes", options.yes, "do it without being asked");
    deadline(rollback, options.deadline_s);
    target_of(rollback, options.target);
    runs(rollback, run_replay_rollback, options);
  }

  void declare_gc() {
    CLI::App& gc = declare_command(
        replay_, "gc", "Remove retired generations",
        "  kappa replay gc\n"
        "  kappa replay gc --keep 0 --yes\n\n"
        "Without a terminal and without --yes it does nothing, and ends with 2 if there is\n"
        "something to remove.\n");
    ReplayGcOptions& options = options_.gc;
    within(once(gc, "--keep", options.keep, "how many to leave, the last ones"), 0,
           std::numeric_limits<int32_t>::max());
    flag(gc, "--yes", options.yes, "do it without being asked");
    target_of(gc, options.target);
    runs(gc, run_replay_gc, options);
  }

  void declare_apply() {
    CLI::App& apply = declare_command(
        app_, "apply", "Put a product's files in the place of what is live: plan, replay, swap",
        "  kappa apply schemas/playground\n"
        "  kappa apply schemas/playground --auto-approve --require-equal revenue_by_channel\n\n"
        "It shows the plan and asks, replays, shows how views differ and asks, swaps. Without a\n"
        "terminal and without --auto-approve it only shows the plan, and ends with 2 if there are\n"
        "changes. What it has begun goes on if it is broken off; called again it takes that up.\n");
    ApplyOptions& options = options_.apply;
    directory(apply, options.directory);
    flag(apply, "--auto-approve", options.auto_approve, "do all of it without being asked");
    budget(apply, options.budget);
    declare_course(apply, options.course);
    accept_gap(apply, options.course);
    require_equal(apply, options.require_equal);
    keep_following(apply, options.keep_following);
    deadline(apply, options.deadline_s);
    declare_connect(apply, options.connect);
    declare_output(apply, options.output, config_);
    runs(apply, run_apply, options);
  }

  CLI::App& app_;
  CLI::App& replay_;
  ReplayCommands& options_;
  std::string& config_;
  Chosen* chosen_;
};

}  // namespace

void declare_replay_and_apply(CLI::App& app, ReplayCommands& options, std::string& config,
                              Chosen* chosen) {
  ReplayDeclaration(app, options, config, chosen).declare_all();
}

}  // namespace kappa::cli
