#include "engine/serve/product.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/serve/api_error.h"
#include "engine/types/text.h"

namespace kappa::serve {
namespace {

std::string quoted(std::string_view name) {
  return absl::StrCat("\"", to_absl(name), "\"");
}

std::vector<std::string> names_of(const std::vector<Products::Ref>& products) {
  std::vector<std::string> names;
  names.reserve(products.size());
  for (const Products::Ref& product : products) names.push_back(product->name);
  return names;
}

absl::Status unknown_product(std::string_view name, const std::vector<std::string>& served) {
  const std::string known = served.empty() ? "none is served" : absl::StrJoin(served, ", ");
  return with_reason(
      absl::NotFoundError(absl::StrCat("there is no product ", quoted(name), "; served: ", known)),
      "PRODUCT_NOT_FOUND", {{"product", std::string(name)}});
}

absl::Status unknown_view(const ServedProduct& product, std::string_view name) {
  const operators::Plan& plan = product.reader->plan();
  std::vector<std::string> views;
  for (const operators::NodeId id : plan.views()) {
    views.push_back(std::get<operators::ViewNode>(plan.node(id).op).name);
  }
  const std::string nearest = closest_name(name, views);
  std::string hint;
  if (!nearest.empty()) {
    hint = absl::StrCat("; did you mean ", quoted(nearest), "?");
  } else if (!views.empty()) {
    views.resize(std::min<size_t>(views.size(), 20));
    hint = absl::StrCat("; views: ", absl::StrJoin(views, ", "));
  }
  return with_reason(absl::NotFoundError(absl::StrCat("there is no view ", quoted(name),
                                                      " in product ", product.name, hint)),
                     "VIEW_NOT_FOUND", {{"product", product.name}, {"view", std::string(name)}});
}

}  // namespace

ProductCondition condition_of(const ServedProduct& product) {
  if (!product.failure.ok()) return {ProductState::kFailed, product.failure};
  if (product.reader == nullptr) return {ProductState::kRestoring, absl::OkStatus()};
  if (!product.stats) return {ProductState::kRunning, absl::OkStatus()};
  absl::Status failure = product.stats().failure;
  // DeadlineExceeded: it is busy.
  if (failure.ok() || absl::IsDeadlineExceeded(failure)) {
    return {ProductState::kRunning, absl::OkStatus()};
  }
  return {ProductState::kFailed, std::move(failure)};
}

Products::Products(std::vector<ServedProduct> products) {
  for (ServedProduct& product : products) set(std::move(product));
}

void Products::set(ServedProduct product) {
  auto ref = std::make_shared<const ServedProduct>(std::move(product));
  {
    std::lock_guard lock(mutex_);
    const auto present = std::find_if(products_.begin(), products_.end(),
                                      [&](const Ref& one) { return one->name == ref->name; });
    if (present == products_.end()) {
      products_.push_back(std::move(ref));
    } else {
      std::swap(*present, ref);
    }
  }
  listeners_.notify();  // the one that was replaced goes without the lock, too
}

std::shared_ptr<void> Products::on_set(std::function<void()> callback) {
  return listeners_.add(std::move(callback));
}

std::vector<Products::Ref> Products::all() const {
  std::lock_guard lock(mutex_);
  return products_;
}

std::string Products::name_for(std::string_view requested) const {
  std::lock_guard lock(mutex_);
  return requested.empty() && products_.size() == 1 ? products_.front()->name
                                                    : std::string(requested);
}

absl::StatusOr<Products::Ref> Products::find(std::string_view name) const {
  std::lock_guard lock(mutex_);
  if (name.empty() && products_.size() == 1) return products_.front();
  if (name.empty() && !products_.empty()) {
    return invalid_field("product", absl::StrCat("several products are served, name one of ",
                                                 absl::StrJoin(names_of(products_), ", ")));
  }
  for (const Ref& product : products_) {
    if (product->name == name) return product;
  }
  return unknown_product(name, names_of(products_));
}

absl::StatusOr<Products::Ref> Products::find_readable(std::string_view name) const {
  absl::StatusOr<Ref> product = find(name);
  if (!product.ok() || (*product)->reader != nullptr) return product;
  const ServedProduct& unreadable = **product;
  if (!unreadable.failure.ok()) {
    return with_reason(
        absl::FailedPreconditionError(absl::StrCat("product ", unreadable.name,
                                                   " has failed: ", unreadable.failure.message())),
        "PRODUCT_FAILED", {{"product", unreadable.name}});
  }
  return with_retry(
      with_reason(absl::UnavailableError(absl::StrCat("product ", unreadable.name,
                                                      " is restoring its state; try again soon")),
                  "PRODUCT_RESTORING", {{"product", unreadable.name}}),
      1000);
}

absl::StatusOr<ViewRef> find_view(const Products& products, std::string_view product,
                                  std::string_view view) {
  absl::StatusOr<Products::Ref> found = products.find_readable(product);
  if (!found.ok()) return found.status();
  const operators::Plan& plan = (*found)->reader->plan();
  const operators::NodeId id = plan.find_view(view);
  if (id == operators::kNoNode) return unknown_view(**found, view);
  const operators::PlanNode& node = plan.node(id);
  return ViewRef{*std::move(found), id, &std::get<operators::ViewNode>(node.op), &node.schema};
}

}  // namespace kappa::serve
