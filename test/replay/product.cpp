#include "test/replay/product.h"

#include <filesystem>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "engine/sql/catalog.h"
#include "engine/types/status_macros.h"
#include "test/pipeline/test_product.h"

namespace kappa::replay {

using test::require_ok;
using test::wait_for;

namespace {

constexpr char kProduct[] = "default";

absl::StatusOr<CompiledFiles> compile(const FileTexts& files) {
  auto compiled = sql::compile_product({{"product.sql", files.at("product.sql")}}, files);
  if (!compiled.ok()) return sql::to_status(compiled.diagnostics);
  return CompiledFiles{std::move(compiled.plan), {}};
}

}  // namespace

FileTexts files_of(const std::string& sql) {
  return {{"product.sql", sql}};
}

ShopProduct::ShopProduct(const std::string& directory, const std::string& sql,
                         std::optional<int64_t> retention_ms)
    : shop(directory, retention_ms), directory_(directory + "/data") {
  open();
  if (catalogue_.find(kProduct)) {
    reopen();
    return;
  }
  const auto files = compile(files_of(sql));
  require_ok(files.status());
  state::GenerationInfo info;
  info.id = 1;
  info.plan_fingerprint = operators::fingerprint(files->plan);
  info.files = files_of(sql);
  require_ok(make_generation(*data_, kProduct, info, files->plan));
  require_ok(catalogue_.put({kProduct, 1, {info}, 0, 1}));
  reopen();
}

ShopProduct::~ShopProduct() {
  close();
}

void ShopProduct::open() {
  auto locked = state::DataDirectory::lock(directory_, "test");
  require_ok(locked.status());
  data_ = *std::move(locked);
  auto catalogue = state::Catalogue::open(directory_);
  require_ok(catalogue.status());
  catalogue_ = *std::move(catalogue);
  outbox_ = std::make_unique<log::HeaderOutbox>(kProduct, shop.log.get());
}

void ShopProduct::close() {
  {
    const std::lock_guard lock(mutex_);
    served_.reset();
  }
  generations_.reset();
  data_.reset();
}

void ShopProduct::reopen() {
  close();
  open();
  Surroundings surroundings{kProduct, *data_, *shop.log, shop.clock, {}, compile, {}};
  surroundings.pipeline.epoch_records_max = 32;
  surroundings.pipeline.checkpoint_interval_ms = 1;
  surroundings.pipeline.publisher = outbox_.get();
  surroundings.make_topics = [](const operators::Plan&) { return absl::OkStatus(); };
  GenerationsOptions options;
  options.save = [this](const state::ProductInfo& info) {
    if (--save_fails_in == 0) return absl::ResourceExhaustedError("the disk is full");
    return catalogue_.put(info);
  };
  options.on_live = [this](const std::shared_ptr<Generation>& live) {
    const std::lock_guard lock(mutex_);
    served_ = live;
  };
  auto opened =
      Generations::open(surroundings, *catalogue_.find(kProduct), std::move(options), false);
  require_ok(opened.status());
  generations_ = *std::move(opened);
  require_ok(generations_->start());
  const std::lock_guard lock(mutex_);
  served_ = generations_->live();
}

std::shared_ptr<Generation> ShopProduct::served() const {
  const std::lock_guard lock(mutex_);
  return served_;
}

serve::GenerationStatus ShopProduct::status(uint32_t generation) {
  for (const serve::GenerationStatus& status : generations_->generations()) {
    if (status.id == generation) return status;
  }
  FAIL("there is no generation " << generation);
  return {};
}

std::string ShopProduct::path(uint32_t generation) const {
  return data_->generation_path(kProduct, generation);
}

std::string ShopProduct::journal() const {
  return data_->journal_path(kProduct);
}

uint32_t ShopProduct::replay(const std::string& sql, const serve::ReplayBudget& budget) {
  serve::ReplayRequest request{files_of(sql), budget, {}};
  const auto* live = catalogue_.find(kProduct);
  request.recompute_all = live->find(live->live_generation)->files == request.files;
  return replay(request);
}

uint32_t ShopProduct::replay(const serve::ReplayRequest& request) {
  const auto started = generations_->start_replay(request);
  require_ok(started.status());
  return *started;
}

void ShopProduct::wait_until_ready(uint32_t generation) {
  wait_for([&] { return status(generation).state == state::GenerationState::kReady; });
}

void ShopProduct::wait_until_applied() {
  wait_for([&] { return served()->pipeline->stats().records == static_cast<uint64_t>(shop.hits); });
}

void ShopProduct::wait_until_applied(uint32_t generation) {
  wait_for([&] { return status(generation).records == static_cast<uint64_t>(shop.hits); });
}

}  // namespace kappa::replay
