#include <algorithm>

#include "engine/types/text.h"
#include "schemas/json_shape.h"

namespace kappa::schemas {
namespace {

// Larger documents are left to the slow path: their shape would hardly repeat.
constexpr size_t kSlotsMax = 512;
constexpr size_t kLiteralBytesMax = 16u << 10;

// A scalar value of a document, and the key it has if it stands in the outermost object.
struct ScalarPlace {
  size_t begin;
  size_t end;
  std::optional<std::string_view> key;
};

// Walks a document that is known to be well formed and finds its scalars.
class ScalarFinder {
 public:
  explicit ScalarFinder(std::string_view document) : document_(document) {}

  // False: a key has an escape.
  bool find(std::vector<ScalarPlace>* scalars) {
    while (at_ < document_.size() && scalars->size() <= kSlotsMax) {
      const char c = document_[at_];
      if (c == '{' || c == '[') {
        open_.push_back(c);
        expects_key_ = c == '{';
        ++at_;
      } else if (c == '}' || c == ']') {
        open_.pop_back();
        ++at_;
      } else if (c == ',') {
        expects_key_ = open_.back() == '{';
        ++at_;
      } else if (c == ':' || c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        ++at_;
      } else if (expects_key_) {
        if (!take_key()) return false;
      } else {
        scalars->push_back({at_, scalar_end(), open_.size() == 1 ? key_ : std::nullopt});
        at_ = scalars->back().end;
      }
    }
    return true;
  }

 private:
  bool take_key() {
    const size_t end = scalar_end();
    const std::string_view key = document_.substr(at_ + 1, end - at_ - 2);
    if (key.find('\\') != std::string_view::npos) return false;
    if (open_.size() == 1) key_ = key;
    expects_key_ = false;
    at_ = end;
    return true;
  }

  size_t scalar_end() const {
    if (document_[at_] != '"') {
      return std::min(document_.find_first_of(",]} \t\n\r", at_), document_.size());
    }
    size_t end = at_ + 1;
    while (document_[end] != '"') end += document_[end] == '\\' ? 2 : 1;
    return end + 1;
  }

  std::string_view document_;
  size_t at_ = 0;
  std::string open_;  // the brackets that are open
  bool expects_key_ = false;
  std::optional<std::string_view> key_;
};

}  // namespace

JsonShape::SlotKind JsonShape::kind_of(const JsonColumn& column) {
  switch (column.type.id) {
    case TypeId::kText:
      return SlotKind::kText;
    case TypeId::kInteger:
      return SlotKind::kInteger;
    case TypeId::kBigint:
      return SlotKind::kBigint;
    case TypeId::kNumeric:
      return column.type.physical() == PhysicalType::kInt64 ? SlotKind::kNumeric64
                                                            : SlotKind::kNumeric128;
    case TypeId::kDouble:
      return SlotKind::kDouble;
    case TypeId::kTimestamptz:
      return SlotKind::kTimestamp;
    default:
      return SlotKind::kScalar;
  }
}

void JsonShape::add_slot(std::string_view literal, std::optional<size_t> column,
                         const std::vector<JsonColumn>& columns) {
  Slot slot;
  const size_t head = std::min<size_t>(literal.size(), sizeof(slot.head));
  std::memcpy(slot.head, literal.data(), head);
  std::memset(slot.mask, 0xff, head);
  slot.head_size = static_cast<uint32_t>(head);
  slot.tail_offset = static_cast<uint32_t>(literals_.size());
  slot.tail_size = static_cast<uint32_t>(literal.size() - head);
  literals_ += literal.substr(head);
  slot.kind = SlotKind::kUndeclared;
  if (column) {
    slot.kind = kind_of(columns[*column]);
    slot.column = static_cast<uint32_t>(*column);
    slot.scale = columns[*column].type.scale;
    slot.unit = columns[*column].unit;
  }
  slots_.push_back(slot);
}

std::optional<JsonShape> JsonShape::learn(
    std::string_view document, const std::vector<JsonColumn>& columns,
    const absl::flat_hash_map<std::string, size_t>& by_field) {
  std::vector<ScalarPlace> scalars;
  if (!ScalarFinder(document).find(&scalars) || scalars.size() > kSlotsMax) return std::nullopt;
  JsonShape shape;
  std::vector<bool> present(columns.size(), false);
  size_t literal_begin = 0;
  size_t literal_bytes = 0;
  for (const ScalarPlace& scalar : scalars) {
    std::optional<size_t> column;
    if (scalar.key) {
      const auto found = by_field.find(to_absl(*scalar.key));
      if (found != by_field.end()) column = found->second;
    }
    if (column) present[*column] = true;
    literal_bytes += scalar.begin - literal_begin;
    if (literal_bytes > kLiteralBytesMax) return std::nullopt;
    shape.add_slot(document.substr(literal_begin, scalar.begin - literal_begin), column, columns);
    literal_begin = scalar.end;
  }
  shape.add_slot(document.substr(literal_begin), std::nullopt, columns);
  shape.slots_.back().kind = SlotKind::kEnd;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (!present[i]) shape.missing_.push_back(i);
  }
  return shape;
}

}  // namespace kappa::schemas
