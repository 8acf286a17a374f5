#pragma once

#include <vector>

#include "engine/log/kafka/client.h"
#include "engine/log/log.h"

namespace kappa::log {

// What the statistics of clients say, as figures: names and meanings are in README.md.
std::vector<LogFigure> figures_of(const std::vector<Client*>& clients);

}  // namespace kappa::log
