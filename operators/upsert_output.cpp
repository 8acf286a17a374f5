#include "operators/upsert_output.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "engine/types/hash.h"

namespace kappa::operators {
namespace {

bool is_insert(const Batch& batch, size_t row) {
  return batch.signs.empty() || batch.signs[row] > 0;
}

constexpr char kNoKey[] = "the primary key is NULL: a compacted topic takes no record without one";

}  // namespace

UpsertOutput::UpsertOutput(const Plan& plan, NodeId node,
                           std::unique_ptr<schemas::RowEncoder> encoder)
    : node_(node),
      position_(insert_position(plan, node)),
      encoder_(std::move(encoder)),
      key_(sink_of(plan, node)) {}

void UpsertOutput::process(const Batch& input, const OperatorContext& context,
                           std::vector<Batch>*) {
  if (input.empty()) return;
  const std::vector<ColumnRef> key = key_.pick(input.columns);
  for (size_t begin = 0; begin < input.rows;) {
    size_t end = begin + 1;
    while (end < input.rows && input.places[end].place() == input.places[begin].place()) ++end;
    for (KeyChange& change : changes_of(key, begin, end)) leave(input, std::move(change), context);
    begin = end;
  }
}

std::vector<UpsertOutput::KeyChange> UpsertOutput::changes_of(std::span<const ColumnRef> key,
                                                              size_t begin, size_t end) const {
  std::vector<KeyChange> changes;
  for (size_t row = begin; row < end; ++row) changes.push_back({key_.at(key, row), row, row});
  if (changes.size() == 1) return changes;
  // Together what is of one key, in the order; each group becomes its first element.
  std::sort(changes.begin(), changes.end(), [](const KeyChange& a, const KeyChange& b) {
    return std::tie(a.key, a.first) < std::tie(b.key, b.first);
  });
  size_t groups = 0;
  for (size_t i = 1; i < changes.size(); ++i) {
    KeyChange& group = changes[groups];
    // Rows without a key have nothing in common.
    if (group.key && group.key == changes[i].key) {
      group.last = changes[i].last;
    } else if (++groups != i) {
      changes[groups] = std::move(changes[i]);
    }
  }
  changes.erase(changes.begin() + static_cast<std::ptrdiff_t>(groups) + 1, changes.end());
  std::sort(changes.begin(), changes.end(),
            [](const KeyChange& a, const KeyChange& b) { return a.last < b.last; });
  return changes;
}

void UpsertOutput::leave(const Batch& input, KeyChange change,
                         const OperatorContext& context) const {
  SideRow side{input.places[change.last], node_, SideRow::Kind::kOutput, {}, {}, {}};
  if (!input.ties.empty()) side.tie = input.ties[change.last].view();
  // What the key's record was, if there was one.
  std::optional<std::string> before;
  if (change.key && !is_insert(input, change.first)) {
    before.emplace();
    if (!encoder_->encode(input.columns, change.first, &*before).ok()) before.reset();
  }
  bool after = false;
  if (is_insert(input, change.last)) {
    const absl::Status encoded = change.key
                                     ? encoder_->encode(input.columns, change.last, &side.text)
                                     : absl::InvalidArgumentError(kNoKey);
    after = encoded.ok();
    if (!after) {
      SideRow error = side;
      error.kind = SideRow::Kind::kError;
      error.text = std::string(encoded.message());
      error.position = position_;
      context.side.push_back(std::move(error));
    }
  }
  if (after ? before == side.text : !before) return;
  side.key = std::move(change.key);
  side.tombstone = !after;
  if (side.tombstone) side.text.clear();
  // A tombstone says no more than whose it is.
  const std::string& content = side.tombstone ? *side.key : side.text;
  side.content = hash_bytes(content.data(), content.size());
  context.side.push_back(std::move(side));
}

}  // namespace kappa::operators
