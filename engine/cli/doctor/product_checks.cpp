#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/cli/dead_letters.h"
#include "engine/cli/doctor/checks.h"
#include "engine/types/datetime.h"

namespace kappa::cli::doctor {
namespace {

constexpr int64_t kIntervalsMax = 30;

bool has_work(const serve::ProductInfo& product) {
  return product.stats.outbox_pending > 0 ||
         std::any_of(product.stats.sources.begin(), product.stats.sources.end(),
                     [](const runtime::SourceStats& source) { return source.lag_records > 0; });
}

}  // namespace

void check_products(const Examined& examined, Findings* findings) {
  for (const serve::ProductInfo& product : examined.running) {
    if (product.state == "failed") {
      findings->push_back(
          {Severity::kError, "product",
           absl::StrCat("product ", product.name, " has stopped: ", product.failure),
           "put right what it names and start the server again; it goes on where it "
           "was"});
    } else if (product.state == "restoring") {
      findings->push_back(
          {Severity::kNotice, "product",
           absl::StrCat("product ", product.name, " is restoring and cannot be read yet"),
           "wait; see how far it is with: kappa inspect"});
    }
  }
}

void check_checkpoints(const Examined& examined, Findings* findings) {
  for (const serve::ProductInfo& product : examined.running) {
    // A product that has nothing to do takes none.
    if (product.state != "running" || product.stats.last_checkpoint_ms == 0 || !has_work(product)) {
      continue;
    }
    const int64_t age_ms = examined.now.ms - product.stats.last_checkpoint_ms;
    if (age_ms <= kIntervalsMax * examined.checkpoint_interval_ms) continue;
    findings->push_back(
        {Severity::kWarning, "checkpoint",
         absl::StrCat("product ", product.name, " has work, and its last checkpoint is ",
                      interval_to_text(age_ms * kMicrosPerMilli), " old"),
         "see whether disk and log keep up (the server's output, kappa inspect); outputs wait for "
         "checkpoints, and a restart applies all since then again"});
  }
}

void check_dead_letters(const Examined& examined, Findings* findings) {
  for (const ExaminedTopic& topic : examined.topics) {
    const std::string& name = topic.info.name;
    const bool late = is_late_topic(name);
    if (topic.records() == 0 || (!late && !is_dead_letter_topic(name))) continue;
    findings->push_back(
        {Severity::kWarning, late ? "late rows" : "dead letters",
         absl::StrCat(
             name, " holds ", topic.records(),
             late ? " rows that came too late for the view" : " records that could not be used"),
         absl::StrCat(
             "see why: kappa dlq show ", name,
             late ? "; then give the source more out_of_orderness, or the view grace" : "")});
  }
}

}  // namespace kappa::cli::doctor
