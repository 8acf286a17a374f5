#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "engine/runtime/epoch.h"
#include "engine/runtime/place.h"
#include "operators/operator.h"
#include "operators/plan.h"

namespace kappa::runtime {

// The watermark of every node over the present epoch, and what is left of it between epochs.
//
// A source's: the largest event time so far, less its bound; ticks move it on while it is silent,
// an end mark to the end of time. What comes into a union, a relation join or an interval join: the
// least over its inputs, but for those that were silent while another advanced by kIdleAfterMs of
// log time; it never falls. What comes into a lookup: its left input's. A windowed aggregate passes
// its watermark on less its grace, an interval join less its bounds. Everybody else passes on what
// comes in. Nodes that rest (Place) stay where they are.
class Watermarks {
 public:
  static constexpr int64_t kIdleAfterMs = 60'000;

  explicit Watermarks(const operators::Plan& plan);  // outlives this

  // From and into a checkpoint.
  void restore(const Place& place);
  void save(Place* place) const;
  // Those that rest go on; between epochs.
  void wake();

  // ---- one epoch, in this order ----------------------------------------------------------------

  // Coordinator: makes room for the epoch's places.
  void begin(const Epoch& epoch);
  // Workers, each for its own places: the event times that source `source` shows, by place.
  void show(int source, std::span<const uint32_t> places, std::span<const int64_t> event_times_us);
  // Coordinator: computes all tracks.
  void compute(const Epoch& epoch);
  // The track of what the node gives out; of its input, or of all of them: input_track().
  const operators::WatermarkTrack& track(operators::NodeId node) const { return *tracks_[node]; }
  const operators::WatermarkTrack& input_track(operators::NodeId node) const;
  // The track of a join's right input; null if the node is none.
  const operators::WatermarkTrack* right_track(operators::NodeId node) const;

  // ---- between epochs --------------------------------------------------------------------------

  int64_t current(operators::NodeId node) const;
  int64_t input_current(operators::NodeId node) const;
  // By which the rows that the node holds expire: that of its input, of a lookup its right one.
  int64_t expiry_current(operators::NodeId node) const;
  // Of a source by itself.
  int64_t source_watermark(int source) const;
  // Whether a tick at `clock` would move some source's watermark.
  bool tick_due(LogTime clock) const;

 private:
  struct Source {
    bool used = false;
    bool rests = false;
    SourceClock clock;
    // By track index. What the next epoch's records show; begin() fills it while others still read
    // the track of the present one.
    std::vector<int64_t> shown;
    std::shared_ptr<operators::WatermarkTrack> track =
        std::make_shared<operators::WatermarkTrack>();
    // Log times of the first record and the last: only where a union asks.
    std::vector<int64_t> first_record_ms;
    std::vector<int64_t> last_record_ms;
  };

  void compute_all();
  const Rest::Node* resting(operators::NodeId node) const;
  void compute_source(size_t source, const Epoch& epoch);
  void compute_node(const operators::PlanNode& node, const Epoch& epoch);
  void compute_merged(const operators::PlanNode& node, const Epoch& epoch);
  // The track less `held_back_us`.
  static std::shared_ptr<const operators::WatermarkTrack> behind(
      const std::shared_ptr<const operators::WatermarkTrack>& track, int64_t held_back_us);
  // By track index: log time of the earliest first record of the sources that feed a node;
  // kNoLogTime before there is one.
  std::vector<int64_t> start(operators::NodeId node, size_t places) const;
  // By track index: log time of the last record of the sources that feed a node; before the first,
  // `start_ms`.
  std::vector<int64_t> activity(operators::NodeId node, std::vector<int64_t> start_ms) const;
  std::vector<size_t> sources_of(operators::NodeId node) const;

  const operators::Plan& plan_;
  bool merges_ = false;  // some node has a merged watermark
  std::vector<Source> sources_;
  std::vector<std::shared_ptr<const operators::WatermarkTrack>> tracks_;  // by node
  std::vector<int64_t> current_;                                          // by node
  // By node, where several inputs were merged: of what comes in.
  std::vector<std::shared_ptr<const operators::WatermarkTrack>> merged_;
  std::vector<int64_t> merged_current_;
  std::map<uint32_t, Rest::Node> resting_;  // by node
};

}  // namespace kappa::runtime
