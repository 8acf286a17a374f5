#pragma once

#include "engine/cli/doctor/examined.h"
#include "engine/cli/log_choice.h"

namespace kappa::cli::doctor {

// Asks Kafka's brokers whether they let the products of `examined` do what they do: read sources,
// write outputs, dead letters and late rows, make what is not there, publish in transactions. Fills
// in what they refuse. What cannot be told is no refusal. `choice` is Kafka.
absl::Status examine_access(const LogChoice& choice, Examined* examined);

}  // namespace kappa::cli::doctor
