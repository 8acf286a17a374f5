#include "engine/serve/contract_check.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/types/status_macros.h"

namespace kappa::serve {
namespace {

// What the plan reads, and what is declared and not read; a sink is neither.
std::vector<int> sources_of(const operators::Plan& plan) {
  std::set<int> sinks;
  std::set<int> read;
  for (const operators::PlanNode& node : plan.nodes) {
    if (const auto* output = std::get_if<operators::OutputNode>(&node.op))
      sinks.insert(output->sink);
    if (const auto* input = std::get_if<operators::SourceNode>(&node.op))
      read.insert(input->source);
  }
  std::vector<int> sources;
  for (int i = 0; i < static_cast<int>(plan.sources.size()); ++i) {
    if (read.contains(i) || !sinks.contains(i)) sources.push_back(i);
  }
  return sources;
}

}  // namespace

// One source of one product. A decoder belongs to one thread at a time, so calls that overlap take
// one each.
class ContractCheck::Contract {
 public:
  Contract(Products::Ref product, const schemas::Source& source)
      : product_(std::move(product)), source_(source) {}

  const std::string& topic() const { return source_.topic; }
  const std::string& product() const { return product_->name; }

  absl::StatusOr<std::vector<schemas::Malformed>> check(std::span<const RecordView> records) {
    KAPPA_ASSIGN_OR_RETURN(std::unique_ptr<schemas::Decoder> decoder, take());
    Arena arena;
    schemas::Decoded decoded;
    decoder->decode(records, arena, &decoded);
    give_back(std::move(decoder));
    return std::move(decoded.malformed);
  }

 private:
  absl::StatusOr<std::unique_ptr<schemas::Decoder>> take() {
    {
      std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto decoder = std::move(idle_.back());
        idle_.pop_back();
        return decoder;
      }
    }
    return schemas::make_decoder(source_, {}, product_->files);
  }

  void give_back(std::unique_ptr<schemas::Decoder> decoder) {
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(decoder));
  }

  const Products::Ref product_;
  const schemas::Source& source_;  // of the product's plan
  std::mutex mutex_;
  std::vector<std::unique_ptr<schemas::Decoder>> idle_;
};

ContractCheck::ContractCheck(const Products* products) : products_(products) {}

ContractCheck::~ContractCheck() = default;

std::vector<std::shared_ptr<ContractCheck::Contract>> ContractCheck::contracts_of(
    const std::string& topic) {
  const std::vector<Products::Ref> served = products_->all();
  std::vector<std::shared_ptr<Contract>> matching;
  std::lock_guard lock(mutex_);
  std::erase_if(contracts_, [&](const auto& entry) {
    return std::find(served.begin(), served.end(), entry.first) == served.end();
  });
  for (const Products::Ref& product : served) {
    if (product->reader == nullptr) continue;
    const auto [entry, is_new] = contracts_.try_emplace(product);
    const operators::Plan& plan = product->reader->plan();
    if (is_new) {
      for (const int source : sources_of(plan)) {
        entry->second.push_back(
            std::make_shared<Contract>(product, plan.sources[static_cast<size_t>(source)]));
      }
    }
    for (const auto& contract : entry->second) {
      if (contract->topic() == topic) matching.push_back(contract);
    }
  }
  return matching;
}

absl::StatusOr<std::vector<ContractViolation>> ContractCheck::check(
    const std::string& topic, std::span<const RecordView> records) {
  std::vector<ContractViolation> violations;
  for (const std::shared_ptr<Contract>& contract : contracts_of(topic)) {
    KAPPA_ASSIGN_OR_RETURN(std::vector<schemas::Malformed> malformed, contract->check(records));
    for (schemas::Malformed& one : malformed) {
      violations.push_back({one.record, contract->product(), std::move(one.reason)});
    }
  }
  std::stable_sort(violations.begin(), violations.end(),
                   [](const auto& a, const auto& b) { return a.record < b.record; });
  return violations;
}

}  // namespace kappa::serve
