#include "schemas/decoder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"
#include "schemas/json_decoder.h"
#include "schemas/protobuf_decoder.h"
#include "schemas/upsert_decoder.h"

namespace kappa::schemas {
namespace {

absl::Status check_column(const Source& source, const SourceColumn& column) {
  const std::string where = absl::StrCat("source ", source.name, ", column ", column.name, ": ");
  const bool time = column.type.id == TypeId::kTimestamptz || column.type.id == TypeId::kDate;
  if (column.type.id == TypeId::kNull) return absl::InvalidArgumentError(where + "needs a type");
  if (column.unit != TimeUnit::kNone && !time) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, "the option unit is for timestamptz and date, not for ", to_string(column.type)));
  }
  if (!column.minor_units) return absl::OkStatus();
  if (column.type.id != TypeId::kNumeric || source.format != Format::kProtobuf) {
    return absl::InvalidArgumentError(
        where + "the option minor_units is for numeric columns of the format protobuf");
  }
  return absl::OkStatus();
}

absl::Status check_source(const Source& source) {
  for (size_t i = 0; i < source.columns.size(); ++i) {
    const SourceColumn& column = source.columns[i];
    KAPPA_RETURN_IF_ERROR(check_column(source, column));
    for (size_t k = 0; k < i; ++k) {
      if (source.columns[k].field != column.field) continue;
      return absl::InvalidArgumentError(absl::StrCat("source ", source.name, ": columns ",
                                                     source.columns[k].name, " and ", column.name,
                                                     " both take the field ", column.field));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Decoder>> make_payload_decoder(const Source& source,
                                                              std::vector<int> wanted,
                                                              const ProductFiles& files) {
  if (source.format == Format::kProtobuf)
    return make_protobuf_decoder(source, std::move(wanted), files);
  return make_json_decoder(source, std::move(wanted));
}

}  // namespace

void Decoder::decode(std::span<const RecordView> records, Arena& arena, Decoded* out) {
  std::vector<const RecordView*> addresses;
  addresses.reserve(records.size());
  for (const RecordView& record : records) addresses.push_back(&record);
  decode(addresses, arena, out);
}

absl::StatusOr<std::unique_ptr<Decoder>> make_decoder(const Source& source, std::vector<int> wanted,
                                                      const ProductFiles& files) {
  KAPPA_INVARIANT(std::is_sorted(wanted.begin(), wanted.end()), "wanted columns ascend");
  KAPPA_RETURN_IF_ERROR(check_source(source));
  if (source.upsert) {
    KAPPA_ASSIGN_OR_RETURN(auto payloads, make_payload_decoder(source, wanted, files));
    return make_upsert_decoder(source, std::move(wanted), std::move(payloads));
  }
  return make_payload_decoder(source, std::move(wanted), files);
}

}  // namespace kappa::schemas
