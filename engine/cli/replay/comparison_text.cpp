#include "engine/cli/replay/comparison_text.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/cli/place_text.h"
#include "engine/cli/table.h"
#include "engine/cli/terminal.h"
#include "engine/cli/value_json.h"
#include "engine/sql/suggest.h"

namespace kappa::cli {
namespace {

using Json = nlohmann::ordered_json;
using serve::Comparison;
using serve::ViewDifference;

constexpr const char* kAllViews = "*";  // of the API

std::string checksum_text(uint64_t checksum) {
  return absl::StrFormat("%016x", checksum);
}

std::string cell(const Row& row, size_t column) {
  return column < row.size() ? on_one_line(to_text(row[column])) : "NULL";
}

// "store s1, sales 4 → 5": a row, or two versions of one.
std::string sample_text(const ViewDifference& view, const ViewDifference::Sample& sample) {
  std::string text;
  for (size_t i = 0; i < view.sample_columns.size(); ++i) {
    const std::string before = sample.before ? cell(*sample.before, i) : "";
    const std::string after = sample.after ? cell(*sample.after, i) : "";
    absl::StrAppend(&text, i == 0 ? "" : ", ", view.sample_columns[i], " ");
    if (sample.before && sample.after && before != after) {
      absl::StrAppend(&text, before, " → ", after);
    } else {
      text += sample.after ? after : before;
    }
  }
  return text;
}

void append_samples(const ViewDifference& view, std::string* text) {
  for (const ViewDifference::Sample& sample : view.samples) {
    const char* sign = !sample.before ? "+" : !sample.after ? "-" : "~";
    const Style style = !sample.before  ? Style::kGreen
                        : !sample.after ? Style::kRed
                                        : Style::kYellow;
    absl::StrAppend(text, "      ",
                    styled(style, absl::StrCat(sign, " ", sample_text(view, sample))), "\n");
  }
}

std::string rows_text(const ViewDifference& view) {
  if (view.rows_before == view.rows_after) return absl::StrCat(view.rows_before, " rows");
  return absl::StrCat(view.rows_before, " → ", view.rows_after, " rows");
}

void append_details(const ViewDifference& view, std::string* text) {
  const auto line = [&](const std::string& name, const std::string& what) {
    if (!what.empty()) absl::StrAppend(text, "      ", name, what, "\n");
  };
  line("changed in    ", absl::StrJoin(view.columns, ", ", [](std::string* out, const auto& one) {
         absl::StrAppend(out, one.first, " (", one.second, ")");
       }));
  line("only before   ", absl::StrJoin(view.columns_before, ", "));
  line("only after    ", absl::StrJoin(view.columns_after, ", "));
  line("checksums     ", absl::StrCat(checksum_text(view.checksum_before), " → ",
                                      checksum_text(view.checksum_after)));
  append_samples(view, text);
}

void append_view(const ViewDifference& view, size_t width, std::string* text) {
  const std::string name = absl::StrCat(view.view, std::string(width - view.view.size(), ' '));
  if (!view.incomparable.empty()) {
    absl::StrAppend(text, "  ", styled(Style::kRed, "! " + name), "  ", rows_text(view), ": ",
                    on_one_line(view.incomparable), "\n");
  } else if (view.equal()) {
    absl::StrAppend(text, "  ", styled(Style::kDim, "= " + name), "  ", rows_text(view),
                    ", checksum ", checksum_text(view.checksum_after), "\n");
  } else {
    absl::StrAppend(text, "  ", styled(Style::kYellow, "~ " + name), "  ", rows_text(view), ": ",
                    view.changed, " changed, ", view.added, " added, ", view.removed, " removed\n");
    append_details(view, text);
  }
}

Json row_json(const ViewDifference& view, const std::optional<Row>& row) {
  if (!row) return nullptr;
  Json json = Json::object();
  for (size_t i = 0; i < view.sample_columns.size() && i < row->size(); ++i) {
    json[view.sample_columns[i]] = to_json((*row)[i]);
  }
  return json;
}

Json view_json(const ViewDifference& view) {
  Json json;
  json["view"] = view.view;
  json["equal"] = view.equal();
  if (!view.incomparable.empty()) json["incomparable"] = view.incomparable;
  json["rows_before"] = view.rows_before;
  json["rows_after"] = view.rows_after;
  json["checksum_before"] = checksum_text(view.checksum_before);
  json["checksum_after"] = checksum_text(view.checksum_after);
  json["changed"] = view.changed;
  json["added"] = view.added;
  json["removed"] = view.removed;
  json["columns"] = Json::object();
  for (const auto& [column, rows] : view.columns) json["columns"][column] = rows;
  json["columns_before"] = view.columns_before;
  json["columns_after"] = view.columns_after;
  json["samples"] = Json::array();
  for (const ViewDifference::Sample& sample : view.samples) {
    json["samples"].push_back(
        {{"before", row_json(view, sample.before)}, {"after", row_json(view, sample.after)}});
  }
  return json;
}

Json place_json(const Comparison& comparison) {
  runtime::Stamp stamp;
  stamp.place = comparison.place;
  return cli::place_json(stamp);
}

}  // namespace

std::string comparison_text(const Comparison& comparison) {
  std::string text =
      absl::StrCat("generation ", comparison.after, " against generation ", comparison.before,
                   ", both at ", place_json(comparison).dump(), "\n\n");
  size_t width = 0;
  size_t equal = 0;
  for (const ViewDifference& view : comparison.views) {
    width = std::max(width, view.view.size());
    equal += view.equal() ? 1 : 0;
  }
  for (const ViewDifference& view : comparison.views) append_view(view, width, &text);
  absl::StrAppend(&text, "\n", equal, " of ", comparison.views.size(),
                  comparison.views.size() == 1 ? " view" : " views",
                  equal == 1 ? " is equal\n" : " are equal\n");
  return text;
}

nlohmann::ordered_json to_json(const Comparison& comparison) {
  Json json;
  json["before"] = comparison.before;
  json["after"] = comparison.after;
  json["place"] = place_json(comparison);
  json["equal"] = comparison.equal();
  json["views"] = Json::array();
  for (const ViewDifference& view : comparison.views) json["views"].push_back(view_json(view));
  return json;
}

std::vector<std::string> required_views(const std::vector<std::string>& given) {
  if (std::find(given.begin(), given.end(), "all") != given.end()) return {kAllViews};
  return given;
}

absl::StatusOr<std::vector<std::string>> unequal_views(const Comparison& comparison,
                                                       const std::vector<std::string>& required) {
  const bool all = std::find(required.begin(), required.end(), kAllViews) != required.end();
  std::vector<std::string> names;
  std::vector<std::string> unequal;
  for (const ViewDifference& view : comparison.views) {
    names.push_back(view.view);
    const bool wanted =
        all || std::find(required.begin(), required.end(), view.view) != required.end();
    if (wanted && !view.equal()) unequal.push_back(view.view);
  }
  for (const std::string& view : required) {
    if (view == kAllViews || std::find(names.begin(), names.end(), view) != names.end()) continue;
    return absl::NotFoundError(absl::StrCat("--require-equal: there is no view \"", view, "\"; ",
                                            sql::suggestion(view, names, "views are")));
  }
  return unequal;
}

}  // namespace kappa::cli
