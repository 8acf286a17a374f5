#include "schemas/encoder.h"

#include <utility>

#include "schemas/protobuf_encoder.h"

namespace kappa::schemas {
namespace {

class JsonEncoder final : public RowEncoder {
 public:
  explicit JsonEncoder(std::vector<std::string> names) : names_(std::move(names)) {}

  absl::Status encode(std::span<const ColumnRef> columns, size_t row,
                      std::string* out) const override {
    encode_json(names_, columns, row, out);
    return absl::OkStatus();
  }
  bool can_fail() const override { return false; }

 private:
  std::vector<std::string> names_;
};

}  // namespace

std::vector<std::string> field_names(const Source& sink) {
  std::vector<std::string> names;
  for (const SourceColumn& column : sink.columns) {
    names.push_back(column.field.empty() ? column.name : column.field);
  }
  return names;
}

absl::StatusOr<std::unique_ptr<RowEncoder>> make_encoder(const Source& sink,
                                                         const ProductFiles& files) {
  if (sink.format == Format::kProtobuf) return make_protobuf_encoder(sink, files);
  return std::make_unique<JsonEncoder>(field_names(sink));
}

}  // namespace kappa::schemas
