#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/serve/decision_wire.h"
#include "engine/serve/product.h"
#include "schemas/encoder.h"

namespace kappa::v1 {
class Transaction;
}

namespace kappa::serve {

// What FraudService needs of a product, found in it. Immutable.
struct FraudContract {
  struct Latest {
    operators::NodeId view = operators::kNoNode;
    size_t transaction_id = 0;  // column
  };

  Products::Ref product;
  operators::NodeId decisions = operators::kNoNode;
  DecisionColumns columns;
  Latest by_card;
  Latest by_customer;
  operators::NodeId rejected = operators::kNoNode;
  size_t rejected_reason = 0;                     // column
  const schemas::Source* transactions = nullptr;  // of the product's plan
  std::unique_ptr<schemas::RowEncoder> encoder;   // of its records

  runtime::ViewReader& reader() const { return *product->reader; }
  // The record of a transaction. InvalidArgument names the field "transaction.amount" and so on.
  absl::StatusOr<std::string> payload(const v1::Transaction& transaction) const;
};
using FraudContractRef = std::shared_ptr<const FraudContract>;

// FailedPrecondition names what the product lacks.
absl::StatusOr<FraudContractRef> find_fraud_contract(Products::Ref product);

// Keeps what has been found, for as long as the products are the same. Thread-safe.
class FraudContracts {
 public:
  explicit FraudContracts(const Products* products) : products_(products) {}  // borrowed
  // As Products::find_readable() and find_fraud_contract().
  absl::StatusOr<FraudContractRef> find(std::string_view product);
  // Lets go of products that are served no longer as they were.
  void forget();

 private:
  const Products* const products_;
  std::mutex mutex_;
  std::map<std::string, FraudContractRef, std::less<>> found_;
};

}  // namespace kappa::serve
