#pragma once

#include "engine/cli/connection.h"
#include "engine/runtime/query_executor.h"

// What is said about an answer beside it, on standard error.
namespace kappa::cli {

// That rows of a view wait for a watermark, if some do.
void tell_waiting(const runtime::WaitingRows& waiting, EventTime watermark);
// How many records the answer lacks, if we serve ourselves: then nothing runs that would apply what
// is new in the log.
void tell_lag(Connection& connection);

}  // namespace kappa::cli
