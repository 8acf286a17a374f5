// Opening: topics, the last checkpoint, the journal's tail.

#include "engine/runtime/live_pipeline.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "engine/log/header_outbox.h"
#include "engine/runtime/patience.h"
#include "engine/types/hash.h"
#include "engine/types/status_macros.h"
#include "state/row_codec.h"

namespace kappa::runtime {

using operators::NodeId;
using operators::PlanNode;

LivePipeline::LivePipeline(operators::Plan plan, schemas::ProductFiles files, log::Log* log,
                           state::StateStore* store, Clock* clock, PipelineOptions options)
    : plan_(std::move(plan)),
      files_(std::move(files)),
      log_(log),
      clock_(clock),
      options_(std::move(options)),
      plan_fingerprint_(operators::fingerprint(plan_)),
      store_(store),
      finals_(operators::final_outputs(plan_)),
      checkpoints_(store),
      watermarks_(plan_),
      pool_(std::max(1u, options_.workers)),
      outbox_(plan_, options_.product, options_.mute_outputs || options_.follow_only),
      header_outbox_(std::make_unique<log::HeaderOutbox>(options_.product, log)),
      delivery_(&checkpoints_, publisher()),
      ahead_tasks_(pool_.workers()),
      follows_(options_.follow_only),
      standing_(options_.stand_still) {}

LivePipeline::~LivePipeline() {
  subscription_.reset();
  stop_ = true;
  turns_.wake();
  if (thread_.joinable()) thread_.join();
  turns_.close();
  parked_.drop(pipeline_ended());
}

log::OutboxPublisher* LivePipeline::publisher() const {
  if (options_.mute_outputs || options_.follow_only) return nullptr;
  return options_.publisher ? options_.publisher : header_outbox_.get();
}

absl::Status LivePipeline::open_at(const std::string& journal_path) {
  KAPPA_ASSIGN_OR_RETURN(flow_,
                         Dataflow::create(plan_, files_, pool_.workers(), options_.on_output));
  views_.resize(plan_.nodes.size());
  for (NodeId view : plan_.views()) {
    views_[view] = std::make_unique<ViewAccess>(plan_, *flow_, view);
  }
  KAPPA_RETURN_IF_ERROR(open_topics());
  KAPPA_ASSIGN_OR_RETURN(journal_, OrderJournal::open(journal_path, !options_.follow_only));
  checkpointer_ = std::make_unique<Checkpointer>(&checkpoints_, log_, journal_.get(), &delivery_,
                                                 options_.product);
  for (std::unique_ptr<Turn>* turn : {&turn_, &ahead_}) {
    *turn = std::make_unique<Turn>(flow_->make_turn());
  }
  state_.source_records.assign(plan_.sources.size(), 0);
  want_outputs();
  KAPPA_RETURN_IF_ERROR(restore());
  want_outputs();
  if (!follows_) said_in_checkpoint_ = said_to();
  if (!standing_) KAPPA_RETURN_IF_ERROR(say_kept());
  last_checkpoint_ms_ = clock_->now().ms;
  if (options_.follow_only) return absl::OkStatus();
  uint64_t all = UINT64_MAX;
  while (true) {
    KAPPA_ASSIGN_OR_RETURN(const bool applied,
                           with_patience(options_.patience, [&] { return apply_next(&all); }));
    if (!applied) break;
  }
  return carries_all() ? absl::OkStatus()
                       : with_patience(options_.patience, [&] { return take_new_partitions(); });
}

// Whether the reader knows all topics that the journal carries on.
bool LivePipeline::carries_all() const {
  std::set<std::string> topics;
  for (size_t p = 0; p < reader_->partitions(); ++p) topics.insert(reader_->partition(p).topic);
  const auto& partitions = journal_->bookmark().partitions;
  return std::all_of(partitions.begin(), partitions.end(),
                     [&](const auto& known) { return topics.contains(known.first.topic); });
}

absl::Status LivePipeline::open_topics() {
  const std::set<std::string> compacted = operators::compacted_topics(plan_);
  for (const std::string& topic : flow_->shape().topics()) {
    const auto known = with_patience(options_.patience, [&] { return log_->topic(topic); });
    if (known.ok()) continue;
    if (!absl::IsNotFound(known.status())) return known.status();
    log::TopicConfig config;
    if (compacted.contains(topic)) config.compacted = true;
    KAPPA_RETURN_IF_ERROR(
        with_patience(options_.patience, [&] { return log_->create_topic(topic, config); }));
  }
  return absl::OkStatus();
}

// A reader of what the plan reads, from these places; of a leader, also of what the journal carries
// on besides.
absl::StatusOr<OrderReader> LivePipeline::open_reader(const std::vector<PartitionPlace>& places) {
  const std::vector<std::string>& topics = flow_->shape().topics();
  KAPPA_ASSIGN_OR_RETURN(OrderReader reader,
                         OrderReader::open(*log_, topics, places, topics_at_rest()));
  reader.expect(joins_);
  if (follows_) return reader;
  std::set<std::string> carried;
  for (const auto& [partition, next] : journal_->bookmark().partitions) {
    carried.insert(partition.topic);
  }
  for (const std::string& topic : topics) carried.erase(topic);
  for (const std::string& topic : carried) {
    KAPPA_RETURN_IF_ERROR(reader.carry(topic, journal_->bookmark()));
  }
  return reader;
}

absl::Status LivePipeline::rewind_to(const Place& place) {
  partitions_version_ = log_->partitions_version();
  KAPPA_ASSIGN_OR_RETURN(
      reader_, with_patience(options_.patience, [&] { return open_reader(place.partitions); }));
  if (place.entry) reader_->resume(*place.entry);
  order_clock_ = place.clock;
  applied_ = read_position();
  return absl::OkStatus();
}

absl::Status LivePipeline::recover_outbox(const log::OutboxHistory& history) {
  if (log::OutboxPublisher* publishes = publisher()) {
    publishes->set_compacted(operators::compacted_topics(plan_));
  }
  return with_patience(options_.patience, [&] { return delivery_.recover(history); });
}

absl::Status LivePipeline::restore() {
  const absl::StatusOr<std::string> stored = checkpoints_.read_place();
  if (absl::IsNotFound(stored.status())) {
    KAPPA_ASSIGN_OR_RETURN(joins_, journal_->joins_ahead());
    KAPPA_RETURN_IF_ERROR(rewind_to(Place{}));
    KAPPA_RETURN_IF_ERROR(recover_outbox({journal_->id(), std::nullopt, 0, {}}));
    show_first_rows();
    return absl::OkStatus();
  }
  KAPPA_RETURN_IF_ERROR(stored.status());
  KAPPA_ASSIGN_OR_RETURN(Place place, decode_place(*stored));
  if (place.plan_fingerprint != plan_fingerprint_) {
    return absl::FailedPreconditionError(absl::StrCat(
        "generation ", options_.generation, " of product ", options_.product,
        " holds the state of another plan (", absl::Hex(place.plan_fingerprint), ", not ",
        absl::Hex(plan_fingerprint_), "): changed logic needs a generation of its own"));
  }
  if (place.journal_id != journal_->id()) {
    return absl::DataLossError(
        absl::StrCat("the last checkpoint of product ", options_.product,
                     " follows another order journal than the one that is there"));
  }
  KAPPA_RETURN_IF_ERROR(journal_->resume(place.journal));
  KAPPA_ASSIGN_OR_RETURN(joins_, journal_->joins_ahead());
  if (place.rest) set_resting(*place.rest);
  watermarks_.restore(place);
  KAPPA_RETURN_IF_ERROR(restore_rows());
  flow_->restored(watermarks_, place.untouched);
  KAPPA_RETURN_IF_ERROR(rewind_to(place));
  const log::OutboxMark mark{checkpoints_.outbox_from(), place.published};
  KAPPA_RETURN_IF_ERROR(recover_outbox({journal_->id(), mark, place.outbox_next, {}}));
  const bool untouched = std::exchange(place.untouched, false);
  state_ = std::move(place);
  if (follows_) state_.final_from.clear();
  if (untouched) show_first_rows();
  return with_patience(options_.patience, [&] { return wake_if_there(); });
}

absl::Status LivePipeline::load_row(state::TableId id, std::string_view key,
                                    std::string_view value) {
  const auto table_of = [&](uint32_t worker) -> state::Table* {
    for (state::Table* table : flow_->tables(worker)) {
      if (table->id() == id) return table;
    }
    return nullptr;
  };
  state::Table* table = table_of(0);
  if (!table) {
    return absl::DataLossError(absl::StrCat("the checkpoint has rows of an operator ",
                                            absl::Hex(id.operator_id),
                                            " that the plan does not have"));
  }
  KAPPA_ASSIGN_OR_RETURN(const uint32_t worker, worker_of_stored(id, table->layout().key(), key));
  return table_of(worker)->load(key, value);
}

absl::StatusOr<uint32_t> LivePipeline::worker_of_stored(state::TableId id,
                                                        const std::vector<state::RowField>& fields,
                                                        std::string_view key) const {
  if (pool_.workers() == 1) return 0;
  Row decoded;
  KAPPA_RETURN_IF_ERROR(state::decode_key(fields, key, &decoded));
  return flow_->worker_of_key(id, decoded);
}

absl::Status LivePipeline::restore_rows() {
  const auto load = [&](state::TableId id, uint32_t, std::string_view key, std::string_view value) {
    return load_row(id, key, value);
  };
  std::set<state::TableId> logs;
  for (operators::Operator* op : flow_->with_events(0)) logs.insert(op->events()->id());
  KAPPA_RETURN_IF_ERROR(checkpoints_.read_rows(load, logs));
  return restore_events(logs);
}

absl::Status LivePipeline::restore_events(const std::set<state::TableId>& logs) {
  std::map<state::TableId, std::vector<operators::Operator*>> by_worker;
  for (uint32_t worker = 0; worker < pool_.workers(); ++worker) {
    for (operators::Operator* op : flow_->with_events(worker)) {
      by_worker[op->events()->id()].push_back(op);
    }
  }
  return checkpoints_.read_events(
      logs, [&](state::TableId log, uint64_t checkpoint, const state::StoredEvent& event) {
        const uint32_t worker = worker_of(event.key_group, pool_.workers());
        return by_worker.at(log)[worker]->load_event(event, checkpoint);
      });
}

Place LivePipeline::place() const {
  Place place = state_;
  place.partitions.clear();
  place.entry.reset();
  place.plan_fingerprint = plan_fingerprint_;
  place.journal_id = journal_->id();
  place.journal = applied_.journal;
  if (applied_.entry) place.entry = *applied_.entry;
  place.clock = applied_.clock;
  for (size_t p = 0; p < applied_.partitions.size(); ++p) {
    const auto& [next, log_time, known_to, known_record] = applied_.partitions[p];
    place.partitions.push_back({reader_->partition(p), next, log_time, known_to, known_record});
  }
  watermarks_.save(&place);
  return place;
}

}  // namespace kappa::runtime
