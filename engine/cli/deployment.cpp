#include "engine/cli/deployment.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/cli/compiled_product.h"
#include "engine/types/datetime.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {
namespace {

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
    const auto different = different_files(live_files(*known).files, product.files);
    if (different.empty()) return absl::OkStatus();
    notices->push_back(absl::StrCat(
        "product ", product.name, ": going on with generation ", known->live_generation,
        " as the catalogue holds it; other files in ", product.directory, ": ",
        absl::StrJoin(different, ", "), " (see what they would change with: kappa plan)"));
    return absl::OkStatus();
  }
  KAPPA_ASSIGN_OR_RETURN(const operators::Plan plan, compile_plan(product));
  state::GenerationInfo info;
  info.id = 1;
  info.state = state::GenerationState::kLive;
  info.plan_fingerprint = operators::fingerprint(plan);
  info.files = product.files;
  info.created = timestamp_to_text(clock_.now().ms * kMicrosPerMilli);
  KAPPA_RETURN_IF_ERROR(replay::make_generation(*directory_, product.name, info, plan));
  state::ProductInfo made;
  made.name = product.name;
  made.live_generation = made.last_generation = info.id;
  made.generations = {std::move(info)};
  return catalogue_.put(std::move(made));
}

absl::Status Deployment::save(const state::ProductInfo& info) {
  const std::lock_guard lock(catalogue_mutex_);
  return catalogue_.put(info);
}

absl::Status Deployment::open_products(bool live_only) {
  // What is opened may change the catalogue from then on.
  const std::vector<state::ProductInfo> all = catalogue_.products();
  for (const state::ProductInfo& info : all) {
    KAPPA_RETURN_IF_ERROR(with_product(info.name, open_product(info, live_only)));
  }
  return absl::OkStatus();
}

absl::Status Deployment::open_product(const state::ProductInfo& info, bool live_only) {
  DeployedProduct product;
  product.name = info.name;
  KAPPA_ASSIGN_OR_RETURN(product.outbox, open_outbox(log_, info.name));
  replay::Surroundings surroundings{info.name, *directory_, *log_.log, clock_, {}, {}, {}};
  surroundings.pipeline.workers = options_.workers;
  surroundings.pipeline.checkpoint_interval_ms = options_.checkpoint_interval_ms;
  surroundings.pipeline.patience = patience_of(log_.choice);
  surroundings.pipeline.publisher = product.outbox.get();
  surroundings.compile =
      [name = info.name](const replay::FileTexts& texts) -> absl::StatusOr<replay::CompiledFiles> {
    ProductFiles files;
    files.name = name;
    files.files = texts;
    KAPPA_ASSIGN_OR_RETURN(operators::Plan plan, compile_plan(files));
    return replay::CompiledFiles{std::move(plan), files.protos()};
  };
  surroundings.make_topics = [this](const operators::Plan& plan) { return make_topics(plan); };
  replay::GenerationsOptions options;
  options.save = [this](const state::ProductInfo& changed) { return save(changed); };
  // The address of what is opened is known once it is.
  const auto opened = std::make_shared<replay::Generations*>(nullptr);
  options.on_live = [this, name = info.name,
                     opened](const std::shared_ptr<replay::Generation>& live) {
    if (tell_live_) tell_live_(served(name, *opened, live));
  };
  KAPPA_ASSIGN_OR_RETURN(
      product.generations,
      replay::Generations::open(std::move(surroundings), info, std::move(options), live_only));
  *opened = product.generations.get();
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
    KAPPA_RETURN_IF_ERROR(with_product(product.name, product.generations->start()));
  }
  return absl::OkStatus();
}

void Deployment::interrupt() {
  for (DeployedProduct& product : products_) product.generations->interrupt();
}

absl::Status Deployment::stop() {
  absl::Status first;
  for (DeployedProduct& product : products_) {
    first.Update(with_product(product.name, product.generations->stop()));
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

serve::ServedProduct Deployment::served(const std::string& name, replay::Generations* generations,
                                        const std::shared_ptr<replay::Generation>& live) {
  serve::ServedProduct entry;
  entry.name = name;
  entry.generation = live->id;
  entry.reader = live->pipeline.get();
  entry.owner = live;
  entry.generations = generations;
  entry.files = live->protos;
  // These are called through the entry, which owns the generation.
  runtime::Pipeline* pipeline = live->pipeline.get();
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
  return entry;
}

std::vector<serve::ServedProduct> Deployment::served() {
  std::vector<serve::ServedProduct> all;
  for (DeployedProduct& product : products_) {
    all.push_back(served(product.name, product.generations.get(), product.live()));
  }
  return all;
}

absl::Status Deployment::failure() const {
  for (const DeployedProduct& product : products_) {
    const absl::Status failure = product.live()->pipeline->stats().failure;
    if (absl::IsDeadlineExceeded(failure)) continue;  // it is busy, and says so another time
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
