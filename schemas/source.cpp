#include "schemas/source.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace kappa::schemas {
namespace {

// Names are quoted, so that no name can be mistaken for what stands around it.
std::string quoted(const std::string& name) {
  return absl::StrCat("\"", absl::CHexEscape(name), "\"");
}

std::string describe_unit(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kNone:
      return "";
    case TimeUnit::kSeconds:
      return " unit s";
    case TimeUnit::kMillis:
      return " unit ms";
    case TimeUnit::kMicros:
      return " unit us";
    case TimeUnit::kNanos:
      return " unit ns";
  }
  return "";
}

std::string describe_column(const SourceColumn& column) {
  return absl::StrCat(quoted(column.name), " ", to_string(column.type), " from ",
                      quoted(column.field), column.not_null ? " not null" : "",
                      describe_unit(column.unit), column.minor_units ? " minor units" : "");
}

}  // namespace

std::string describe(const Source& source) {
  std::string out = absl::StrCat("source ", quoted(source.name), " topic ", quoted(source.topic));
  if (source.format == Format::kJson) {
    out += " format json";
  } else {
    absl::StrAppend(&out, " format protobuf ", quoted(source.proto_file), " message ",
                    quoted(source.proto_message));
  }
  out += " (";
  for (size_t i = 0; i < source.columns.size(); ++i) {
    absl::StrAppend(&out, i == 0 ? "" : ", ", describe_column(source.columns[i]));
  }
  out += ") primary key (";
  for (size_t i = 0; i < source.primary_key.size(); ++i) {
    absl::StrAppend(&out, i == 0 ? "" : ", ", source.primary_key[i]);
  }
  out += source.upsert ? ") upsert" : ")";
  if (source.event_time) absl::StrAppend(&out, " event time ", *source.event_time);
  absl::StrAppend(&out, " out of orderness ", source.out_of_orderness_us, " max future ",
                  source.max_future_us);
  if (source.idle_timeout_us) absl::StrAppend(&out, " idle timeout ", *source.idle_timeout_us);
  return out;
}

}  // namespace kappa::schemas
