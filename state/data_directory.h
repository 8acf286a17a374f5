#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace kappa::state {

// The files of one process's data:
//
//   LOCK                            who owns the directory: pid, command, gRPC address; locked
//   catalogue.json                  the truth about products and generations; replaced atomically
//   LOG                             which log products read; engine/cli/log_choice.h
//   log/                            the embedded log
//   products/NAME/journal           the order journal
//   products/NAME/generations/ID/   one complete state: MANIFEST.json and db/ (RocksDB)
struct LockHolder {
  int pid = 0;
  std::string command;  // "kappa serve"
  std::string address;  // gRPC address, once it listens; may be empty
};

// Where a generation is in the data directory, whoever holds it.
std::string generation_path(const std::string& data, const std::string& product,
                            uint32_t generation);

// Holds the lock on a data directory for as long as it lives. The kernel frees it when the process
// dies, however it dies. The lock belongs to the open file (F_OFD_SETLK): unlike flock() it can be
// asked for without being taken, so looking who holds it disturbs nobody. Children do not inherit
// it across exec().
class DataDirectory {
 public:
  // Makes the directory if need be. Unavailable: another process holds it; the message names the
  // holder (pid, command, address) and the flag to use another one.
  static absl::StatusOr<std::unique_ptr<DataDirectory>> lock(const std::string& path,
                                                             const std::string& command);
  ~DataDirectory();
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  // Writes the address into LOCK, so that other commands find the server.
  absl::Status publish_address(const std::string& address);

  const std::string& path() const { return path_; }
  std::string log_path() const;
  std::string product_path(const std::string& product) const;
  std::string journal_path(const std::string& product) const;
  std::string generations_path(const std::string& product) const;
  std::string generation_path(const std::string& product, uint32_t generation) const;

 private:
  DataDirectory(std::string path, int fd, LockHolder holder);
  absl::Status write_holder() const;

  std::string path_;
  int fd_;
  LockHolder holder_;
};

// Who holds the lock, without taking it: nullopt if nobody does. The holder's pid is 0 while it has
// not said yet who it is.
absl::StatusOr<std::optional<LockHolder>> lock_holder(const std::string& path);

enum class GenerationState : uint8_t { kReplaying, kReady, kLive, kRetired };

// Where in a log a generation begins, and in which order it takes what was there before it.
struct ReplayStart {
  enum class Order : uint8_t {
    kJournal,  // that of the product's order journal
    kLogTime,  // by record timestamp over all partitions, as if all had been there at once
  };
  Order order = Order::kJournal;
  std::optional<int64_t>
      from_ms;  // timestamp of the first record of each partition; nullopt: its start
  bool operator==(const ReplayStart&) const = default;
};

struct GenerationInfo {
  uint32_t id = 0;
  GenerationState state = GenerationState::kLive;
  uint64_t plan_fingerprint = 0;
  std::map<std::string, std::string> files;  // SQL, .proto, contract: by path in the product
  std::string created;                       // RFC 3339
  bool paused = false;                       // of one that replays
  double cpu_cores_max = 0;                  // what it may take while it does; 0: no limit
  double records_per_second_max = 0;
  uint64_t memory_bytes_max = 0;
  std::string paused_because = {};  // if nobody has asked for it
  bool keeps_following = false;     // of one that is retired: it goes on applying what arrives
  ReplayStart start = {};
  // Views whose state the generation that was live has given along: they were not computed again.
  std::vector<std::string> kept_views = {};
};

// A generation leads in the place of another one, and topics that hold a relation's rows by key may
// still hold the former one's (replay/handover.h): what is to be done before anything else.
struct Handover {
  uint32_t from = 0;
  uint32_t to = 0;
  uint64_t outbox_next = 0;  // the number of the first output that the former one did not cause
  bool operator==(const Handover&) const = default;
};

struct ProductInfo {
  std::string name;
  uint32_t live_generation = 0;
  std::vector<GenerationInfo> generations;  // ascending by id
  uint32_t previous_live = 0;               // the one that was live before; 0: none
  uint32_t last_generation = 0;             // the highest id ever given; none is given twice
  std::optional<Handover> handover = {};    // that is not done yet
  double replay_records_per_second = 0;     // that its last replay reached; 0: not known

  const GenerationInfo* find(uint32_t id) const;
  GenerationInfo* find(uint32_t id);
};

// catalogue.json, in the format of durable_file.h. Read whole, replaced whole. One thread.
class Catalogue {
 public:
  // An empty one if there is no file. DataLoss: damaged, or of a newer format.
  static absl::StatusOr<Catalogue> open(const std::string& data_path);

  const std::vector<ProductInfo>& products() const { return products_; }
  const ProductInfo* find(const std::string& product) const;
  // Replaces or adds a product; durable on return.
  absl::Status put(ProductInfo product);

 private:
  std::string path_;
  std::vector<ProductInfo> products_;
};

}  // namespace kappa::state
