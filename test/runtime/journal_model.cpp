#include "test/runtime/journal_model.h"

#include "engine/runtime/order_journal.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {

using model::Entry;

namespace {

Entry taken_by(const JournalEntry& entry, const AppendedRecords& appended, const AppliedTo& place) {
  Entry taken{.kind = Entry::Kind::kRecords, .clock_ms = entry.clock.ms, .records = {}};
  if (entry.kind == JournalEntry::Kind::kTick) taken.kind = Entry::Kind::kTick;
  if (entry.kind == JournalEntry::Kind::kEnd) taken.kind = Entry::Kind::kEnd;
  for (const JournalEntry::Advance& advance : entry.advances) {
    const auto& records = appended.at(advance.partition);
    const auto from = place.find(advance.partition);
    for (int64_t offset = from == place.end() ? 0 : from->second; offset < advance.to.value;
         ++offset) {
      taken.records.push_back(records[static_cast<size_t>(offset)]);
    }
  }
  return taken;
}

}  // namespace

absl::Status append_next(int64_t count, model::RecordGenerator* records, ManualClock* clock,
                         log::Log* log, AppendedRecords* appended) {
  for (; count > 0; --count) {
    model::GeneratedRecord made = records->next();
    clock->set(LogTime{records->now_ms()});
    log::RecordToAppend record;
    if (made.payload) record.value = *made.payload;
    record.timestamp = LogTime{made.record.timestamp_ms};
    record.partition = made.record.partition;
    KAPPA_ASSIGN_OR_RETURN(const auto at, log->append(made.record.topic, {&record, 1}));
    made.record.offset = at[0].offset.value;
    (*appended)[{made.record.topic, made.record.partition}].push_back(made.record);
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> apply_journal(const std::string& journal_path,
                                      const AppendedRecords& appended, model::Model* model,
                                      const std::function<void(const AppliedTo&)>& at) {
  KAPPA_ASSIGN_OR_RETURN(const auto journal, OrderJournal::open(journal_path, false));
  AppliedTo place;
  if (at) at(place);
  for (int64_t entries = 0;; ++entries) {
    KAPPA_ASSIGN_OR_RETURN(const auto entry, journal->next());
    if (!entry) return entries;
    model->apply(taken_by(*entry, appended, place), [&](const model::Record& record) {
      place[{record.topic, record.partition}] = record.offset + 1;
      if (at) at(place);
    });
    if (at) at(place);
  }
}

}  // namespace kappa::runtime
