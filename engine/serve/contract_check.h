#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/serve/product.h"
#include "engine/types/record.h"
#include "schemas/decoder.h"

namespace kappa::serve {

// A record that a product declares otherwise.
struct ContractViolation {
  uint32_t record;  // index into the records of the call
  std::string product;
  std::string reason;
};

// Checks payloads against what the served products declare of their topics, with the pipelines' own
// decoders. Only what a decoder decides is checked: whether an event time lies too far in the
// future, say, is known when the record gets its place. Thread-safe.
class ContractCheck {
 public:
  explicit ContractCheck(const Products* products);
  ~ContractCheck();

  // Every payload is followed by kRecordPadding readable bytes. No violation: every product that
  // declares the topic as a source takes every record. An error: a declaration is broken.
  absl::StatusOr<std::vector<ContractViolation>> check(const std::string& topic,
                                                       std::span<const RecordView> records);

 private:
  class Contract;
  std::vector<std::shared_ptr<Contract>> contracts_of(const std::string& topic);

  const Products* const products_;
  std::mutex mutex_;
  std::map<Products::Ref, std::vector<std::shared_ptr<Contract>>> contracts_;
};

}  // namespace kappa::serve
