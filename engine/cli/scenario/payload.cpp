#include "engine/cli/scenario/payload.h"

#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace kappa::cli::scenario {
namespace {

namespace pb = google::protobuf;

// The product's files by their paths, and the well-known types that are compiled in.
class ProductTree final : public pb::compiler::SourceTree {
 public:
  explicit ProductTree(const schemas::ProductFiles& files) : files_(files) {}

  pb::io::ZeroCopyInputStream* Open(const std::string& filename) override {
    std::string text;
    if (const auto file = files_.find(filename); file != files_.end()) {
      text = file->second;
    } else if (const auto* known = pb::DescriptorPool::generated_pool()->FindFileByName(filename)) {
      text = known->DebugString();
    } else {
      return nullptr;
    }
    opened_.push_back(std::make_unique<std::string>(std::move(text)));
    return new pb::io::ArrayInputStream(opened_.back()->data(),
                                        static_cast<int>(opened_.back()->size()));
  }

 private:
  const schemas::ProductFiles& files_;
  std::vector<std::unique_ptr<std::string>> opened_;  // outlive the streams over them
};

class Faults final : public pb::compiler::MultiFileErrorCollector {
 public:
  void AddError(const std::string& file, int line, int column,
                const std::string& message) override {
    absl::StrAppend(&text, file, ":", line + 1, ":", column + 1, ": ", message, "\n");
  }
  std::string text;
};

class DynamicPayload final : public ProtobufPayload {
 public:
  explicit DynamicPayload(const schemas::ProductFiles& files)
      : tree_(files), importer_(&tree_, &faults_) {}

  absl::Status load(const schemas::Source& source) {
    const pb::FileDescriptor* file = importer_.Import(source.proto_file);
    if (!file) return absl::InvalidArgumentError(faults_.text);
    const pb::Descriptor* type = importer_.pool()->FindMessageTypeByName(source.proto_message);
    if (!type) {
      return absl::InvalidArgumentError(
          absl::StrCat(source.proto_file, " has no message ", source.proto_message));
    }
    prototype_ = factory_.GetPrototype(type);
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> encode(const std::string& json) override {
    const std::unique_ptr<pb::Message> message(prototype_->New());
    const auto parsed = pb::util::JsonStringToMessage(json, message.get());
    if (!parsed.ok()) return absl::InvalidArgumentError(std::string(parsed.message()));
    return message->SerializeAsString();
  }

  absl::StatusOr<std::string> to_json(const std::string& bytes) override {
    const std::unique_ptr<pb::Message> message(prototype_->New());
    if (!message->ParseFromString(bytes)) {
      return absl::DataLossError(
          absl::StrCat("the record is no message ", message->GetDescriptor()->full_name()));
    }
    pb::util::JsonPrintOptions options;
    options.always_print_primitive_fields = true;
    options.preserve_proto_field_names = true;
    std::string printed;
    const auto status = pb::util::MessageToJsonString(*message, &printed, options);
    if (!status.ok()) return absl::DataLossError(std::string(status.message()));
    const auto present = nlohmann::ordered_json::parse(printed);
    nlohmann::ordered_json all = nlohmann::ordered_json::object();
    for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
      const std::string& name = message->GetDescriptor()->field(i)->name();
      all[name] = present.contains(name) ? present[name] : nlohmann::ordered_json();
    }
    return all.dump();
  }

 private:
  ProductTree tree_;
  Faults faults_;
  pb::compiler::Importer importer_;
  pb::DynamicMessageFactory factory_;
  const pb::Message* prototype_ = nullptr;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ProtobufPayload>> ProtobufPayload::make(
    const schemas::Source& source, const schemas::ProductFiles& files) {
  auto payload = std::make_unique<DynamicPayload>(files);
  if (absl::Status loaded = payload->load(source); !loaded.ok()) return loaded;
  return payload;
}

}  // namespace kappa::cli::scenario
