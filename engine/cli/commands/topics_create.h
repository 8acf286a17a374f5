#pragma once

#include "engine/cli/commands/topics.h"

namespace kappa::cli {

// `kappa topics create --product DIR…`: shows the topics that the products need beside those that
// the log has, asks, and makes what is missing. Topics that differ are named and left as they are.
// kExitUsage: there is something to make, nobody to be asked, and no --yes.
int create_topics(const TopicsOptions& options);

}  // namespace kappa::cli
