#include "engine/cli/doctor/checks.h"

#include <algorithm>

namespace kappa::cli::doctor {
namespace {

constexpr Check kChecks[] = {
    check_directory, check_disk,       check_lock,        check_log,          check_topics,
    check_access,    check_partitions, check_retention,   check_old_records,  check_compaction,
    check_clock,     check_products,   check_checkpoints, check_dead_letters, check_open_files,
};

}  // namespace

std::span<const Check> all_checks() {
  return kChecks;
}

Findings run_checks(const Examined& examined) {
  Findings findings;
  for (const Check check : all_checks()) check(examined, &findings);
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity < b.severity; });
  return findings;
}

}  // namespace kappa::cli::doctor
