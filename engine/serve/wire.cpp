#include "engine/serve/wire.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/serve/api_error.h"
#include "engine/types/decimal.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "kappa/v1/stamp.pb.h"
#include "kappa/v1/value.pb.h"
#include "schemas/utf8.h"

namespace kappa::serve {
namespace {

void set_text(std::string_view text, v1::Value* wire) {
  if (schemas::is_valid_utf8(text)) [[likely]] {
    wire->set_text_value(text.data(), text.size());
  } else {
    wire->set_text_value(valid_utf8(text));
  }
}

void set_int64(Type type, int64_t value, v1::Value* wire) {
  switch (type.id) {
    case TypeId::kNumeric:
      return wire->set_decimal_value(decimal_to_text(value, type.scale));
    case TypeId::kTimestamptz:
      return wire->set_timestamp_us(value);
    case TypeId::kInterval:
      return wire->set_interval_us(value);
    default:
      return wire->set_int64_value(value);
  }
}

void set_int32(Type type, int32_t value, v1::Value* wire) {
  if (type.id == TypeId::kDate) return wire->set_date_days(value);
  wire->set_int64_value(value);
}

void set_string(Type type, std::string_view value, v1::Value* wire) {
  if (type.id == TypeId::kBytea) return wire->set_bytes_value(value.data(), value.size());
  set_text(value, wire);
}

v1::DataType to_wire(TypeId id) {
  // The numbers are the same, by contract on both sides (see type.h and value.proto).
  return static_cast<v1::DataType>(id);
}
static_assert(static_cast<int>(TypeId::kBoolean) == v1::DATA_TYPE_BOOLEAN);
static_assert(static_cast<int>(TypeId::kNumeric) == v1::DATA_TYPE_NUMERIC);
static_assert(static_cast<int>(TypeId::kInterval) == v1::DATA_TYPE_INTERVAL);

// "the integer 7", "the text 'x'": what a request gave, for messages.
std::string describe(const v1::Value& wire) {
  switch (wire.kind_case()) {
    case v1::Value::kBoolValue:
      return wire.bool_value() ? "the boolean true" : "the boolean false";
    case v1::Value::kInt64Value:
      return absl::StrCat("the integer ", wire.int64_value());
    case v1::Value::kDoubleValue:
      return absl::StrCat("the double ", to_text(Value::double_precision(wire.double_value())));
    case v1::Value::kTextValue:
      return "the text " + excerpt(wire.text_value());
    case v1::Value::kDecimalValue:
      return "the decimal " + excerpt(wire.decimal_value());
    case v1::Value::kBytesValue:
      return absl::StrCat("bytea of ", wire.bytes_value().size(), " bytes");
    case v1::Value::kTimestampUs:
      return absl::StrCat("the timestamp ", to_text(Value::timestamptz(wire.timestamp_us())));
    case v1::Value::kDateDays:
      return absl::StrCat("the date ", to_text(Value{Type::date(), wire.date_days()}));
    case v1::Value::kIntervalUs:
      return absl::StrCat("the interval ", to_text(Value{Type::interval(), wire.interval_us()}));
    case v1::Value::KIND_NOT_SET:
      return "NULL";
  }
  return "a value of an unknown kind";
}

absl::Status mismatch(const operators::Field& column, const v1::Value& wire) {
  return absl::InvalidArgumentError(absl::StrCat("key column ", column.name, " is ",
                                                 to_string(column.type), ", got ", describe(wire)));
}

// Digits are never rounded away in a key: it would name another row.
std::optional<Value> exact_decimal(std::string_view text, Type type) {
  const std::optional<int128> value = parse_decimal_exactly(text, type.scale);
  if (!value || !fits_precision(*value, type.precision)) return std::nullopt;
  if (type.physical() == PhysicalType::kInt64) return Value{type, static_cast<int64_t>(*value)};
  return Value{type, *value};
}

std::optional<Value> parsed(const v1::Value& wire, Type type) {
  absl::StatusOr<Value> value = parse_value(type, wire.text_value());
  if (!value.ok()) return std::nullopt;
  return *std::move(value);
}

std::optional<Value> key_integer(int64_t value, Type type) {
  if (type.id == TypeId::kBigint) return Value::bigint(value);
  if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max()) {
    return std::nullopt;
  }
  return Value::integer(static_cast<int32_t>(value));
}

std::optional<Value> key_number(const v1::Value& wire, Type type) {
  switch (wire.kind_case()) {
    case v1::Value::kInt64Value:
      if (type.is_integer()) return key_integer(wire.int64_value(), type);
      if (type.id == TypeId::kDouble) {
        return Value::double_precision(static_cast<double>(wire.int64_value()));
      }
      return exact_decimal(absl::StrCat(wire.int64_value()), type);
    case v1::Value::kDoubleValue:
      if (type.id == TypeId::kDouble) return Value::double_precision(wire.double_value());
      return std::nullopt;
    case v1::Value::kDecimalValue:
      if (type.id == TypeId::kNumeric) return exact_decimal(wire.decimal_value(), type);
      return std::nullopt;
    case v1::Value::kTextValue:
      if (type.id == TypeId::kNumeric) return exact_decimal(wire.text_value(), type);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

std::optional<Value> key_time(const v1::Value& wire, Type type) {
  if (wire.kind_case() == v1::Value::kTextValue) return parsed(wire, type);
  switch (type.id) {
    case TypeId::kTimestamptz:
      if (wire.has_timestamp_us()) return Value::timestamptz(wire.timestamp_us());
      return std::nullopt;
    case TypeId::kDate:
      if (wire.has_date_days()) return Value{type, wire.date_days()};
      return std::nullopt;
    default:
      if (wire.has_interval_us()) return Value{type, wire.interval_us()};
      return std::nullopt;
  }
}

std::optional<Value> key_of_type(const v1::Value& wire, Type type) {
  switch (type.id) {
    case TypeId::kBoolean:
      if (wire.has_bool_value()) return Value::boolean(wire.bool_value());
      return std::nullopt;
    case TypeId::kInteger:
    case TypeId::kBigint:
    case TypeId::kDouble:
    case TypeId::kNumeric:
      return key_number(wire, type);
    case TypeId::kText:
      if (wire.has_text_value()) return Value::text(wire.text_value());
      return std::nullopt;
    case TypeId::kBytea:
      if (wire.has_bytes_value()) return Value{type, wire.bytes_value()};
      return std::nullopt;
    case TypeId::kTimestamptz:
    case TypeId::kDate:
    case TypeId::kInterval:
      return key_time(wire, type);
    case TypeId::kNull:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

void to_wire(const Value& value, v1::Value* wire) {
  const Type type = value.type;
  struct Set {
    Type type;
    v1::Value* wire;
    void operator()(std::monostate) const {}
    void operator()(bool v) const { wire->set_bool_value(v); }
    void operator()(int32_t v) const { set_int32(type, v, wire); }
    void operator()(int64_t v) const { set_int64(type, v, wire); }
    void operator()(int128 v) const { wire->set_decimal_value(decimal_to_text(v, type.scale)); }
    void operator()(double v) const { wire->set_double_value(v); }
    void operator()(const std::string& v) const { set_string(type, v, wire); }
  };
  std::visit(Set{type, wire}, value.data);
}

void to_wire(const Column& column, size_t row, v1::Value* wire) {
  if (column.is_null(row)) return;
  const Type type = column.type();
  switch (type.physical()) {
    case PhysicalType::kInt8:
      return wire->set_bool_value(column.values<int8_t>()[row] != 0);
    case PhysicalType::kInt32:
      return set_int32(type, column.values<int32_t>()[row], wire);
    case PhysicalType::kInt64:
      return set_int64(type, column.values<int64_t>()[row], wire);
    case PhysicalType::kInt128:
      return wire->set_decimal_value(decimal_to_text(column.values<int128>()[row], type.scale));
    case PhysicalType::kDouble:
      return wire->set_double_value(column.values<double>()[row]);
    case PhysicalType::kString:
      return set_string(type, column.values<StringRef>()[row].view(), wire);
  }
}

void to_wire(const Row& row, v1::Row* wire) {
  wire->mutable_values()->Reserve(static_cast<int>(row.size()));
  for (const Value& value : row) to_wire(value, wire->add_values());
}

void to_wire(const Batch& batch, size_t row, v1::Row* wire) {
  wire->mutable_values()->Reserve(static_cast<int>(batch.columns.size()));
  for (const ColumnRef& column : batch.columns) to_wire(*column, row, wire->add_values());
}

void to_wire(const operators::Field& field, v1::Column* wire) {
  wire->set_name(valid_utf8(field.name));
  wire->set_type(to_wire(field.type.id));
  if (field.type.id != TypeId::kNumeric) return;
  wire->set_precision(field.type.precision);
  wire->set_scale(field.type.scale);
}

void to_wire(const runtime::Stamp& stamp, v1::Stamp* wire) {
  wire->set_generation(stamp.generation);
  wire->set_epoch(stamp.epoch);
  for (const auto& [partition, offset] : stamp.place) {
    auto* added = wire->add_offsets();
    added->set_topic(partition.topic);
    added->set_partition(partition.partition);
    added->set_next_offset(offset.value);
  }
  if (stamp.watermark != kNoEventTime) wire->set_watermark_us(stamp.watermark.us);
}

absl::StatusOr<Value> from_wire(const v1::Value& wire, Type type) {
  if (wire.kind_case() == v1::Value::KIND_NOT_SET) return Value::null(type);
  std::optional<Value> value = key_of_type(wire, type);
  if (!value) {
    return absl::InvalidArgumentError(absl::StrCat("the server sent ", describe(wire),
                                                   " for a column of type ", to_string(type)));
  }
  return *std::move(value);
}

absl::StatusOr<Row> from_wire(const v1::Row& wire, const operators::Schema& schema) {
  if (static_cast<size_t>(wire.values_size()) != schema.size()) {
    return absl::InternalError("the server sent a row with another number of values than columns");
  }
  Row row;
  for (size_t i = 0; i < schema.size(); ++i) {
    KAPPA_ASSIGN_OR_RETURN(Value value,
                           from_wire(wire.values(static_cast<int>(i)), schema[i].type));
    row.push_back(std::move(value));
  }
  return row;
}

operators::Field from_wire(const v1::Column& wire) {
  operators::Field field{wire.name(), {static_cast<TypeId>(wire.type()), 0, 0}};
  if (wire.type() == v1::DATA_TYPE_NUMERIC) {
    field.type = Type::numeric(static_cast<int>(wire.precision()), static_cast<int>(wire.scale()));
  }
  return field;
}

runtime::Stamp from_wire(const v1::Stamp& wire) {
  runtime::Stamp stamp;
  stamp.generation = wire.generation();
  stamp.epoch = wire.epoch();
  for (const auto& offset : wire.offsets()) {
    stamp.place.push_back({{offset.topic(), offset.partition()}, Offset{offset.next_offset()}});
  }
  if (wire.has_watermark_us()) stamp.watermark = EventTime{wire.watermark_us()};
  return stamp;
}

absl::StatusOr<Value> key_value(const v1::Value& wire, const operators::Field& column) {
  if (wire.kind_case() == v1::Value::KIND_NOT_SET) return Value::null(column.type);
  std::optional<Value> value = key_of_type(wire, column.type);
  if (!value) return mismatch(column, wire);
  return *std::move(value);
}

}  // namespace kappa::serve
