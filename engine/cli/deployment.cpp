#include "engine/cli/deployment.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/cli/compiled_product.h"
#include "engine/types/datetime.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {
namespace {

std::string plan_text(const operators::Plan& plan) {
  std::string text;
  for (const operators::PlanNode& node : plan.nodes) {
    absl::StrAppend(&text, "#", node.id, " ", operators::describe(plan, node), "\n");
  }
  return text;
}

const state::GenerationInfo* live_generation(const state::ProductInfo& info) {
  for (const state::GenerationInfo& generation : info.generations) {
    if (generation.id == info.live_generation) return &generation;
  }
  return nullptr;
}

absl::Status with_product(const std::string& name, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat("product ", name, ": ", status.message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Deployment>> Deployment::open(DeploymentOptions options) {
  std::unique_ptr<Deployment> deployment(new Deployment(std::move(options)));
  const DeploymentOptions& given = deployment->options_;
  KAPPA_ASSIGN_OR_RETURN(deployment->directory_,
                         state::DataDirectory::lock(given.data, given.command));
  KAPPA_ASSIGN_OR_RETURN(deployment->catalogue_, state::Catalogue::open(given.data));
  log::EmbeddedLogOptions log_options;
  log_options.fsync = given.fsync;
  log_options.clock = &deployment->clock_;
  const bool has_products = !deployment->catalogue_.products().empty();
  KAPPA_ASSIGN_OR_RETURN(deployment->log_,
                         open_log(given.log, *deployment->directory_, has_products, log_options));
  return deployment;
}

Deployment::~Deployment() = default;

absl::Status Deployment::apply(const ProductFiles& product, std::vector<std::string>* notices) {
  if (const state::ProductInfo* known = catalogue_.find(product.name)) {
    const state::GenerationInfo* live = live_generation(*known);
    const auto different =
        different_files(live ? live->files : std::map<std::string, std::string>{}, product.files);
    if (different.empty()) return absl::OkStatus();
    notices->push_back(absl::StrCat(
        "product ", product.name, ": going on with generation ", known->live_generation,
        " as the catalogue holds it; other files in ", product.directory, ": ",
        absl::StrJoin(different, ", "), " (see what they would change with: kappa plan)"));
    return absl::OkStatus();
  }
  KAPPA_ASSIGN_OR_RETURN(const operators::Plan plan, compile_plan(product));
  state::GenerationManifest manifest;
  manifest.plan_fingerprint = operators::fingerprint(plan);
  manifest.plan_text = plan_text(plan);
  manifest.journal = "journal";
  manifest.start = "earliest";
  const uint32_t generation = 1;
  const std::string path = directory_->generation_path(product.name, generation);
  const auto created = state::create_generation(path, manifest);
  // One that a crash left between the directory and the catalogue is taken over if it is the same.
  if (absl::IsAlreadyExists(created.status())) {
    KAPPA_ASSIGN_OR_RETURN(const auto left, state::read_manifest(path));
    if (!(left == manifest)) KAPPA_RETURN_IF_ERROR(created.status());
  } else if (!created.ok()) {
    return created.status();
  }
  state::GenerationInfo info;
  info.id = generation;
  info.state = state::GenerationState::kLive;
  info.plan_fingerprint = manifest.plan_fingerprint;
  info.files = product.files;
  info.created = timestamp_to_text(clock_.now().ms * kMicrosPerMilli);
  return catalogue_.put({product.name, generation, {info}});
}

absl::Status Deployment::open_products() {
  for (const state::ProductInfo& info : catalogue_.products()) {
    KAPPA_RETURN_IF_ERROR(with_product(info.name, open_product(info)));
  }
  return absl::OkStatus();
}

absl::Status Deployment::open_product(const state::ProductInfo& info) {
  const state::GenerationInfo* live = live_generation(info);
  if (!live) return absl::DataLossError("the catalogue does not hold its live generation");
  ProductFiles files;
  files.name = info.name;
  files.files = live->files;
  KAPPA_ASSIGN_OR_RETURN(operators::Plan plan, compile_plan(files));
  if (operators::fingerprint(plan) != live->plan_fingerprint) {
    return absl::FailedPreconditionError(
        absl::StrCat("this version of kappa plans it otherwise than the one that made generation ",
                     live->id, "; run that version, or start again with another --data"));
  }
  KAPPA_RETURN_IF_ERROR(make_topics(plan));
  DeployedProduct product;
  product.name = info.name;
  product.generation = live->id;
  product.files = files.protos();
  KAPPA_ASSIGN_OR_RETURN(state::OpenGeneration generation,
                         state::open_generation(directory_->generation_path(info.name, live->id)));
  product.store = std::move(generation.store);
  runtime::PipelineOptions options;
  options.product = info.name;
  options.generation = live->id;
  options.workers = options_.workers;
  options.checkpoint_interval_ms = options_.checkpoint_interval_ms;
  KAPPA_ASSIGN_OR_RETURN(product.outbox, open_outbox(log_, info.name));
  options.publisher = product.outbox.get();
  options.patience = patience_of(log_.choice);
  KAPPA_ASSIGN_OR_RETURN(
      product.pipeline,
      runtime::Pipeline::open(std::move(plan), product.files, log_.log.get(), product.store.get(),
                              directory_->journal_path(info.name), &clock_, options));
  products_.push_back(std::move(product));
  return absl::OkStatus();
}

absl::Status Deployment::make_topics(const operators::Plan& plan) {
  const runtime::Patience patience = patience_of(log_.choice);
  std::set<int> sinks;
  for (const operators::PlanNode& node : plan.nodes) {
    if (const auto* output = std::get_if<operators::OutputNode>(&node.op)) {
      sinks.insert(output->sink);
    }
  }
  for (size_t i = 0; i < plan.sources.size(); ++i) {
    const std::string& topic = plan.sources[i].topic;
    const absl::Status there =
        runtime::with_patience(patience, [&] { return log_.log->topic(topic).status(); });
    if (there.ok()) continue;
    if (!absl::IsNotFound(there)) return there;
    log::TopicConfig config;
    config.partitions = sinks.contains(static_cast<int>(i)) ? 1 : options_.partitions;
    if (plan.sources[i].upsert) config.compacted = true;
    KAPPA_RETURN_IF_ERROR(
        runtime::with_patience(patience, [&] { return log_.log->create_topic(topic, config); }));
  }
  return absl::OkStatus();
}

absl::Status Deployment::start() {
  started_ = true;
  for (DeployedProduct& product : products_) {
    KAPPA_RETURN_IF_ERROR(with_product(product.name, product.pipeline->start()));
  }
  return absl::OkStatus();
}

absl::Status Deployment::stop() {
  absl::Status first;
  for (DeployedProduct& product : products_) {
    first.Update(with_product(product.name, product.pipeline->stop()));
  }
  return first;
}

absl::StatusOr<DeployedProduct*> Deployment::find(const std::string& name) {
  std::vector<std::string> names;
  for (DeployedProduct& product : products_) {
    if (product.name == name || (name.empty() && products_.size() == 1)) return &product;
    names.push_back(product.name);
  }
  if (names.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no product has been started in ", options_.data,
                     " yet: kappa serve --product DIR, or kappa playground"));
  }
  if (name.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "there are several products; name one with --product: ", absl::StrJoin(names, ", ")));
  }
  return absl::NotFoundError(
      absl::StrCat("there is no product ", name, "; there are ", absl::StrJoin(names, ", ")));
}

std::vector<serve::ServedProduct> Deployment::served() {
  std::vector<serve::ServedProduct> served;
  for (DeployedProduct& product : products_) {
    runtime::Pipeline* pipeline = product.pipeline.get();
    serve::ServedProduct entry;
    entry.name = product.name;
    entry.generation = product.generation;
    entry.reader = pipeline;
    entry.stats = [pipeline] { return pipeline->stats(); };
    entry.checksum = [pipeline]() -> absl::StatusOr<std::string> {
      KAPPA_ASSIGN_OR_RETURN(const std::string dump, pipeline->canonical_dump());
      return checksum_of_dump(dump);
    };
    entry.complete = [this, pipeline](runtime::Deadline deadline) -> absl::Status {
      if (started_) return pipeline->complete_live(deadline);
      KAPPA_RETURN_IF_ERROR(pipeline->advance());
      KAPPA_RETURN_IF_ERROR(pipeline->complete());
      return pipeline->checkpoint();
    };
    entry.files = product.files;
    served.push_back(std::move(entry));
  }
  return served;
}

absl::Status Deployment::failure() const {
  for (const DeployedProduct& product : products_) {
    const absl::Status failure = product.pipeline->stats().failure;
    if (!failure.ok()) return with_product(product.name, failure);
  }
  return absl::OkStatus();
}

std::string checksum_of_dump(const std::string& dump) {
  const std::string marker = "checksum ";
  const size_t at = dump.rfind(marker);
  if (at == std::string::npos) return "";
  const size_t begin = at + marker.size();
  return dump.substr(begin, dump.find('\n', begin) - begin);
}

}  // namespace kappa::cli
