#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/log/log.h"
#include "engine/serve/product.h"
#include "engine/serve/resume_token.h"
#include "engine/types/batch.h"
#include "schemas/decoder.h"

namespace kappa::v1 {
class OutputHeader;
class SubscribeResponse;
}  // namespace kappa::v1

namespace kappa::serve {

// An output of a product: what an INSERT INTO writes to a topic.
struct OutputRef {
  Products::Ref product;
  const schemas::Source* table;          // of the product's plan
  std::vector<operators::NodeId> feeds;  // what the INSERTs write

  uint64_t token_scope() const;
  void to_wire(v1::OutputHeader* header) const;
};
// NotFound names the outputs that there are.
absl::StatusOr<OutputRef> find_output(const Products& products, std::string_view product,
                                      std::string_view output);

// Reads an output's topic as events of a stream, partition by partition in turns. One thread at a
// time.
class OutputCursor {
 public:
  // Goes on where the token says, else begins at the beginning or at the end. InvalidArgument: the
  // token is of another output; FailedPrecondition: it tells of more than the topic has.
  static absl::StatusOr<std::unique_ptr<OutputCursor>> open(const log::Log& log, OutputRef output,
                                                            const std::optional<ResumeToken>& token,
                                                            bool from_beginning);

  // Writes the next event: a change, an unreadable record, or what was lost. False: there is none
  // for now.
  absl::StatusOr<bool> next(v1::SubscribeResponse* event);
  // Whether next() has an event without asking the log.
  bool has_event() const { return !events_.empty(); }
  const OutputRef& output() const { return output_; }
  // Another generation's declaration of the same topic, for what is read from now on.
  absl::Status set_output(OutputRef output);
  // Behind the events that next() has written.
  std::vector<Offset> places() const;

 private:
  struct Part {
    std::unique_ptr<log::LogReader> reader;
    Offset next;  // behind what was handed out
  };
  struct Event {
    Offset next;
    std::unique_ptr<v1::SubscribeResponse> message;
    size_t partition;
  };

  OutputCursor(const log::Log& log, OutputRef output);
  TopicPartition partition(size_t index) const;
  absl::Status open_parts(const std::vector<Offset>& from, bool from_beginning);
  absl::StatusOr<Offset> first_offset(size_t index, const std::vector<Offset>& from,
                                      bool from_beginning);
  void add_lagged(size_t index, Offset from, Offset to);
  absl::Status read(size_t index);
  absl::Status skip_lost(size_t index, const absl::Status& why);
  void decode(size_t index, const RecordBlock& block);
  void add_row(size_t index, const RecordView& record, const Batch& rows, size_t row, bool deletes);
  v1::SubscribeResponse* add_event(size_t index, Offset next);

  const log::Log& log_;
  OutputRef output_;
  std::unique_ptr<schemas::Decoder> decoder_;
  std::vector<Part> parts_;
  uint64_t partitions_version_ = 0;  // the log's, when parts_ were opened
  size_t turn_ = 0;
  std::deque<Event> events_;
  // Since when the log has not answered; nothing: it does.
  std::optional<std::chrono::steady_clock::time_point> waiting_since_;
};

}  // namespace kappa::serve
