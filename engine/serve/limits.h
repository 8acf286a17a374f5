#pragma once

#include <cstddef>
#include <cstdint>

namespace kappa::serve {

// What one server takes on. Every request is bounded by some of them.
struct ServerLimits {
  size_t message_bytes_max = 16u << 20;          // of a request
  int64_t query_ms_max = 30'000;                 // Sql, Scan and Inspect; a shorter deadline holds
  int64_t complete_ms_max = 3'600'000;           // Complete
  int64_t replay_ms_max = 3'600'000;             // CompareGenerations, SwapGeneration, RollBack
  int64_t stream_ms_max = 300'000;               // to take in the whole answer of Sql
  int64_t export_ms_max = 3'600'000;             // Export, to its end; a shorter deadline holds
  size_t query_rows_scanned_max = 50'000'000;    // Sql, and the first page of Scan
  size_t query_memory_bytes_max = 256u << 20;    // of one Sql
  size_t scan_memory_bytes_max = 64u << 20;      // of one Scan's cursor
  size_t cursors_memory_bytes_max = 256u << 20;  // of all cursors together
  int64_t cursor_idle_ms_max = 60'000;
  size_t keys_max = 10'000;         // of one MultiGet
  size_t samples_max = 100;         // of one view and kind of difference, of CompareGenerations
  size_t replay_files_max = 1'000;  // of one StartReplay
  size_t query_threads = 2;         // that run Sql, Scan and Export
  size_t queries_waiting_max = 64;  // for one of them
  size_t streams_max = 256;         // of Sql, Export, ReadTopic and Subscribe that are open
  size_t exports_max = 16;          // of these, Export: each pins its view as it was
  int64_t heartbeat_ms = 5'000;     // of Subscribe, unless the caller says
  int64_t heartbeat_ms_min = 100;
  int64_t heartbeat_ms_max = 60'000;
  int64_t score_ms_max = 10'000;  // of Score, and what a call without a deadline has
  int calls_per_connection_max = 128;
};

}  // namespace kappa::serve
