#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/log/log.h"
#include "engine/runtime/pipeline.h"
#include "test/runtime/model/model.h"
#include "test/runtime/model/plan_generator.h"

// Engine against model, in words: an error says what differs.
namespace kappa::runtime {

using Lines = std::vector<std::string>;

// The first difference of two lists of lines.
absl::Status differ(const std::string& what, const Lines& expected, const Lines& actual);
// The same of two texts, line by line.
absl::Status differ_in_text(const std::string& what, const std::string& expected,
                            const std::string& actual);

// What a query of one view sees. Some of its rows are looked up by their keys, too; a lookup that
// finds another row is an error.
struct SeenView {
  Lines lines;  // a row each ("1|NULL|x"), sorted
  Stamp stamp;
  Snapshot::Waiting waiting;
  std::vector<Row> rows;
};
absl::StatusOr<SeenView> see_view(const operators::Plan& plan, Snapshot& snapshot,
                                  const std::string& name);

// The key of a view's row; not by_record.
Row key_of(const operators::ViewNode& view, const Row& row);

// Rows, waiting rows and watermark.
absl::Status compare_view(const std::string& what, const SeenView& view, const std::string& name,
                          const model::Model& model);
// The numbers of late rows and duplicates.
absl::Status compare_counts(const std::string& what, const PipelineStats& stats,
                            const model::Model& model);
// Where each partition is applied up to; 0 if it is not among `applied`.
absl::Status compare_place(const std::string& what, const Stamp& stamp,
                           const std::map<TopicPartition, int64_t>& applied);
// What was published: late rows and dead letters by the records that caused them, outputs with
// their payloads and in the order.
absl::Status compare_published(const log::Log& log, const model::GeneratedPlan& generated,
                               const model::Model& model);

}  // namespace kappa::runtime
