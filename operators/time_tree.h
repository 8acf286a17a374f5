#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace kappa::operators {

// An event of a partition, and where it stands in the order of event time.
struct TimedItem {
  int64_t time_us;
  int64_t number;  // among those of one time, in the order in which they came
  uint64_t item;   // what the owner finds it by
  std::pair<int64_t, int64_t> position() const { return {time_us, number}; }
};

// The events of one partition in the order of event time, so that a stretch of them is told by two
// indexes and summed up without going through it: a tree of chunks, each with a summary of what is
// in it. In n events, all of this takes O(log n) steps. A summary that an insertion or an eviction
// has made wrong is made anew when it is next asked for.
//
// `Summary` is an algebra over a few numbers; the tree holds them, it gives them their meaning:
//
//   static constexpr bool kOrderFree;                       add() at any place will do
//   size_t words() const;                                   0: nothing is summed up
//   void clear(int64_t* into) const;                        of no event
//   void add(int64_t* into, uint64_t item) const;           one event more, behind all others
//   void merge(int64_t* into, const int64_t* later) const;  all of a later stretch
template <typename Summary>
class TimeTree {
 public:
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Below size(). Valid until the tree changes.
  const TimedItem& at(size_t index) const;
  // How many events lie before the time, or the position.
  size_t before(int64_t time_us) const { return before({time_us, kFirst}); }
  size_t before(std::pair<int64_t, int64_t> position) const;

  // So that it has this index, which its position gives it.
  void insert(size_t index, const TimedItem& item, const Summary& summary);
  void drop_front(size_t count);

  // Adds events [begin, end) to `into`.
  void fold(size_t begin, size_t end, const Summary& summary, int64_t* into);
  // Calls see(event) for each of them, in order.
  template <typename See>
  void for_each(size_t begin, size_t end, See&& see) const {
    for_each_in(root_, begin, end, see);
  }

 private:
  static constexpr int64_t kFirst = INT64_MIN;
  static constexpr size_t kChunkItems = 32;
  static constexpr size_t kChildrenMax = 16;

  struct Branch;
  // A chunk of events, or a branch.
  struct Node {
    std::vector<TimedItem> items;
    std::unique_ptr<Branch> branch;
  };
  struct Child {
    Node node;
    size_t size = 0;
    std::pair<int64_t, int64_t> last;  // position of its last event
    bool stale = true;                 // its summary is to be made anew
  };
  struct Branch {
    std::vector<Child> children;
    std::vector<int64_t> summaries;  // of the children, one after the other
  };

  static size_t size_of(const Node& node);
  static bool full(const Node& node) {
    return node.branch ? node.branch->children.size() == kChildrenMax
                       : node.items.size() == kChunkItems;
  }
  static Child child_of(Node node);
  // Takes the upper half of a full node; if it is `growing` at its end, as little as possible.
  static Node split(Node& node, bool growing, const Summary& summary);
  static void make_room(Node& node, size_t child, bool growing, const Summary& summary);
  static void insert_in(Node& node, size_t index, const TimedItem& item, bool last,
                        const Summary& summary);
  static void drop_in(Node& node, size_t count, size_t words);
  static void refresh(Child& child, const Summary& summary, int64_t* into);
  static void fold_in(Node& node, size_t begin, size_t end, const Summary& summary, int64_t* into);
  template <typename See>
  static void for_each_in(const Node& node, size_t begin, size_t end, See& see);

  Node root_;
  size_t size_ = 0;
  size_t words_ = 0;  // of a summary, once there is a branch
};

// ---- finding ----------------------------------------------------------------------------------

template <typename Summary>
const TimedItem& TimeTree<Summary>::at(size_t index) const {
  const Node* node = &root_;
  while (node->branch) {
    const Child* child = node->branch->children.data();
    for (; index >= child->size; ++child) index -= child->size;
    node = &child->node;
  }
  return node->items[index];
}

template <typename Summary>
size_t TimeTree<Summary>::before(std::pair<int64_t, int64_t> position) const {
  if (root_.branch && root_.branch->children.back().last < position) return size_;
  size_t count = 0;
  const Node* node = &root_;
  while (node->branch) {
    const auto& children = node->branch->children;
    auto child = children.begin();
    for (; child != children.end() && child->last < position; ++child) count += child->size;
    if (child == children.end()) return count;
    node = &child->node;
  }
  const auto found =
      std::lower_bound(node->items.begin(), node->items.end(), position,
                       [](const TimedItem& a, const auto& b) { return a.position() < b; });
  return count + static_cast<size_t>(found - node->items.begin());
}

// ---- changing ---------------------------------------------------------------------------------

template <typename Summary>
size_t TimeTree<Summary>::size_of(const Node& node) {
  if (!node.branch) return node.items.size();
  size_t size = 0;
  for (const Child& child : node.branch->children) size += child.size;
  return size;
}

template <typename Summary>
typename TimeTree<Summary>::Child TimeTree<Summary>::child_of(Node node) {
  Child child;
  child.size = size_of(node);
  child.last = node.branch ? node.branch->children.back().last : node.items.back().position();
  child.node = std::move(node);
  return child;
}

template <typename Summary>
typename TimeTree<Summary>::Node TimeTree<Summary>::split(Node& node, bool growing,
                                                          const Summary& summary) {
  const auto move_upper = [&](auto& from, auto& to, size_t each) {
    const size_t parts = from.size() / each;
    const auto at =
        from.begin() + static_cast<std::ptrdiff_t>((growing ? parts - 1 : parts / 2) * each);
    to.assign(std::make_move_iterator(at), std::make_move_iterator(from.end()));
    from.erase(at, from.end());
  };
  Node upper;
  if (!node.branch) {
    move_upper(node.items, upper.items, 1);
    return upper;
  }
  upper.branch = std::make_unique<Branch>();
  if (summary.words() > 0) {
    move_upper(node.branch->summaries, upper.branch->summaries, summary.words());
  }
  move_upper(node.branch->children, upper.branch->children, 1);
  return upper;
}

// Splits a child that is full.
template <typename Summary>
void TimeTree<Summary>::make_room(Node& node, size_t index, bool growing, const Summary& summary) {
  auto& children = node.branch->children;
  Child upper = child_of(split(children[index].node, growing, summary));
  children[index] = child_of(std::move(children[index].node));
  const auto behind = static_cast<std::ptrdiff_t>(index + 1);
  children.insert(children.begin() + behind, std::move(upper));
  auto& summaries = node.branch->summaries;
  const auto words = static_cast<std::ptrdiff_t>(summary.words());
  summaries.insert(summaries.begin() + behind * words, summary.words(), 0);
}

template <typename Summary>
void TimeTree<Summary>::insert_in(Node& node, size_t index, const TimedItem& item, bool last,
                                  const Summary& summary) {
  if (!node.branch) {
    node.items.insert(node.items.begin() + static_cast<std::ptrdiff_t>(index), item);
    return;
  }
  auto& children = node.branch->children;
  const auto find = [&] {
    size_t before = 0;
    size_t found = 0;
    while (found + 1 < children.size() && before + children[found].size < index) {
      before += children[found++].size;
    }
    return std::pair(found, index - before);
  };
  const size_t chosen = find().first;
  if (full(children[chosen].node)) make_room(node, chosen, last, summary);
  const auto [at, within] = find();
  Child& child = children[at];
  insert_in(child.node, within, item, last, summary);
  ++child.size;
  child.last = std::max(child.last, item.position());
  if ((last || Summary::kOrderFree) && !child.stale && summary.words() > 0) {
    summary.add(&node.branch->summaries[at * summary.words()], item.item);
  } else {
    child.stale = true;
  }
}

template <typename Summary>
void TimeTree<Summary>::insert(size_t index, const TimedItem& item, const Summary& summary) {
  const bool last = index == size_;
  words_ = summary.words();
  if (full(root_)) {
    Node below = std::move(root_);
    root_ = {};
    root_.branch = std::make_unique<Branch>();
    root_.branch->children.push_back(child_of(std::move(below)));
    root_.branch->summaries.resize(words_);
  }
  insert_in(root_, index, item, last, summary);
  ++size_;
}

template <typename Summary>
void TimeTree<Summary>::drop_in(Node& node, size_t count, size_t words) {
  if (!node.branch) {
    node.items.erase(node.items.begin(), node.items.begin() + static_cast<std::ptrdiff_t>(count));
    return;
  }
  auto& children = node.branch->children;
  size_t gone = 0;
  for (; gone < children.size() && children[gone].size <= count; ++gone) {
    count -= children[gone].size;
  }
  children.erase(children.begin(), children.begin() + static_cast<std::ptrdiff_t>(gone));
  auto& summaries = node.branch->summaries;
  summaries.erase(summaries.begin(), summaries.begin() + static_cast<std::ptrdiff_t>(gone * words));
  if (count == 0) return;
  Child& child = children.front();
  drop_in(child.node, count, words);
  child.size -= count;
  child.stale = true;
}

template <typename Summary>
void TimeTree<Summary>::drop_front(size_t count) {
  if (count == 0) return;
  size_ -= count;
  if (size_ == 0) {
    root_ = {};
    return;
  }
  drop_in(root_, count, words_);
  while (root_.branch && root_.branch->children.size() == 1) {
    Node only = std::move(root_.branch->children.front().node);
    root_ = std::move(only);
  }
}

// ---- stretches --------------------------------------------------------------------------------

template <typename Summary>
void TimeTree<Summary>::refresh(Child& child, const Summary& summary, int64_t* into) {
  summary.clear(into);
  fold_in(child.node, 0, child.size, summary, into);
  child.stale = false;
}

template <typename Summary>
void TimeTree<Summary>::fold_in(Node& node, size_t begin, size_t end, const Summary& summary,
                                int64_t* into) {
  if (!node.branch) {
    for (size_t i = begin; i < end; ++i) summary.add(into, node.items[i].item);
    return;
  }
  int64_t* known = node.branch->summaries.data();
  size_t before = 0;
  for (Child& child : node.branch->children) {
    const size_t behind = before + child.size;
    if (before >= end) return;
    if (begin <= before && behind <= end) {
      if (child.stale) refresh(child, summary, known);
      summary.merge(into, known);
    } else if (begin < behind) {
      fold_in(child.node, begin > before ? begin - before : 0, std::min(end, behind) - before,
              summary, into);
    }
    before = behind;
    known += summary.words();
  }
}

template <typename Summary>
void TimeTree<Summary>::fold(size_t begin, size_t end, const Summary& summary, int64_t* into) {
  if (begin < end) fold_in(root_, begin, end, summary, into);
}

template <typename Summary>
template <typename See>
void TimeTree<Summary>::for_each_in(const Node& node, size_t begin, size_t end, See& see) {
  if (!node.branch) {
    for (size_t i = begin; i < end; ++i) see(node.items[i]);
    return;
  }
  size_t before = 0;
  for (const Child& child : node.branch->children) {
    const size_t behind = before + child.size;
    if (before >= end) return;
    if (begin < behind) {
      for_each_in(child.node, begin > before ? begin - before : 0, std::min(end, behind) - before,
                  see);
    }
    before = behind;
  }
}

}  // namespace kappa::operators
