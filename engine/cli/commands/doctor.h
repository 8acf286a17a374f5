#pragma once

#include "engine/cli/doctor/examine.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

struct DoctorOptions {
  doctor::ExamineOptions examine;
  OutputFormat output = OutputFormat::kTable;
};
// `kappa doctor`: what is wrong or at risk, each with its fix. kExitError if a finding matters.
int run_doctor(const DoctorOptions& options);

}  // namespace kappa::cli
