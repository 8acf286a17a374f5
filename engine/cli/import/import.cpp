#include "engine/cli/import/import.h"

#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/cli/import/ledger.h"
#include "engine/serve/api_error.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"

namespace kappa::cli {
namespace {

constexpr size_t kBatchRecords = 20'000;
constexpr size_t kBatchBytes = 3 << 20;
// What a run that goes on has to read back is what was appended in this time.
constexpr std::chrono::seconds kSaveInterval{2};

// The number of the record that a field of an AppendRequest is of: 3 for "records[3].value".
std::optional<size_t> record_of_field(std::string_view field) {
  size_t index = 0;
  constexpr std::string_view kBefore = "records[";
  if (!field.starts_with(kBefore)) return std::nullopt;
  const char* const begin = field.data() + kBefore.size();
  const auto parsed = std::from_chars(begin, field.data() + field.size(), index);
  return parsed.ec == std::errc() ? std::optional(index) : std::nullopt;
}

}  // namespace

void Import::Batch::add(serve::RecordToSend record, int64_t line, std::string_view text) {
  bytes += record.value->size() + text.size();
  records.push_back(std::move(record));
  lines.push_back(line);
  texts += text;
  text_ends.push_back(texts.size());
}

std::string_view Import::Batch::text(size_t i) const {
  const size_t begin = i == 0 ? 0 : text_ends[i - 1];
  return std::string_view(texts).substr(begin, text_ends[i] - begin);
}

Import::Import(Options options, serve::Client* client, RecordReader* reader, Mapping* mapping,
               ImportLedger* ledger, BadLines* bad)
    : options_(std::move(options)),
      client_(client),
      reader_(reader),
      mapping_(mapping),
      ledger_(ledger),
      bad_(bad),
      next_save_(std::chrono::steady_clock::now() + kSaveInterval) {}

Import::~Import() {
  if (sent_.valid()) sent_.wait();
}

absl::Status Import::run() {
  KAPPA_RETURN_IF_ERROR(bad_->begin(ledger_->goes_on()));
  KAPPA_RETURN_IF_ERROR(ledger_->begin());
  const absl::Status read = read_all();
  // What was read is kept, whatever ended the reading.
  absl::Status sent = settle();
  if (sent.ok()) sent = send(/*last=*/true);
  if (sent.ok()) sent = settle();
  bar_.clear();
  KAPPA_RETURN_IF_ERROR(sent);
  KAPPA_RETURN_IF_ERROR(read.ok() ? ledger_->finish() : ledger_->save());
  return read;
}

absl::Status Import::read_all() {
  InputRecord input;
  while (true) {
    KAPPA_ASSIGN_OR_RETURN(const bool found, reader_->next(&input));
    if (!found) return absl::OkStatus();
    KAPPA_RETURN_IF_ERROR(take(input));
    bar_.show(appended_ + already_, reader_->source().position(), reader_->source().size());
  }
}

absl::Status Import::take(const InputRecord& input) {
  if (!input.fault.empty()) return set_aside(input.line, input.fault, input.text);
  serve::RecordToSend record;
  const absl::Status mapped = mapping_->map(input, &record);
  if (!mapped.ok()) return set_aside(input.line, to_std(mapped.message()), input.text);
  // The record alone decides: only so can another run tell where it was appended.
  record.partition = record.key ? log::partition_for_key(*record.key, options_.partitions)
                                : static_cast<int32_t>(input.line % options_.partitions);
  if (ledger_->in_log(*record.partition, input.line)) {
    already_ += bad_->holds(input.line) ? 0 : 1;
    return absl::OkStatus();
  }
  record.headers = ledger_->headers(input.line);
  const size_t bytes = batch_.bytes + record.value->size();
  if (!batch_.records.empty() && (batch_.records.size() >= kBatchRecords || bytes > kBatchBytes)) {
    KAPPA_RETURN_IF_ERROR(send(/*last=*/false));
  }
  batch_.add(std::move(record), input.line, input.text);
  return absl::OkStatus();
}

absl::Status Import::set_aside(int64_t line, std::string_view reason, std::string_view text) {
  bar_.clear();
  KAPPA_RETURN_IF_ERROR(bad_->add(line, reason, text));
  if (static_cast<int64_t>(bad_->count()) <= options_.bad_max) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "there are more than ", options_.bad_max, " bad lines, the last is line ", line, ": ",
      to_absl(reason), "; see ", bad_->path(), ", or let more of them pass with --bad-max"));
}

absl::Status Import::send(bool last) {
  KAPPA_RETURN_IF_ERROR(settle());
  if (batch_.records.empty()) return absl::OkStatus();
  sending_ = std::exchange(batch_, {});
  synced_ = last || !ledger_->remembers();
  start_sending();
  return absl::OkStatus();
}

void Import::start_sending() {
  sent_ = std::async(std::launch::async,
                     [this] { return client_->append(options_.topic, sending_.records, synced_); });
}

// Waits for the batch under way. What the topic's contract refuses of it is set aside, the rest is
// sent again: a request is appended as a whole or not at all.
absl::Status Import::settle() {
  while (sent_.valid()) {
    const auto at = sent_.get();
    if (at.ok()) {
      ledger_->appended(*at, sending_.lines);
      appended_ += static_cast<int64_t>(at->size());
    } else {
      KAPPA_RETURN_IF_ERROR(drop_refused(at.status()));
      if (!sending_.records.empty()) start_sending();
    }
  }
  if (std::chrono::steady_clock::now() < next_save_) return absl::OkStatus();
  next_save_ = std::chrono::steady_clock::now() + kSaveInterval;
  return ledger_->save();
}

absl::Status Import::drop_refused(const absl::Status& refused) {
  const serve::ErrorDetails details = serve::details_of(refused);
  std::map<size_t, std::string> faults;
  for (const serve::FieldViolation& violation : details.violations) {
    const auto index = record_of_field(violation.field);
    if (index && *index < sending_.records.size()) faults.emplace(*index, violation.description);
  }
  if (details.reason != "CONTRACT_VIOLATION" || faults.empty()) return refused;
  const auto product = details.metadata.find("product");
  const std::string who = product == details.metadata.end() ? "" : " " + product->second;
  Batch rest;
  absl::Status status;
  for (size_t i = 0; i < sending_.records.size(); ++i) {
    const auto fault = faults.find(i);
    if (fault == faults.end()) {
      rest.add(std::move(sending_.records[i]), sending_.lines[i], sending_.text(i));
    } else if (status.ok()) {
      status = set_aside(
          sending_.lines[i],
          absl::StrCat("it does not meet what product", who, " declares: ", fault->second),
          sending_.text(i));
    }
  }
  sending_ = std::move(rest);
  return status;
}

}  // namespace kappa::cli
