#include "test/runtime/model/join_generator.h"

#include <algorithm>
#include <set>

#include "engine/types/time.h"
#include "test/runtime/model/expression_generator.h"

namespace kappa::model {
namespace {

class JoinGenerator {
 public:
  explicit JoinGenerator(Draft& draft) : draft_(draft), dice_(draft.dice()) {}

  std::optional<Relation> relation_join() {
    std::vector<Relation> lefts;
    std::vector<Relation> rights;
    for (const Relation& relation : draft_.relations()) {
      if (relation.is_source || relation.key.empty()) continue;
      rights.push_back(relation);
      if (relation.changelog) lefts.push_back(relation);
    }
    if (lefts.empty()) return std::nullopt;
    const Relation left = dice_.pick(lefts);
    const Relation right = dice_.pick(rights);
    const auto equal = some_equalities(left, right);
    if (equal.empty()) return std::nullopt;
    Relation joined = both(left, right, equal);
    RelationJoinNode op{.equal = equal,
                        .outer = dice_.coin(),
                        .condition = nullptr,
                        .left_key = left.key,
                        .right_key = right.key,
                        .right_types = types_of(right.fields)};
    std::vector<std::string> conditions;
    const auto more = comparable(left, right, {TypeId::kBoolean});
    if (!more.empty() && dice_.one_in(3)) {
      const auto [l, r] = dice_.pick(more);
      const Type type = left.fields[l].type;
      op.condition = make(dice_.pick(std::vector<Op>{Op::kLess, Op::kLessOrEqual, Op::kNotEqual}),
                          Type::boolean(), {column(l, type), column(left.fields.size() + r, type)});
      conditions.push_back(to_sql(*op.condition, names_of(joined.fields)));
    }
    joined.name = join_text(left, right, op.outer, equal, conditions);
    joined.changelog = true;
    joined.node = draft_.add(std::move(op), {left.node, right.node});
    return joined;
  }

  std::optional<Relation> interval_join() {
    std::vector<Relation> sides;
    for (const Relation& relation : draft_.relations()) {
      if (!relation.changelog && relation.event_time && !relation.forgets) {
        sides.push_back(relation);
      }
    }
    if (sides.empty()) return std::nullopt;
    const Relation left = dice_.pick(sides);
    const Relation right = dice_.pick(sides);
    auto equal = some_equalities(left, right);
    // Equal event times would be bounds too.
    std::erase(equal, std::pair(*left.event_time, *right.event_time));
    const bool by_key = std::all_of(right.key.begin(), right.key.end(), [&](size_t column) {
      return std::any_of(equal.begin(), equal.end(),
                         [&](const auto& pair) { return pair.second == column; });
    });
    // By the whole key of a view it is a lookup.
    if (equal.empty() || (!right.is_source && !right.key.empty() && by_key)) return std::nullopt;
    IntervalJoinNode op{.equal = equal,
                        .outer = dice_.coin(),
                        .left_time = *left.event_time,
                        .right_time = *right.event_time,
                        .right_types = types_of(right.fields)};
    op.from_us = dice_.between(-10, 4) * 500 * kMicrosPerMilli;
    op.to_us = op.from_us + dice_.between(0, 30) * 500 * kMicrosPerMilli;
    const auto shifted = [&](int64_t us) {
      const std::string interval = "INTERVAL " + seconds(us < 0 ? -us : us);
      return "a." + left.fields[op.left_time].name + (us < 0 ? " - " : " + ") + interval;
    };
    const std::string time = "b." + right.fields[op.right_time].name;
    std::vector<std::string> bounds{time + " BETWEEN " + shifted(op.from_us) + " AND " +
                                    shifted(op.to_us)};
    if (dice_.coin()) {
      bounds = {shifted(op.from_us) + " <= " + time, time + " < " + shifted(op.to_us)};
      --op.to_us;
    }
    if (op.from_us > op.to_us) return std::nullopt;
    if (dice_.one_in(3)) op.grace_us = dice_.between(1, 20) * 500 * kMicrosPerMilli;
    Relation joined = both(left, right, equal);
    joined.name = join_text(left, right, op.outer, equal, bounds);
    joined.event_time = joined.fields.size();
    joined.fields.push_back({"join_time", Type::timestamptz()});
    joined.timed |= op.outer;
    if (op.grace_us > 0) joined.grace_us = op.grace_us;
    joined.is_source = left.is_source || right.is_source;
    joined.by_records = !op.outer && left.by_records && right.by_records;
    joined.node = draft_.add(std::move(op), {left.node, right.node});
    return joined;
  }

 private:
  // Columns of the two sides that have a type in common, none of the excluded ones.
  std::vector<std::pair<size_t, size_t>> comparable(const Relation& left, const Relation& right,
                                                    const std::set<TypeId>& excluded) {
    std::vector<std::pair<size_t, size_t>> pairs;
    for (size_t l = 0; l < left.fields.size(); ++l) {
      for (size_t r = 0; r < right.fields.size(); ++r) {
        const Type type = left.fields[l].type;
        if (type == right.fields[r].type && !excluded.contains(type.id)) pairs.emplace_back(l, r);
      }
    }
    return pairs;
  }

  // Both sides as one relation, without its name: its columns are "a.x" and "b.y".
  static Relation both(const Relation& left, const Relation& right,
                       const std::vector<std::pair<size_t, size_t>>& equal) {
    Relation joined{.name = "", .node = 0, .fields = {}};
    for (const Field& field : left.fields) joined.fields.push_back({"a." + field.name, field.type});
    for (const Field& field : right.fields)
      joined.fields.push_back({"b." + field.name, field.type});
    joined.timed = left.timed || right.timed;
    if (left.key.empty() || right.key.empty()) return joined;
    joined.key = left.key;
    for (const size_t column : right.key) {
      // Of two columns that are equal one is enough.
      const bool equated = std::any_of(equal.begin(), equal.end(),
                                       [&](const auto& pair) { return pair.second == column; });
      if (!equated) joined.key.push_back(left.fields.size() + column);
    }
    return joined;
  }

  static std::vector<Type> types_of(const std::vector<Field>& fields) {
    std::vector<Type> types;
    for (const Field& field : fields) types.push_back(field.type);
    return types;
  }

  // What stands in FROM.
  std::string join_text(const Relation& left, const Relation& right, bool outer,
                        const std::vector<std::pair<size_t, size_t>>& equal,
                        const std::vector<std::string>& others) {
    std::vector<std::string> conditions;
    for (const auto& [l, r] : equal) {
      conditions.push_back("a." + left.fields[l].name + " = b." + right.fields[r].name);
    }
    conditions.insert(dice_.coin() ? conditions.begin() : conditions.end(), others.begin(),
                      others.end());
    return left.name + " AS a " + (outer ? "LEFT JOIN " : "JOIN ") + right.name + " AS b ON " +
           join(conditions, " AND ");
  }

  static bool is_in(const std::vector<size_t>& key, size_t column) {
    return std::find(key.begin(), key.end(), column) != key.end();
  }

  // One or two pairs of columns to be equal, most often keys or the same one of few values; none if
  // there is no such pair.
  std::vector<std::pair<size_t, size_t>> some_equalities(const Relation& left,
                                                         const Relation& right) {
    auto equal = comparable(left, right, {});
    dice_.shuffle(&equal);
    if (!dice_.one_in(5)) {
      std::stable_partition(equal.begin(), equal.end(), [&](const auto& pair) {
        return draft_.has_few_values(left.fields[pair.first].type) &&
               left.fields[pair.first].name == right.fields[pair.second].name;
      });
      std::stable_partition(equal.begin(), equal.end(), [&](const auto& pair) {
        return is_in(left.key, pair.first) && is_in(right.key, pair.second);
      });
    }
    if (draft_.plan().odd_doubles && dice_.coin()) {
      std::stable_partition(equal.begin(), equal.end(), [&](const auto& pair) {
        return left.fields[pair.first].type.id == TypeId::kDouble;
      });
    }
    const auto count = static_cast<int64_t>(equal.size());
    equal.resize(static_cast<size_t>(std::min(dice_.between(1, 2), count)));
    return equal;
  }

  Draft& draft_;
  Dice& dice_;
};

}  // namespace

std::optional<Relation> random_relation_join(Draft& draft) {
  return JoinGenerator(draft).relation_join();
}

std::optional<Relation> random_interval_join(Draft& draft) {
  return JoinGenerator(draft).interval_join();
}

}  // namespace kappa::model
