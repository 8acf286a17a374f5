#pragma once

#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/runtime/epoch.h"
#include "engine/runtime/order_reader.h"
#include "engine/types/batch.h"
#include "operators/operator.h"
#include "operators/plan.h"
#include "schemas/decoder.h"
#include "schemas/record_column.h"

namespace kappa::runtime {

// Turns a source's records into rows, on one worker. A record whose payload is malformed, that has
// no event time, or whose event time lies further ahead of its log time than max_future, yields
// none and is dead-lettered before it touches a watermark. Of mode 'upsert' a record without a
// payload is a row with the sign -1, which shows the watermark nothing.
class SourceStep {
 public:
  // `node` is the plan's SourceNode. Plan outlives this.
  static absl::StatusOr<std::unique_ptr<SourceStep>> create(const operators::Plan& plan,
                                                            operators::NodeId node,
                                                            const schemas::ProductFiles& files);

  // The rows of `records`, places ascending; strings live as long as the epoch's blocks and
  // `arena`.
  Batch decode(std::span<const RecordSpan> records, const Epoch& epoch, const OrderReader& reader,
               Arena& arena, std::vector<operators::SideRow>* side);
  // Of the last decode(): what its rows show to the watermark.
  std::span<const int64_t> event_times_us() const { return event_times_us_; }
  std::span<const uint32_t> places() const { return row_places_; }
  operators::NodeId node() const { return node_; }
  int source() const { return op_.source; }

 private:
  SourceStep(const operators::Plan& plan, operators::NodeId node);
  void take(std::span<const RecordSpan> spans);
  void refuse(RowPlace place, std::string reason, std::vector<operators::SideRow>* side) const;
  bool all_in_time(const Epoch& epoch, const Batch& batch) const;
  void refuse_times(const Epoch& epoch, std::vector<operators::SideRow>* side, Batch* batch);
  std::string reason_against(size_t row, int64_t known_at_us) const;

  operators::NodeId node_;
  const operators::SourceNode& op_;
  const schemas::Source& source_;
  int event_time_ = -1;  // index into the decoded columns
  size_t columns_;       // of the node's schema; an event time that it lacks is decoded beside them
  std::unique_ptr<schemas::Decoder> decoder_;
  // Of the last decode(): the records one by one, and their places.
  std::vector<const RecordView*> records_;
  std::vector<uint32_t> record_places_;
  schemas::Decoded decoded_;
  std::vector<schemas::RecordColumn> of_record_;  // wanted, behind the decoder's columns
  std::vector<int64_t> event_times_us_;
  std::vector<uint8_t> has_no_time_;  // 1 for rows whose event time is NULL; empty: none
  std::vector<uint32_t> row_places_;
};

}  // namespace kappa::runtime
