#pragma once

#include <span>

#include "engine/cli/doctor/examined.h"
#include "engine/cli/doctor/finding.h"

namespace kappa::cli::doctor {

// A check looks at the facts and adds what it finds. It touches nothing else.
using Check = void (*)(const Examined& examined, Findings* findings);

// The log (log_checks.cpp).
void check_log(const Examined& examined, Findings* findings);         // it answers
void check_topics(const Examined& examined, Findings* findings);      // what plans need is there
void check_access(const Examined& examined, Findings* findings);      // the ACLs that it takes
void check_partitions(const Examined& examined, Findings* findings);  // equal where keys meet

// What the log keeps (retention_checks.cpp).
void check_retention(const Examined& examined, Findings* findings);  // as long as plans look back
// Retention counts from the record's timestamp, so history that keeps its own times goes at once.
void check_old_records(const Examined& examined, Findings* findings);
// What records of mode 'upsert', and the outbox's place, stand on: the last of each key.
void check_compaction(const Examined& examined, Findings* findings);

// The machine (machine_checks.cpp).
void check_directory(const Examined& examined, Findings* findings);   // there, writable
void check_disk(const Examined& examined, Findings* findings);        // free space
void check_lock(const Examined& examined, Findings* findings);        // its holder serves
void check_clock(const Examined& examined, Findings* findings);       // not behind the log
void check_open_files(const Examined& examined, Findings* findings);  // the limit

// What runs (product_checks.cpp).
void check_products(const Examined& examined, Findings* findings);      // none has failed
void check_checkpoints(const Examined& examined, Findings* findings);   // they come
void check_dead_letters(const Examined& examined, Findings* findings);  // and late rows: none

// All of them, in the order in which they are told.
std::span<const Check> all_checks();
// What they find, errors first.
Findings run_checks(const Examined& examined);

}  // namespace kappa::cli::doctor
