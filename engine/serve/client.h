#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/log/log.h"
#include "engine/runtime/pipeline.h"
#include "engine/runtime/query_executor.h"
#include "engine/runtime/reads.h"
#include "engine/serve/generations.h"
#include "engine/types/time.h"
#include "engine/types/value.h"
#include "operators/plan.h"

namespace kappa::serve {

struct ClientOptions {
  std::string server = "127.0.0.1:7070";
  // The server's certificate authority, PEM. Empty: the system's, unless the address is loopback
  // or `insecure` is set; then there is no TLS.
  std::string ca_file;
  std::string certificate_file;  // the client's own, if the server asks for one
  std::string key_file;
  std::string server_name;  // in the server's certificate, if it is not the host's
  std::string token_file;   // holds a bearer token
  bool insecure = false;
  int64_t timeout_ms = 30'000;  // of every call but one that follows, completes or exports
};

// Rows of an answer.
struct RowsAnswer {
  runtime::Stamp stamp;
  operators::Schema schema;
  std::vector<Row> rows;
};
struct QueryAnswer : RowsAnswer {
  std::vector<runtime::WaitingRows> waiting;
};
struct KeyedAnswer {
  runtime::Stamp stamp;
  operators::Schema schema;
  std::vector<std::optional<Row>> rows;  // one a key
};

struct ViewInfo {
  std::string product;
  std::string name;
  operators::Schema columns;
  std::vector<std::string> key;
  bool keyed_by_record = false;
  operators::Emit emit = operators::Emit::kChanges;
  std::string event_time;  // empty: none
};

// Bounds of a scan, as in ScanRequest.
struct ScanBounds {
  Row prefix;
  Row start;
  Row end;
};

// What is exported, as in ExportRequest.
struct ExportRequest {
  std::string product;
  std::string view;
  std::vector<std::string> columns;  // empty: all
  std::string where;                 // empty: all rows
};
struct ExportSummary {
  runtime::Stamp stamp;
  int64_t rows = 0;
  std::optional<runtime::WaitingRows> waiting;
};

struct TopicStatus {
  log::TopicInfo info;
  std::vector<log::PartitionRange> partitions;
  // If a time was asked for, of each partition the first offset whose record's timestamp is not
  // earlier; the end if there is none.
  std::vector<Offset> at_time;
};

struct RecordToSend {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::optional<LogTime> timestamp;
  std::optional<int32_t> partition;
  RecordHeaders headers;
};

struct TopicReadOptions {
  enum class From { kBeginning, kEnd, kOffset, kTimestamp };
  std::optional<int32_t> partition;  // nullopt: all
  From from = From::kBeginning;
  Offset offset;
  LogTime timestamp{0};
  int64_t limit = 0;  // 0: none
  bool follow = false;
};

struct SubscribeOptions {
  std::string resume_token;     // empty: none
  bool from_beginning = false;  // without a token
  int64_t heartbeat_ms = 0;     // 0: as the server does
};

// A message of a stream of an output: one of them, or a header, which has nothing of its own.
struct OutputEvent {
  struct Change {
    std::optional<Row> row;  // nullopt: the row of `key` is gone
    Row key;                 // of the columns key_columns
    LogTime timestamp;
    TopicPartition partition;
    Offset offset;
  };
  struct Heartbeat {
    std::optional<runtime::Stamp> stamp;
  };
  struct Lagged {
    TopicPartition partition;
    Offset from;
    Offset to;
  };
  struct GenerationChanged {
    uint32_t from = 0;
    uint32_t to = 0;
  };
  struct Unreadable {
    TopicPartition partition;
    Offset offset;
    std::string reason;
  };
  // As the last header has them.
  operators::Schema columns;
  std::vector<std::string> key_columns;
  std::string resume_token;
  std::variant<std::monostate, Change, Heartbeat, Lagged, GenerationChanged, Unreadable> what;
};

struct ReceivedRecord {
  int32_t partition = 0;
  Offset offset;
  LogTime timestamp;
  std::optional<std::string> key;
  std::optional<std::string> value;
  RecordHeaders headers;
};

// What a product declares of a topic that it reads.
struct DeclaredSource {
  std::string topic;
  schemas::Format format = schemas::Format::kJson;
  operators::Schema fields;  // by their names in the payload
};

struct ProductInfo {
  std::string name;
  std::string state;  // "restoring", "running", "failed"
  std::string failure;
  runtime::Stamp stamp;
  std::string plan_fingerprint;
  runtime::PipelineStats stats;
  std::string checksum;
  std::vector<DeclaredSource> sources;
};
struct ServerInfo {
  std::string version;
  std::vector<ProductInfo> products;
};

// Speaks to a `kappa serve`. Errors are what the server said, with its details (see api_error.h);
// Unavailable names the address if nobody answers there. Thread-safe.
class Client {
 public:
  // Does not connect yet. InvalidArgument: an option is wrong.
  static absl::StatusOr<std::unique_ptr<Client>> make(const ClientOptions& options);
  ~Client();

  // An empty product means the only one that is served.
  absl::StatusOr<QueryAnswer> query(const std::string& product, const std::string& sql);
  absl::StatusOr<KeyedAnswer> get(const std::string& product, const std::string& view,
                                  const std::vector<Row>& keys);
  // Calls `on_page` for each page, until it returns false.
  absl::Status scan(const std::string& product, const std::string& view, const ScanBounds& bounds,
                    const std::function<bool(RowsAnswer page)>& on_page, int page_size = 0);
  // Calls `on_rows` for each batch of rows, first with none, so that columns are known; an error of
  // its own ends the export and is returned. However long it takes: the server bounds it.
  absl::StatusOr<ExportSummary> export_view(
      const ExportRequest& request,
      const std::function<absl::Status(const RowsAnswer& batch)>& on_rows);
  absl::StatusOr<std::vector<ViewInfo>> views(const std::string& product);

  // Calls `on_event` for each message of an output's stream, until it returns false; that ends the
  // call with OK.
  absl::Status subscribe(const std::string& product, const std::string& output,
                         const SubscribeOptions& options,
                         const std::function<bool(const OutputEvent& event)>& on_event);

  // `synced`: acknowledged once the records are on stable storage. Many records go in several
  // requests: after an error those of earlier requests are in the log.
  absl::StatusOr<std::vector<log::AppendedAt>> append(const std::string& topic,
                                                      const std::vector<RecordToSend>& records,
                                                      bool synced = true);

  // `at`: where in the partitions that time is, too. Unimplemented: the server is too old to say.
  absl::StatusOr<std::vector<TopicStatus>> topics(std::optional<LogTime> at = {});
  absl::Status create_topic(const std::string& name, const log::TopicConfig& config);
  // Calls `on_record` for each record, until it returns false; that ends the call with OK.
  absl::Status read_topic(const std::string& topic, const TopicReadOptions& options,
                          const std::function<bool(ReceivedRecord record)>& on_record);
  absl::StatusOr<ServerInfo> inspect(const std::string& product, bool checksum);
  // Applies everything that the log holds and then closes every window; however long that takes.
  absl::Status complete(const std::string& product);

  // Replays, as GenerationControl has them (generations.h). What may take long has a timeout of its
  // own, and the server's bound.
  absl::StatusOr<std::vector<GenerationStatus>> generations(const std::string& product);
  absl::StatusOr<GenerationStatus> start_replay(const std::string& product,
                                                const ReplayRequest& replay);
  absl::Status pause_replay(const std::string& product, uint32_t generation);
  absl::Status resume_replay(const std::string& product, uint32_t generation,
                             const std::optional<ReplayBudget>& budget);
  absl::Status cancel_replay(const std::string& product, uint32_t generation);
  absl::StatusOr<Comparison> compare_generations(const std::string& product, uint32_t generation,
                                                 size_t samples_max, int64_t timeout_ms);
  absl::StatusOr<SwapReport> swap_generation(const std::string& product, const SwapRequest& swap,
                                             int64_t timeout_ms);
  absl::StatusOr<SwapReport> roll_back(const std::string& product, bool keep_following,
                                       int64_t timeout_ms);
  absl::StatusOr<std::vector<uint32_t>> drop_retired_generations(const std::string& product,
                                                                 size_t keep);

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kappa::serve
