#include "test/runtime/engine_run.h"

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {

PipelineOptions random_options(model::Dice& dice) {
  static const std::vector<uint32_t> workers{1, 2, 4};
  static const std::vector<uint32_t> limits{1, 7, 4096};
  PipelineOptions options;
  options.workers = dice.pick(workers);
  options.epoch_records_max = dice.pick(limits);
  return options;
}

std::set<std::string> read_topics(const operators::Plan& plan) {
  std::set<std::string> topics;
  for (const operators::PlanNode& node : plan.nodes) {
    const auto* source = std::get_if<operators::SourceNode>(&node.op);
    if (source) topics.insert(plan.sources[static_cast<size_t>(source->source)].topic);
  }
  return topics;
}

EngineRun::EngineRun(const operators::Plan& plan, log::Log* log, std::string journal, Clock* clock,
                     PipelineOptions options)
    : plan_(plan),
      log_(log),
      journal_(std::move(journal)),
      clock_(clock),
      options_(std::move(options)) {}

absl::Status EngineRun::open() {
  KAPPA_ASSIGN_OR_RETURN(pipeline_,
                         Pipeline::open(plan_, {}, log_, &store_, journal_, clock_, options_));
  return absl::OkStatus();
}

absl::Status EngineRun::kill_and_open() {
  pipeline_.reset();
  store_.heal();
  return open();
}

absl::StatusOr<SeenView> EngineRun::view(const std::string& name) {
  const operators::NodeId id = plan_.find_view(name);
  KAPPA_ASSIGN_OR_RETURN(const auto snapshot, pipeline_->pin({id}, Deadline::max()));
  KAPPA_ASSIGN_OR_RETURN(SeenView view, see_view(plan_, *snapshot, name));
  KAPPA_RETURN_IF_ERROR(check_points(id, view.rows));
  return view;
}

absl::Status EngineRun::check_points(operators::NodeId id, const std::vector<Row>& rows) {
  const auto& op = std::get<operators::ViewNode>(plan_.node(id).op);
  if (op.by_record) return absl::OkStatus();
  std::vector<Row> keys;
  for (const Row& row : rows) keys.push_back(key_of(op, row));
  absl::StatusOr<ViewReader::Rows> found = absl::InternalError("not called");
  pipeline_->get(id, keys, [&](absl::StatusOr<ViewReader::Rows> got) { found = std::move(got); });
  KAPPA_RETURN_IF_ERROR(found.status());
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto& point = found->rows[i];
    if (point && model::same_row(*point, rows[i])) continue;
    return absl::InternalError(absl::StrCat("view ", op.name, ": row ", i,
                                            " of a scan is not what its key gives, ",
                                            point ? "another row" : "nothing"));
  }
  return absl::OkStatus();
}

}  // namespace kappa::runtime
