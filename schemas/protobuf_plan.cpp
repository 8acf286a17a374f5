#include "schemas/protobuf_plan.h"

#include <algorithm>
#include <limits>
#include <memory>

#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor_database.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/timestamp.pb.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "kappa/v1/contract.pb.h"

namespace kappa::schemas {
namespace {

namespace pb = google::protobuf;

// The product's files as the compiler of .proto files wants them.
class ProductSourceTree final : public pb::compiler::SourceTree {
 public:
  ProductSourceTree(const ProductFiles& files, const std::string& main) : files_(files) {
    const size_t slash = main.rfind('/');
    if (slash != std::string::npos) directory_ = main.substr(0, slash + 1);
  }

  pb::io::ZeroCopyInputStream* Open(const std::string& name) override {
    auto file = files_.find(name);
    if (file == files_.end()) file = files_.find(directory_ + name);
    if (file == files_.end()) return nullptr;
    return new pb::io::ArrayInputStream(file->second.data(), static_cast<int>(file->second.size()));
  }
  std::string GetLastErrorMessage() override { return "there is no such file in the product"; }

 private:
  const ProductFiles& files_;
  std::string directory_;
};

class ErrorList final : public pb::compiler::MultiFileErrorCollector {
 public:
  // Lines and columns count from 0; -1 where there is none.
  void AddError(const std::string& file, int line, int column,
                const std::string& message) override {
    if (line < 0) {
      errors_.push_back(absl::StrCat(file, ": ", message));
    } else {
      errors_.push_back(absl::StrCat(file, ":", line + 1, ":", column + 1, ": ", message));
    }
  }
  std::string text() const { return absl::StrJoin(errors_, "\n"); }
  bool empty() const { return errors_.empty(); }

 private:
  std::vector<std::string> errors_;
};

// "events/sales.proto:12:3: " for what `descriptor` describes.
template <typename Descriptor>
std::string place_of(const pb::FileDescriptor* file, const Descriptor* descriptor) {
  pb::SourceLocation location;
  if (!descriptor->GetSourceLocation(&location)) return absl::StrCat(file->name(), ": ");
  return absl::StrCat(file->name(), ":", location.start_line + 1, ":", location.start_column + 1,
                      ": ");
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& names) {
  const std::string closest = closest_name(name, names);
  if (!closest.empty()) return absl::StrCat("; did you mean ", closest, "?");
  if (names.empty()) return "; it has none";
  return absl::StrCat("; there are ", absl::StrJoin(names, ", "));
}

void collect_messages(const pb::Descriptor* message, std::vector<std::string>* names) {
  names->push_back(message->full_name());
  for (int i = 0; i < message->nested_type_count(); ++i) {
    collect_messages(message->nested_type(i), names);
  }
}

absl::StatusOr<const pb::Descriptor*> find_message(const Source& source,
                                                   const pb::FileDescriptor* file) {
  if (const auto* message = file->pool()->FindMessageTypeByName(source.proto_message)) {
    return message;
  }
  std::vector<std::string> names;
  for (int i = 0; i < file->message_type_count(); ++i) {
    collect_messages(file->message_type(i), &names);
  }
  return absl::InvalidArgumentError(absl::StrCat(source.proto_file, ": there is no message ",
                                                 source.proto_message,
                                                 did_you_mean(source.proto_message, names)));
}

ProtoKind message_kind(const pb::Descriptor* message, bool* known) {
  *known = true;
  if (message->full_name() == "google.protobuf.Timestamp") return ProtoKind::kTimestamp;
  if (message->full_name() == "google.protobuf.Duration") return ProtoKind::kDuration;
  *known = false;
  return ProtoKind::kBytes;
}

// The kind of a field; `known` is false for groups and for messages that no column takes.
ProtoKind kind_of(const pb::FieldDescriptor* field, bool* known) {
  *known = true;
  switch (field->type()) {
    case pb::FieldDescriptor::TYPE_BOOL:
      return ProtoKind::kBool;
    case pb::FieldDescriptor::TYPE_ENUM:
    case pb::FieldDescriptor::TYPE_INT32:
      return ProtoKind::kInt32;
    case pb::FieldDescriptor::TYPE_INT64:
      return ProtoKind::kInt64;
    case pb::FieldDescriptor::TYPE_UINT32:
      return ProtoKind::kUint32;
    case pb::FieldDescriptor::TYPE_UINT64:
      return ProtoKind::kUint64;
    case pb::FieldDescriptor::TYPE_SINT32:
      return ProtoKind::kSint32;
    case pb::FieldDescriptor::TYPE_SINT64:
      return ProtoKind::kSint64;
    case pb::FieldDescriptor::TYPE_FIXED32:
      return ProtoKind::kFixed32;
    case pb::FieldDescriptor::TYPE_FIXED64:
      return ProtoKind::kFixed64;
    case pb::FieldDescriptor::TYPE_SFIXED32:
      return ProtoKind::kSfixed32;
    case pb::FieldDescriptor::TYPE_SFIXED64:
      return ProtoKind::kSfixed64;
    case pb::FieldDescriptor::TYPE_FLOAT:
      return ProtoKind::kFloat;
    case pb::FieldDescriptor::TYPE_DOUBLE:
      return ProtoKind::kDouble;
    case pb::FieldDescriptor::TYPE_STRING:
      return ProtoKind::kString;
    case pb::FieldDescriptor::TYPE_BYTES:
      return ProtoKind::kBytes;
    case pb::FieldDescriptor::TYPE_MESSAGE:
      return message_kind(field->message_type(), known);
    case pb::FieldDescriptor::TYPE_GROUP:
      break;
  }
  *known = false;
  return ProtoKind::kBytes;
}

bool is_integer(ProtoKind kind) {
  return kind >= ProtoKind::kInt32 && kind <= ProtoKind::kSfixed64;
}

// Whether a column takes fields of a kind, and which kinds it takes, for the message if not.
bool takes(const SourceColumn& column, const ProtoColumn& plan, std::string* kinds) {
  const ProtoKind kind = plan.kind;
  switch (column.type.id) {
    case TypeId::kBoolean:
      *kinds = "bool";
      return kind == ProtoKind::kBool;
    case TypeId::kInteger:
    case TypeId::kBigint:
      *kinds = "integers and enums";
      return is_integer(kind);
    case TypeId::kDouble:
      *kinds = "double and float";
      return kind == ProtoKind::kDouble || kind == ProtoKind::kFloat;
    case TypeId::kNumeric:
      *kinds = column.minor_units ? "integers with the option minor_units"
                                  : "string, or integers with the option minor_units";
      if (plan.is_enum) return false;
      return column.minor_units ? is_integer(kind) : kind == ProtoKind::kString;
    case TypeId::kText:
      *kinds = "string and enums";
      return kind == ProtoKind::kString || plan.is_enum;
    case TypeId::kBytea:
      *kinds = "bytes";
      return kind == ProtoKind::kBytes;
    case TypeId::kTimestamptz:
      *kinds = "google.protobuf.Timestamp, or integers with the option unit";
      if (column.unit == TimeUnit::kNone) return kind == ProtoKind::kTimestamp;
      return is_integer(kind) && !plan.is_enum;
    case TypeId::kDate:
      *kinds = "string, or integers with the option unit";
      if (column.unit == TimeUnit::kNone) return kind == ProtoKind::kString;
      return is_integer(kind) && !plan.is_enum;
    case TypeId::kInterval:
      *kinds = "google.protobuf.Duration and string";
      return kind == ProtoKind::kDuration || kind == ProtoKind::kString;
    case TypeId::kNull:
      break;
  }
  return false;
}

std::string expected_value(const SourceColumn& column) {
  switch (column.type.id) {
    case TypeId::kInteger:
      return absl::StrCat("a whole number from ", std::numeric_limits<int32_t>::min(), " to ",
                          std::numeric_limits<int32_t>::max());
    case TypeId::kBigint:
      return absl::StrCat("a whole number from ", std::numeric_limits<int64_t>::min(), " to ",
                          std::numeric_limits<int64_t>::max());
    case TypeId::kNumeric:
      return absl::StrCat("a number with at most ", column.type.precision - column.type.scale,
                          " digits before and ", column.type.scale, " after the point");
    case TypeId::kText:
      return "UTF-8 of at most 16 MiB, without the character U+0000";
    case TypeId::kBytea:
      return "at most 16 MiB";
    case TypeId::kTimestamptz:
      return "a time in the years 0001 to 9999";
    case TypeId::kDate:
      return "a date like 2018-04-01";
    case TypeId::kInterval:
      return "an interval like \"1 day 02:00:00\" or a valid Duration";
    default:
      return to_string(column.type);
  }
}

absl::StatusOr<ProtoColumn> plan_column(const SourceColumn& column, const pb::Descriptor* message) {
  const pb::FieldDescriptor* const field = message->FindFieldByName(column.field);
  if (field == nullptr) {
    std::vector<std::string> names;
    names.reserve(static_cast<size_t>(message->field_count()));
    for (int i = 0; i < message->field_count(); ++i) names.push_back(message->field(i)->name());
    return absl::InvalidArgumentError(absl::StrCat(
        place_of(message->file(), message), "message ", message->full_name(), " has no field ",
        column.field, " for column ", column.name, did_you_mean(column.field, names)));
  }
  const std::string place = place_of(field->file(), field);
  if (field->is_repeated()) {
    return absl::InvalidArgumentError(
        absl::StrCat(place, "field ", field->name(), " is ", field->is_map() ? "a map" : "repeated",
                     "; column ", column.name, " takes a single value"));
  }
  ProtoColumn plan;
  plan.name = column.name;
  plan.type = column.type;
  plan.unit = column.unit;
  plan.number = static_cast<uint32_t>(field->number());
  plan.has_presence = field->has_presence();
  plan.wire_required = field->is_required();
  bool known = false;
  plan.kind = kind_of(field, &known);
  plan.expected = expected_value(column);
  if (const pb::EnumDescriptor* const type = field->enum_type()) {
    plan.is_enum = true;
    plan.closed_enum = field->file()->syntax() == pb::FileDescriptor::SYNTAX_PROTO2;
    for (int i = 0; i < type->value_count(); ++i) {
      plan.enum_names.emplace(type->value(i)->number(), type->value(i)->name());
    }
  }
  std::string kinds;
  if (takes(column, plan, &kinds) && known) return plan;
  const std::string type = field->message_type() != nullptr ? field->message_type()->full_name()
                                                            : std::string(field->type_name());
  return absl::InvalidArgumentError(absl::StrCat(place, "field ", field->name(), " is of type ",
                                                 type, ", but column ", column.name, " of type ",
                                                 to_string(column.type), " takes ", kinds));
}

void plan_required(const pb::Descriptor* message, ProtoPlan* plan) {
  for (int i = 0; i < message->field_count(); ++i) {
    const pb::FieldDescriptor* const field = message->field(i);
    const bool has_column =
        std::any_of(plan->columns.begin(), plan->columns.end(), [&](const ProtoColumn& column) {
          return column.number == static_cast<uint32_t>(field->number());
        });
    if (!field->is_required() || has_column) continue;
    plan->required_without_column.push_back(
        absl::StrCat(place_of(field->file(), field), "field ", field->name()));
  }
}

void plan_oneofs(const pb::Descriptor* message, ProtoPlan* plan) {
  for (int i = 0; i < message->real_oneof_decl_count(); ++i) {
    const pb::OneofDescriptor* const oneof = message->oneof_decl(i);
    std::vector<size_t> columns;
    for (size_t c = 0; c < plan->columns.size(); ++c) {
      const auto* field = message->FindFieldByNumber(static_cast<int>(plan->columns[c].number));
      if (field->real_containing_oneof() == oneof) columns.push_back(c);
    }
    for (int k = 0; k < oneof->field_count(); ++k) {
      bool known = false;
      OneofMember member;
      member.number = static_cast<uint32_t>(oneof->field(k)->number());
      member.kind = kind_of(oneof->field(k), &known);
      for (const size_t column : columns) {
        if (plan->columns[column].number != member.number) member.others.push_back(column);
      }
      if (!member.others.empty()) plan->oneofs.push_back(std::move(member));
    }
  }
}

}  // namespace

WireType wire_type_of(ProtoKind kind) {
  switch (kind) {
    case ProtoKind::kFixed64:
    case ProtoKind::kSfixed64:
    case ProtoKind::kDouble:
      return WireType::kFixed64;
    case ProtoKind::kFixed32:
    case ProtoKind::kSfixed32:
    case ProtoKind::kFloat:
      return WireType::kFixed32;
    case ProtoKind::kString:
    case ProtoKind::kBytes:
    case ProtoKind::kTimestamp:
    case ProtoKind::kDuration:
      return WireType::kBytes;
    default:
      return WireType::kVarint;
  }
}

absl::StatusOr<ProtoPlan> plan_protobuf(const Source& source, const ProductFiles& files) {
  // Naming these types makes sure that they are linked, and so in the generated pool.
  pb::Timestamp::descriptor();
  pb::Duration::descriptor();
  v1::FieldContract::descriptor();
  ProductSourceTree tree(files, source.proto_file);
  pb::DescriptorPoolDatabase well_known(*pb::DescriptorPool::generated_pool());
  pb::compiler::SourceTreeDescriptorDatabase database(&tree, &well_known);
  ErrorList errors;
  database.RecordErrorsTo(&errors);
  pb::DescriptorPool pool(&database, database.GetValidationErrorCollector());
  pool.EnforceWeakDependencies(true);
  if (files.find(source.proto_file) == files.end()) {
    std::vector<std::string> names;
    for (const auto& [name, text] : files) {
      if (std::string_view(name).ends_with(".proto")) names.push_back(name);
    }
    return absl::InvalidArgumentError(absl::StrCat("source ", source.name, ": there is no file ",
                                                   source.proto_file, " in the product",
                                                   did_you_mean(source.proto_file, names)));
  }
  const pb::FileDescriptor* const file = pool.FindFileByName(source.proto_file);
  if (file == nullptr || !errors.empty()) {
    return absl::InvalidArgumentError(
        errors.empty() ? absl::StrCat(source.proto_file, ": cannot be read") : errors.text());
  }
  KAPPA_ASSIGN_OR_RETURN(const pb::Descriptor* const message, find_message(source, file));
  ProtoPlan plan;
  for (const SourceColumn& column : source.columns) {
    KAPPA_ASSIGN_OR_RETURN(ProtoColumn planned, plan_column(column, message));
    plan.columns.push_back(std::move(planned));
  }
  plan_oneofs(message, &plan);
  plan_required(message, &plan);
  for (const pb::Descriptor* at = message; at != nullptr; at = at->containing_type()) {
    plan.message_indexes.insert(plan.message_indexes.begin(), at->index());
  }
  return plan;
}

}  // namespace kappa::schemas
