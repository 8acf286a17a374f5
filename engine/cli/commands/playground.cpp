#include "engine/cli/commands/playground.h"

#include <filesystem>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "engine/cli/playground/embedded_product.h"
#include "engine/cli/playground/generator.h"
#include "engine/cli/playground/summary.h"
#include "engine/cli/stop_signal.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {
namespace {

using playground::Generator;
using playground::Look;
using playground::Schedule;
using playground::Summary;

constexpr int64_t kLookMs = 1000;
constexpr int64_t kShortLookMs = 50;  // while the end of a run of --records is near

ProductFiles embedded_product() {
  ProductFiles product;
  product.name = "playground";
  product.directory = "kappa playground";
  product.files = playground::embedded_files();
  return product;
}

std::string own_directory() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path().string();
}

// A playground that runs: service, generator and what the terminal shows of them.
class Playground {
 public:
  explicit Playground(const PlaygroundOptions& options) : options_(options) {}

  absl::Status start(StopSignal& signal) {
    KAPPA_ASSIGN_OR_RETURN(service_,
                           Service::start(options_.service, {embedded_product()}, signal));
    KAPPA_ASSIGN_OR_RETURN(schedule_, Schedule::open(data() + "/playground.json", options_.seed));
    KAPPA_ASSIGN_OR_RETURN(
        generator_,
        Generator::open(&schedule_, &service_->deployment().log(), &service_->deployment().clock(),
                        {.rate = options_.rate, .records_max = options_.records}));
    summary_ = std::make_unique<Summary>(*service_, *generator_);
    print_ready();
    generator_->start();
    return absl::OkStatus();
  }

  // Until a signal, a failure, or the end of what was to be generated.
  absl::Status run(StopSignal& signal) {
    for (;;) {
      if (signal.wait(options_.records > 0 ? kShortLookMs : kLookMs)) return absl::OkStatus();
      KAPPA_RETURN_IF_ERROR(service_->failure());
      KAPPA_RETURN_IF_ERROR(generator_->failure());
      const bool all_generated = generator_->done();  // asked first: what follows knows of all
      const Look look = summary_->look();
      show(look);
      if (all_generated && look.lag_records == 0) return absl::OkStatus();
    }
  }

  absl::Status stop() {
    if (generator_) generator_->stop();
    return service_ ? service_->stop() : absl::OkStatus();
  }

 private:
  const std::string& data() const { return options_.service.deployment.data; }
  bool json() const { return options_.output == OutputFormat::kJson; }

  void print_ready() const {
    if (json()) {
      nlohmann::ordered_json ready;
      ready["event"] = "ready";
      ready["pid"] = getpid();
      ready["data"] = data();
      ready["grpc"] = service_->grpc_address();
      ready["http"] = service_->http_address();
      ready["events"] = generator_->records_in_log();
      return print(ready.dump() + "\n");
    }
    const int64_t before = generator_->records_in_log();
    const std::string since =
        before == 0 ? "a new one" : absl::StrCat("going on after ", before, " events");
    const std::string http = service_->http_address();
    print(absl::StrCat(
        styled(Style::kBold, "OmniShop is open."), " ", options_.rate, " events a second, seed ",
        options_.seed, ", in ", data(), " (", since, ")\n\n", "  gRPC       ",
        service_->grpc_address(), "\n",
        http.empty() ? "" : absl::StrCat("  HTTP       http://", http, "/metrics\n"), "\n",
        "Paste this into another terminal, then look around:\n\n", "  export PATH=\"",
        own_directory(), ":$PATH\" KAPPA_SERVER=", service_->grpc_address(), "\n\n",
        "  kappa query \"SELECT * FROM revenue_by_channel\"\n",
        "  kappa query \"SELECT * FROM suspicious_cards ORDER BY window_start DESC LIMIT 10\"\n",
        "  kappa consume fraud-alerts --follow\n\n",
        "Ctrl-C ends it. Started again, it goes on where it was.\n\n"));
  }

  void show(const Look& look) {
    if (json()) return print(to_json(look) + "\n");
    if (!out_is_terminal()) return;
    // Back to the first line of the last picture; each line is cleared before it is painted.
    std::string picture = painted_ > 0 ? absl::StrCat("\x1b[", painted_, "A") : "";
    const std::vector<std::string> lines = playground::to_lines(look, terminal_width());
    for (const std::string& line : lines) absl::StrAppend(&picture, "\x1b[2K", line, "\n");
    for (size_t i = lines.size(); i < painted_; ++i) picture += "\x1b[2K\n";
    painted_ = std::max(painted_, lines.size());
    print(picture);
  }

  const PlaygroundOptions& options_;
  std::unique_ptr<Service> service_;
  Schedule schedule_;
  std::unique_ptr<Generator> generator_;
  std::unique_ptr<Summary> summary_;
  size_t painted_ = 0;  // lines of the picture on the terminal
};

}  // namespace

int run_playground(const PlaygroundOptions& options) {
  if (options.rate < 1 || options.rate > 1'000'000) {
    report(absl::StrCat("--rate ", options.rate, ": expected 1 to 1000000 events a second"));
    return kExitUsage;
  }
  StopSignal signal;
  Playground playground(options);
  absl::Status status = playground.start(signal);
  if (status.ok()) status = playground.run(signal);
  const absl::Status stopped = playground.stop();
  if (status.ok()) status = stopped;
  return status.ok() ? kExitOk : report(status);
}

}  // namespace kappa::cli
