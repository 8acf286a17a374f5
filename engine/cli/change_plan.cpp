#include "engine/cli/change_plan.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/cli/compiled_product.h"
#include "engine/cli/line_diff.h"
#include "engine/cli/product_files.h"
#include "engine/cli/replay/estimate_text.h"
#include "engine/cli/terminal.h"
#include "engine/types/clock.h"
#include "engine/types/status_macros.h"
#include "replay/changed_outputs.h"
#include "replay/new_generation.h"

namespace kappa::cli {
namespace {

using Json = nlohmann::ordered_json;
using replay::Change;
using replay::PartChange;
using replay::ReplayRange;

// What whoever serves the product tells.
struct Served {
  std::vector<ReplayRange> ranges;
  double records_per_second = 0;  // while it is busy; 0: not known
};
absl::StatusOr<Served> ask(ConnectOptions connect, const std::string& product,
                           const operators::Plan& plan, const replay::Course& course) {
  connect.with_products = true;
  KAPPA_ASSIGN_OR_RETURN(const auto connection, Connection::open(std::move(connect)));
  std::optional<LogTime> from;
  if (course.start.from_ms) from = LogTime{*course.start.from_ms};
  KAPPA_ASSIGN_OR_RETURN(const auto topics, connection->client().topics(from));
  KAPPA_ASSIGN_OR_RETURN(const auto info, connection->client().inspect(product, false));
  std::vector<replay::TopicRanges> log;
  log.reserve(topics.size());
  for (const serve::TopicStatus& topic : topics) {
    log.push_back({topic.info.name, topic.partitions, topic.at_time});
  }
  const serve::ProductInfo& served = info.products.front();
  return Served{replay::replay_ranges(plan, course.sources, log, served.stamp.place),
                replay::rate_of(served.stats.busy_records, served.stats.busy_seconds)};
}

const char* change_text(Change change) {
  switch (change) {
    case Change::kNone:
      return "none";
    case Change::kAdded:
      return "added";
    case Change::kChanged:
      return "changed";
    case Change::kUpstream:
      return "upstream";
    case Change::kRemoved:
      return "removed";
  }
  return "";
}

const char* kind_text(const PartChange& part) {
  return part.kind == PartChange::Kind::kView ? "view" : "output";
}

struct Mark {
  const char* sign;
  Style style;
};
Mark mark_of(const PartChange& part) {
  switch (part.change) {
    case Change::kAdded:
      return {"+", Style::kGreen};
    case Change::kRemoved:
      return {"-", Style::kRed};
    case Change::kChanged:
    case Change::kUpstream:
      return {"~", Style::kYellow};
    case Change::kNone:
      break;
  }
  return {"=", Style::kDim};
}

size_t views_that_are_equal(const ChangePlan& plan) {
  return static_cast<size_t>(
      std::count_if(plan.change.parts.begin(), plan.change.parts.end(), [](const auto& part) {
        return part.kind == PartChange::Kind::kView && part.change == Change::kNone &&
               !part.replayed;
      }));
}

// "2 views do not change, and bring their state along".
std::string text_of_equal(size_t views, const char* one, const char* many) {
  if (views == 0) return "";
  return absl::StrCat("    ", views, views == 1 ? " view does" : " views do", " not change, and ",
                      views == 1 ? one : many, "\n");
}

void print_statement(const PartChange& part) {
  for (const DiffLine& line : line_diff(part.before, part.after)) {
    const std::string text =
        absl::StrCat("      ", std::string(1, static_cast<char>(line.side)), " ", line.text, "\n");
    print(line.side == DiffLine::Side::kBoth    ? text
          : line.side == DiffLine::Side::kAfter ? styled(Style::kGreen, text)
                                                : styled(Style::kRed, text));
  }
}

void print_part(const PartChange& part) {
  const Mark mark = mark_of(part);
  print(absl::StrCat(
      "  ", styled(mark.style, absl::StrCat(mark.sign, " ", kind_text(part), " ", part.name)), "  ",
      part.because, part.replayed ? "; replayed" : "", "\n"));
  if (part.change == Change::kChanged) print_statement(part);
}

std::string message_of(const absl::Status& status) {
  return std::string(status.message());
}

Json or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

void print_warning(const std::string& what, const std::string& because) {
  if (because.empty()) return;
  print(styled(Style::kYellow, absl::StrCat("\n", what, because, "\n")));
}

// "A replay begins at 2026-11-01T08:00:00Z and goes by log time.": if not as usual.
std::string text_of_course(const state::ReplayStart& start) {
  std::vector<std::string> parts;
  if (start.from_ms) parts.push_back(absl::StrCat("begins at ", from_text(start)));
  if (start.order == state::ReplayStart::Order::kLogTime) parts.push_back("goes by log time");
  return parts.empty() ? "" : absl::StrCat("A replay ", absl::StrJoin(parts, " and "), ".\n");
}

// A topic's partitions in one line. `later`: of a replay that begins at a time.
void print_ranges(const std::vector<ReplayRange>& ranges, bool later) {
  for (auto begin = ranges.begin(); begin != ranges.end();) {
    const std::string& topic = begin->partition.topic;
    const auto end = std::find_if(begin, ranges.end(),
                                  [&](const ReplayRange& r) { return r.partition.topic != topic; });
    int64_t records = 0;
    int64_t missing = 0;
    for (auto range = begin; range != end; ++range) {
      records += range->records();
      missing += range->missing;
    }
    print(absl::StrCat("  ", topic, "  ", end - begin, " partitions, ", records, " records\n"));
    if (missing > 0) {
      print(styled(Style::kYellow,
                   absl::StrCat("    the log no longer has ", missing, " before these",
                                later ? ", some maybe not earlier than that" : "",
                                ": what came of them would be missing\n")));
    }
    begin = end;
  }
}

void print_estimate(const ChangePlan& plan) {
  print(absl::StrCat(estimate_text(plan.time, plan.disk), "\n"));
  if (!plan.disk.fits()) print(styled(Style::kYellow, "  more than is free: it would not fit\n"));
}

void print_none(const ChangePlan& plan) {
  const std::string differ =
      plan.files.empty()
          ? ""
          : absl::StrCat(" (differing to no effect: ", absl::StrJoin(plan.files, ", "), ")");
  print(absl::StrCat("product ", plan.product, ": the files say what generation ", plan.generation,
                     " does; nothing changes", differ,
                     plan.again ? ", but all is computed again\n" : "\n"));
}

void print_parts(const ChangePlan& plan) {
  print(absl::StrCat("product ", plan.product, ", against generation ", plan.generation, "\n\n"));
  for (const PartChange& part : plan.change.parts) {
    if (part.change != Change::kNone || part.replayed) print_part(part);
  }
  const size_t kept = plan.kept_views.size();
  print(text_of_equal(kept, "brings its state along", "bring their state along"));
  print(
      text_of_equal(views_that_are_equal(plan) - kept, "is computed again", "are computed again"));
}

// The one that is being made of these files, or is ready.
std::optional<uint32_t> replay_of(const state::ProductInfo& product, const ProductFiles& files) {
  std::optional<uint32_t> made;
  for (const state::GenerationInfo& generation : product.generations) {
    if (replay::is_replay(generation) && generation.files == files.files) made = generation.id;
  }
  return made;
}

}  // namespace

int64_t ChangePlan::records() const {
  return std::accumulate(ranges.begin(), ranges.end(), int64_t{0},
                         [](int64_t sum, const ReplayRange& r) { return sum + r.records(); });
}

absl::StatusOr<ChangePlan> make_change_plan(const std::string& directory,
                                            const ConnectOptions& connect,
                                            const CourseOptions& options, double rate_max) {
  KAPPA_ASSIGN_OR_RETURN(const ProductFiles files, read_product(directory));
  KAPPA_ASSIGN_OR_RETURN(const operators::Plan after, compile_plan(files));
  KAPPA_RETURN_IF_ERROR(replay::check_start(options.start(), SystemClock().now()));
  const std::string& data = connect.data;
  KAPPA_ASSIGN_OR_RETURN(const state::Catalogue catalogue, state::Catalogue::open(data));
  const state::ProductInfo* live = catalogue.find(files.name);
  if (!live) {
    return absl::NotFoundError(absl::StrCat(
        "there is no product ", files.name, " in the data directory ", data,
        " yet, so everything in its files would be new; kappa serve --product takes it up"));
  }
  const ProductFiles old_files = live_files(*live);
  KAPPA_ASSIGN_OR_RETURN(const operators::Plan before, compile_plan(old_files));
  const schemas::ProductFiles old_protos = old_files.protos();
  const schemas::ProductFiles new_protos = files.protos();
  ChangePlan plan;
  plan.product = files.name;
  plan.generation = live->live_generation;
  plan.made = replay_of(*live, files);
  plan.start = options.start();
  plan.recompute_all = options.recompute_all;
  plan.files = different_files(old_files.files, files.files);
  plan.change = replay::compare({before, old_protos}, {after, new_protos});
  const replay::Course course =
      replay::make_course(before, live->find(live->live_generation)->start, after, plan.start,
                          plan.change, plan.recompute_all);
  // A course that the live generation has gone already keeps what it has: there is nothing to do.
  plan.again = plan.change.none() && options.forces() && !course.keeps();
  if (!plan.has_replay()) return plan;
  plan.kept_views = course.kept_views;
  plan.refused_because = message_of(replay::check_readable(
      replay::changed_outputs({before, old_protos}, {after, new_protos}), after, files.files));
  plan.no_way_back_because = message_of(replay::check_readable(
      replay::changed_outputs({after, new_protos}, {before, old_protos}), before, old_files.files));
  KAPPA_ASSIGN_OR_RETURN(Served served, ask(connect, files.name, after, course));
  plan.ranges = std::move(served.ranges);
  plan.time = replay::estimate_time(
      plan.records(), {live->replay_records_per_second, served.records_per_second, rate_max});
  plan.disk =
      replay::estimate_disk(state::generation_path(data, files.name, live->live_generation));
  return plan;
}

Json to_json(const ChangePlan& plan) {
  Json json;
  json["product"] = plan.product;
  json["generation"] = plan.generation;
  json["from_timestamp"] = or_null(from_text(plan.start));
  json["order"] = order_text(plan.start.order);
  json["recompute_all"] = plan.recompute_all;
  json["changes"] = !plan.change.none();
  json["files"] = plan.files;
  json["parts"] = Json::array();
  for (const PartChange& part : plan.change.parts) {
    json["parts"].push_back({{"kind", kind_text(part)},
                             {"name", part.name},
                             {"change", change_text(part.change)},
                             {"replayed", part.replayed},
                             {"because", part.because},
                             {"before", part.before},
                             {"after", part.after}});
  }
  json["kept_views"] = plan.kept_views;
  json["refused_because"] = or_null(plan.refused_because);
  json["no_way_back_because"] = or_null(plan.no_way_back_because);
  json["ranges"] = Json::array();
  for (const ReplayRange& range : plan.ranges) {
    json["ranges"].push_back({{"topic", range.partition.topic},
                              {"partition", range.partition.partition},
                              {"from", range.from.value},
                              {"to", range.to.value},
                              {"records", range.records()},
                              {"missing", range.missing}});
  }
  json["records"] = plan.records();
  json.update(to_json(plan.time, plan.disk));
  return json;
}

void print_change_plan(const ChangePlan& plan) {
  if (plan.change.none()) {
    print_none(plan);
  } else {
    print_parts(plan);
  }
  if (!plan.has_replay()) return;
  print_warning("A replay of these files would be refused: ", plan.refused_because);
  print_warning("From there would be no way back: ", plan.no_way_back_because);
  print("\n" + text_of_course(plan.start));
  if (plan.ranges.empty()) return print("A replay has nothing to read from the log.\n");
  print(absl::StrCat("A replay reads ", plan.records(), " records at most:\n"));
  print_ranges(plan.ranges, plan.start.from_ms.has_value());
  print_estimate(plan);
}

}  // namespace kappa::cli
