#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/types/arena.h"
#include "engine/types/batch.h"
#include "engine/types/record.h"
#include "engine/types/value.h"
#include "operators/plan.h"

namespace kappa::runtime {

using Deadline = std::chrono::steady_clock::time_point;

// What an answer is as of: it goes with every answer.
struct Stamp {
  uint32_t generation = 0;
  uint64_t epoch = 0;  // counts this process's epochs, for ordering answers; not durable
  std::vector<std::pair<TopicPartition, Offset>> place;  // next offsets, by topic and partition
  EventTime watermark;                                   // the least of the views it reads
};

// A stable look at some views of one product as of one epoch. Any thread, one at a time. Its rows
// are copied out in slices between epochs, so neither side waits for the other. Destroying it
// releases the pin. Outlived by its pipeline.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual const Stamp& stamp() const = 0;
  // The next rows of a view in no particular order, with the given columns of its schema; empty
  // when there are no more. Strings live in `arena`. DeadlineExceeded, Unavailable (pipeline
  // stopped).
  virtual absl::StatusOr<Batch> next(operators::NodeId view, const std::vector<int>& columns,
                                     Arena& arena) = 0;
  // Lets next() begin with the first rows of a view again.
  virtual absl::Status rewind(operators::NodeId view) = 0;
  // The row of a key, if there is one (all columns of the view's schema).
  virtual absl::StatusOr<std::optional<Row>> get(operators::NodeId view, const Row& key) = 0;
  // Rows of an emit = 'final' view that wait for a watermark, and the least watermark that will
  // show the first of them: the one that the view's window meets, before it takes off its grace.
  struct Waiting {
    uint64_t rows = 0;
    EventTime until;
  };
  virtual absl::StatusOr<Waiting> waiting(operators::NodeId view) = 0;
};

// Reads the views of a running pipeline. Thread-safe.
class ViewReader {
 public:
  virtual ~ViewReader() = default;
  virtual const operators::Plan& plan() const = 0;

  struct Rows {
    Stamp stamp;
    std::vector<std::optional<Row>> rows;  // one a key, in the order asked; all columns
  };
  // Point reads, let in between two epochs, all of one view as of one epoch. `done` is called once,
  // on the pipeline's thread: it hands over and returns. Keys have the types of the view's key
  // columns, in the key's order (ViewNode::key).
  virtual void get(operators::NodeId view, std::vector<Row> keys,
                   std::function<void(absl::StatusOr<Rows>)> done) = 0;
  // A record, and until when it is waited for.
  struct After {
    TopicPartition partition;
    Offset offset;
    Deadline deadline;
  };
  // As get(), once that record has been applied: between the epoch that did it and the next one, or
  // at once. Waiting costs no thread. DeadlineExceeded; ResourceExhausted: too many wait;
  // Unavailable: the pipeline has stopped. A record of a topic that the plan does not read is never
  // applied.
  virtual void get_after(After after, operators::NodeId view, std::vector<Row> keys,
                         std::function<void(absl::StatusOr<Rows>)> done) = 0;
  // What an answer would be as of now, with the least watermark of `nodes`, views or not. As get().
  virtual void stamp_now(std::vector<operators::NodeId> nodes,
                         std::function<void(absl::StatusOr<Stamp>)> done) = 0;
  virtual absl::StatusOr<std::unique_ptr<Snapshot>> pin(std::vector<operators::NodeId> views,
                                                        Deadline deadline) = 0;
};

}  // namespace kappa::runtime
