#include "operators/xgboost_trees.h"

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"

namespace kappa::operators {
namespace {

using nlohmann::json;
using Integers = std::vector<int64_t>;

// What the links of a tree are: nodes by number, the root is 0, and a leaf has no children (-1).
struct Tree {
  Integers left;
  Integers right;
  Integers feature;
  Integers kind;  // 0: by a number, 1: by categories
};

absl::Status refuse(const std::string& message) {
  return absl::InvalidArgumentError(message);
}

// The library writes its numbers as texts.
absl::Status check_count(const json& object, const char* parameters, const char* name,
                         size_t expected) {
  const auto group = object.find(parameters);
  const bool there = group != object.end() && group->is_object() && group->contains(name);
  const json count = there ? (*group)[name] : json();
  if (count == absl::StrCat(expected)) return absl::OkStatus();
  return refuse(absl::StrCat("\"", name, "\" is ", count.dump(), ", expected \"", expected, "\""));
}

// The array of a member, with so many items.
absl::StatusOr<const json*> array_of(const json& object, const char* name, size_t items) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_array()) {
    return refuse(absl::StrCat("there is no array \"", name, "\""));
  }
  if (member->size() == items) return &*member;
  return refuse(absl::StrCat("\"", name, "\" has ", member->size(), " items, expected ", items));
}

absl::StatusOr<Integers> integers_of(const json& object, const char* name, size_t items) {
  KAPPA_ASSIGN_OR_RETURN(const json* array, array_of(object, name, items));
  Integers integers;
  for (const json& item : *array) {
    if (!item.is_number_integer()) {
      return refuse(absl::StrCat("\"", name, "\" holds what is no integer"));
    }
    integers.push_back(item.get<int64_t>());
  }
  return integers;
}

absl::StatusOr<Tree> read_tree(const json& object) {
  const auto left = object.find("left_children");
  const size_t nodes = left == object.end() ? 0 : left->size();
  if (nodes == 0) return refuse("a tree has no nodes");
  KAPPA_RETURN_IF_ERROR(check_count(object, "tree_param", "num_nodes", nodes));
  KAPPA_RETURN_IF_ERROR(check_count(object, "tree_param", "size_leaf_vector", 0));
  for (const char* name : {"base_weights", "default_left", "loss_changes", "parents",
                           "split_conditions", "sum_hessian"}) {
    KAPPA_RETURN_IF_ERROR(array_of(object, name, nodes).status());
  }
  if (!object.value("categories_nodes", json::array()).empty()) {
    return refuse("a tree that splits by categories is not supported");
  }
  Tree tree;
  KAPPA_ASSIGN_OR_RETURN(tree.left, integers_of(object, "left_children", nodes));
  KAPPA_ASSIGN_OR_RETURN(tree.right, integers_of(object, "right_children", nodes));
  KAPPA_ASSIGN_OR_RETURN(tree.feature, integers_of(object, "split_indices", nodes));
  KAPPA_ASSIGN_OR_RETURN(tree.kind, integers_of(object, "split_type", nodes));
  return tree;
}

// Walks down from the root: each node is met once.
absl::Status check_tree(const Tree& tree, size_t features) {
  const auto nodes = static_cast<int64_t>(tree.left.size());
  std::vector<bool> met(tree.left.size());
  Integers open = {0};
  while (!open.empty()) {
    const int64_t number = open.back();
    open.pop_back();
    if (number < 0 || number >= nodes)
      return refuse("a tree has a link to a node that is not there");
    const auto node = static_cast<size_t>(number);
    if (met[node]) return refuse("a tree has two links to one node");
    met[node] = true;
    if (tree.left[node] == -1 && tree.right[node] == -1) continue;
    if (tree.kind[node] != 0) return refuse("a tree that splits by categories is not supported");
    const int64_t feature = tree.feature[node];
    if (feature < 0 || feature >= static_cast<int64_t>(features)) {
      return refuse(absl::StrCat("a tree splits by feature ", feature, " of ", features));
    }
    open.push_back(tree.left[node]);
    open.push_back(tree.right[node]);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status check_trees(const json& model, size_t features) {
  const auto trees = model.find("trees");
  if (trees == model.end() || !trees->is_array()) return refuse("there is no array \"trees\"");
  KAPPA_RETURN_IF_ERROR(check_count(model, "gbtree_model_param", "num_trees", trees->size()));
  KAPPA_RETURN_IF_ERROR(check_count(model, "gbtree_model_param", "size_leaf_vector", 0));
  KAPPA_ASSIGN_OR_RETURN(const Integers groups, integers_of(model, "tree_info", trees->size()));
  if (groups != Integers(trees->size(), 0)) {
    return refuse("\"tree_info\" has more than one group: a model has one score");
  }
  for (size_t i = 0; i < trees->size(); ++i) {
    const json& object = (*trees)[i];
    if (!object.is_object() || !object.contains("id") || object["id"] != i) {
      return refuse("the trees are not in the order of their ids");
    }
    KAPPA_ASSIGN_OR_RETURN(const Tree tree, read_tree(object));
    KAPPA_RETURN_IF_ERROR(check_tree(tree, features));
  }
  return absl::OkStatus();
}

}  // namespace kappa::operators
