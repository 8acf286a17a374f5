#include "engine/cli/commands/doctor.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/cli/doctor/checks.h"
#include "engine/cli/table.h"
#include "engine/cli/value_json.h"

namespace kappa::cli {
namespace {

using doctor::Finding;
using doctor::Findings;
using doctor::Severity;
using Json = nlohmann::ordered_json;

std::string severity_text(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kNotice:
      return "notice";
  }
  return "";
}

// On a terminal what and fix are sentences too long for columns.
void print_lines(const Findings& findings) {
  for (const Finding& finding : findings) {
    const Style style = finding.severity == Severity::kError     ? Style::kRed
                        : finding.severity == Severity::kWarning ? Style::kYellow
                                                                 : Style::kDim;
    print(absl::StrCat(styled(style, severity_text(finding.severity)), "  ", finding.check, ": ",
                       finding.what, "\n  fix: ", finding.fix, "\n"));
  }
}

void print_rows(const Findings& findings) {
  Table table;
  table.columns = {{"severity"}, {"check"}, {"what"}, {"fix"}};
  for (const Finding& finding : findings) {
    table.rows.push_back(
        {severity_text(finding.severity), finding.check, finding.what, finding.fix});
  }
  print_table(table);
}

Json to_json(const Findings& findings) {
  Json json = Json::array();
  for (const Finding& finding : findings) {
    json.push_back({{"severity", severity_text(finding.severity)},
                    {"check", finding.check},
                    {"what", finding.what},
                    {"fix", finding.fix}});
  }
  return json;
}

}  // namespace

int run_doctor(const DoctorOptions& options) {
  const auto examined = doctor::examine(options.examine);
  if (!examined.ok()) {
    report(examined.status());
    return kExitUsage;
  }
  const Findings findings = doctor::run_checks(*examined);
  if (options.output == OutputFormat::kJson) {
    print(json_text(to_json(findings)));
  } else if (out_is_terminal()) {
    print_lines(findings);
  } else if (!findings.empty()) {
    print_rows(findings);
  }
  const auto matters = std::count_if(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.severity != Severity::kNotice;
  });
  if (findings.empty()) note("kappa: nothing to mend\n");
  return matters == 0 ? kExitOk : kExitError;
}

}  // namespace kappa::cli
