#pragma once

#include "absl/status/statusor.h"
#include "engine/serve/generations.h"

namespace kappa::v1 {
class CompareGenerationsResponse;
class Generation;
class ReplayBudget;
class ReplayStart;
class SwapReport;
}  // namespace kappa::v1

// Between generations.h and the messages of schemas/kappa/v1/replay.proto.
namespace kappa::serve {

// `wire` is empty before.
void to_wire(const ReplayBudget& budget, v1::ReplayBudget* wire);
void to_wire(const GenerationStatus& status, v1::Generation* wire);
void to_wire(const Comparison& comparison, v1::CompareGenerationsResponse* wire);
void to_wire(const SwapReport& report, v1::SwapReport* wire);

ReplayBudget from_wire(const v1::ReplayBudget& wire);
void to_wire(const state::ReplayStart& start, v1::ReplayStart* wire);
state::ReplayStart from_wire(const v1::ReplayStart& wire);
// A failure comes back with its message, as Unknown.
GenerationStatus from_wire(const v1::Generation& wire);
// InvalidArgument: a row does not fit its columns, which no server of ours sends.
absl::StatusOr<Comparison> from_wire(const v1::CompareGenerationsResponse& wire);
SwapReport from_wire(const v1::SwapReport& wire);

}  // namespace kappa::serve
