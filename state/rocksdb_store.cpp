#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include "absl/strings/str_cat.h"
#include "state/store.h"

// The StateStore on RocksDB. The only file that knows RocksDB.
namespace kappa::state {
namespace {

constexpr size_t kDefaultBudgetBytes = 256u << 20;
constexpr size_t kWriteBufferBytes = 64u << 20;
constexpr size_t kBlockBytes = 16u << 10;
constexpr size_t kKeptBatchBytesMax = 96u << 20;
constexpr int kOpenFilesMax = 512;

// What all stores of the process share: one budget for blocks and write buffers.
struct SharedMemory {
  std::shared_ptr<rocksdb::Cache> cache;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;

  SharedMemory() {
    rocksdb::LRUCacheOptions options;
    options.capacity = kDefaultBudgetBytes;
    options.strict_capacity_limit = false;  // a strict one makes reads fail
    cache = rocksdb::NewLRUCache(options);
    write_buffers = std::make_shared<rocksdb::WriteBufferManager>(kDefaultBudgetBytes / 2, cache);
  }
};

SharedMemory& shared_memory() {
  static auto* memory = new SharedMemory();  // stores may outlive static destructors
  return *memory;
}

rocksdb::Slice slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}
std::string_view view(const rocksdb::Slice& bytes) {
  return {bytes.data(), bytes.size()};
}

absl::Status to_status(const rocksdb::Status& status, const std::string& directory) {
  if (status.ok()) return absl::OkStatus();
  const std::string what = absl::StrCat("state in ", directory, ": ", status.ToString());
  if (status.IsNotFound()) return absl::NotFoundError(what);
  if (status.IsNoSpace()) {
    return absl::ResourceExhaustedError(absl::StrCat(what, "; free some space on the disk"));
  }
  if (status.IsCorruption()) return absl::DataLossError(what);
  return absl::UnavailableError(what);
}

// Remembers the first error of the store's background work: RocksDB tells the next writer only.
class ErrorListener final : public rocksdb::EventListener {
 public:
  explicit ErrorListener(std::string directory) : directory_(std::move(directory)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/,
                         rocksdb::Status* error) override {
    note(to_status(*error, directory_));
  }

  void note(const absl::Status& error) {
    const std::lock_guard lock(mutex_);
    if (failure_.ok()) failure_ = error;
  }
  absl::Status failure() const {
    const std::lock_guard lock(mutex_);
    return failure_;
  }

 private:
  const std::string directory_;
  mutable std::mutex mutex_;
  absl::Status failure_;
};

rocksdb::CompressionType bottom_compression() {
  const auto available = rocksdb::GetSupportedCompressions();
  for (const auto type : {rocksdb::kLZ4Compression, rocksdb::kZSTD}) {
    if (std::find(available.begin(), available.end(), type) != available.end()) return type;
  }
  return rocksdb::kNoCompression;
}

rocksdb::Options make_options(const std::shared_ptr<ErrorListener>& listener) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = kWriteBufferBytes;
  options.max_write_buffer_number = 3;
  options.write_buffer_manager = shared_memory().write_buffers;
  options.max_background_jobs = 2;
  options.max_open_files = kOpenFilesMax;
  options.listeners = {listener};
  options.max_bgerror_resume_count = 0;  // an error stays one until the store is opened anew
  options.track_and_verify_wals_in_manifest = false;
  // A crash may cut the write-ahead log anywhere: what is before the cut is a whole number of
  // checkpoints.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.keep_log_file_num = 4;
  options.stats_dump_period_sec = 0;
  // A checkpoint must not wait for compaction; delta blobs are gone soon anyway.
  options.level0_file_num_compaction_trigger = 8;
  options.level0_slowdown_writes_trigger = 40;
  options.level0_stop_writes_trigger = 64;
  options.soft_pending_compaction_bytes_limit = 0;
  options.hard_pending_compaction_bytes_limit = 0;
  options.compression = rocksdb::kNoCompression;
  options.compression_per_level.assign(static_cast<size_t>(options.num_levels),
                                       rocksdb::kNoCompression);
  for (size_t level = 3; level < options.compression_per_level.size(); ++level) {
    options.compression_per_level[level] = bottom_compression();
  }

  rocksdb::BlockBasedTableOptions table;
  table.block_cache = shared_memory().cache;
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.whole_key_filtering = true;
  table.block_size = kBlockBytes;
  table.format_version = 5;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

// A run on its way into the store; what a crash has left of one is of no use.
std::string run_file(const std::string& directory) {
  return absl::StrCat(directory, "/run.tmp");
}

class RocksdbStore final : public StateStore {
 public:
  RocksdbStore(std::string directory, std::shared_ptr<ErrorListener> listener,
               std::unique_ptr<rocksdb::DB> db)
      : directory_(std::move(directory)), listener_(std::move(listener)), db_(std::move(db)) {}

  ~RocksdbStore() override { rocksdb::CancelAllBackgroundWork(db_.get(), /*wait=*/true); }

  absl::Status write(const WriteBatch& batch, bool sync) override {
    if (absl::Status failure = listener_->failure(); !failure.ok()) return failure;
    const std::lock_guard lock(changes_mutex_);
    changes_.Clear();
    for (const WriteBatch::Change& change : batch.changes()) {
      rocksdb::Status added;
      switch (change.kind) {
        case WriteBatch::Change::Kind::kPut:
          added = changes_.Put(change.key, change.value);
          break;
        case WriteBatch::Change::Kind::kErase:
          added = changes_.Delete(change.key);
          break;
        case WriteBatch::Change::Kind::kEraseRange:
          if (change.key < change.value) {
            added = changes_.DeleteRange(db_->DefaultColumnFamily(), change.key, change.value);
          }
          break;
      }
      if (!added.ok()) return to_status(added, directory_);
    }
    rocksdb::WriteOptions options;
    options.sync = sync;
    absl::Status written = to_status(db_->Write(options, &changes_), directory_);
    if (!written.ok()) listener_->note(written);
    if (changes_.GetDataSize() > kKeptBatchBytesMax) changes_ = rocksdb::WriteBatch();
    return written;
  }

  // Neither the write-ahead log nor a write buffer sees a run: it is a table file from the start.
  // Only where memory holds nothing of its range, for adding files over that lost data (fixed in
  // 7.10).
  absl::Status add_run(std::span<const Entry> entries) override {
    if (absl::Status failure = listener_->failure(); !failure.ok()) return failure;
    const std::lock_guard lock(changes_mutex_);
    const std::string file = run_file(directory_);
    rocksdb::Options table = db_->GetOptions();
    table.compression_per_level.clear();  // a run is not long-lived enough to be worth compressing
    rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), table, db_->DefaultColumnFamily(),
                                  /*invalidate_page_cache=*/false);
    rocksdb::Status added = writer.Open(file);
    for (const auto& [key, value] : entries) {
      if (added.ok()) added = writer.Put(key, value);
    }
    if (added.ok()) added = writer.Finish();
    if (added.ok()) {
      rocksdb::IngestExternalFileOptions options;
      options.move_files = true;
      options.snapshot_consistency = false;  // no snapshot asks for keys that do not count yet
      options.allow_blocking_flush = false;
      options.write_global_seqno = false;
      added = db_->IngestExternalFile({file}, options);
    }
    if (added.ok()) return absl::OkStatus();
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    absl::Status status = to_status(added, directory_);
    listener_->note(status);
    return status;
  }

  absl::Status drop_run(std::string_view first, std::string_view last) override {
    const rocksdb::Slice from = slice(first);
    const rocksdb::Slice to = slice(last);
    return to_status(rocksdb::DeleteFilesInRange(db_.get(), db_->DefaultColumnFamily(), &from, &to),
                     directory_);
  }

  absl::StatusOr<std::string> get(std::string_view key) const override {
    std::string value;
    const rocksdb::Status found = db_->Get(rocksdb::ReadOptions(), slice(key), &value);
    if (found.IsNotFound()) return absl::NotFoundError("no such key in the store");
    if (!found.ok()) return to_status(found, directory_);
    return value;
  }

  absl::Status scan(std::string_view from, std::string_view to,
                    const std::function<bool(std::string_view key, std::string_view value)>& visit)
      const override {
    const rocksdb::Slice end = slice(to);
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &end;
    options.readahead_size = 1u << 20;
    options.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator(options));
    for (rows->Seek(slice(from)); rows->Valid(); rows->Next()) {
      if (!visit(view(rows->key()), view(rows->value()))) return absl::OkStatus();
    }
    return to_status(rows->status(), directory_);
  }

  size_t bytes_on_disk() const override {
    size_t bytes = 0;
    std::error_code error;
    for (const auto& file : std::filesystem::directory_iterator(directory_, error)) {
      const auto size = file.file_size(error);
      if (!error) bytes += size;
    }
    return bytes;
  }

  absl::Status copy_to(const std::string& directory) const override {
    rocksdb::Checkpoint* made = nullptr;
    rocksdb::Status copied = rocksdb::Checkpoint::Create(db_.get(), &made);
    const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
    if (copied.ok()) copied = checkpoint->CreateCheckpoint(directory);
    return to_status(copied, directory);
  }

 private:
  const std::string directory_;
  const std::shared_ptr<ErrorListener> listener_;
  const std::unique_ptr<rocksdb::DB> db_;
  // Kept from write to write, for its memory: taking as much afresh from the system each time costs
  // more than filling it.
  std::mutex changes_mutex_;
  rocksdb::WriteBatch changes_;
};

}  // namespace

void set_storage_budget(size_t bytes) {
  shared_memory().cache->SetCapacity(bytes);
  shared_memory().write_buffers->SetBufferSize(bytes / 2);
}

absl::StatusOr<std::unique_ptr<StateStore>> open_rocksdb_store(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("state in ", directory, ": cannot make the directory: ", error.message()));
  }
  auto listener = std::make_shared<ErrorListener>(directory);
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::Open(make_options(listener), directory, &db);
  if (!opened.ok()) return to_status(opened, directory);
  std::filesystem::remove(run_file(directory), error);  // not before it is nobody else's
  return std::make_unique<RocksdbStore>(directory, std::move(listener),
                                        std::unique_ptr<rocksdb::DB>(db));
}

}  // namespace kappa::state
