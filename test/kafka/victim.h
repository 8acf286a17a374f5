#pragma once

#include <memory>
#include <string>
#include <vector>

#include "test/state/child_process.h"
#include "test/state/temporary_directory.h"

namespace kappa::test {

// A product that reads an embedded log, filled by and by, and publishes to Kafka, in a process of
// its own that may be killed. In the end, what readers with read_committed see is what an
// undisturbed run gives, each record once; and so is the state.
class Victim {
 public:
  explicit Victim(std::string broker);

  // Starts it: it publishes until all is published, says "published CHECKSUM" and ends. It dies at
  // a failpoint ("NAME:TIMES"), if one is named.
  std::unique_ptr<state::ChildProcess> start(const std::string& failpoint = "") const;
  // Lets it run to its end, and compares what there is then.
  void finish_and_check() const { check_end_of(*start()); }
  void check_end_of(state::ChildProcess& last) const;

 private:
  void check_topic(const std::string& topic, size_t expected) const;
  // The changelog is what an undisturbed run has written, record by record, and comes to the view.
  void check_changelog(const std::vector<std::string>& undisturbed) const;

  std::string broker_;
  std::string name_;
  state::TemporaryDirectory directory_;
};

}  // namespace kappa::test
