#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "state/store.h"

namespace kappa::state {

// What a generation is, written once when it is made. MANIFEST.json, in the format of
// durable_file.h.
struct GenerationManifest {
  uint64_t plan_fingerprint = 0;
  std::string plan_text;  // for people; the fingerprint decides
  std::string journal;    // the name of the order journal it follows
  std::string start;      // where in the log it began; opaque here
  bool operator==(const GenerationManifest&) const = default;
};

// A generation's directory, open: MANIFEST.json and db/.
//
//   (none) ─create─► made ─open─► open ─drop─► renamed, then removed
//
// The manifest is written last, so a directory without one is the remains of a crash.
struct OpenGeneration {
  GenerationManifest manifest;
  std::unique_ptr<StateStore> store;
};

// AlreadyExists: the generation is there. The remains of a crash are removed. `fill` makes the
// directory of its store with what is to be in it, and leaves it closed; null: nothing is in it.
using FillStore = std::function<absl::Status(const std::string& directory)>;
absl::StatusOr<OpenGeneration> create_generation(const std::string& path,
                                                 const GenerationManifest& manifest,
                                                 const FillStore& fill = nullptr);
// NotFound: there is no generation. DataLoss: damaged; says what.
absl::StatusOr<OpenGeneration> open_generation(const std::string& path);
absl::StatusOr<GenerationManifest> read_manifest(const std::string& path);
// Gone at once, even if removing its files is cut short. It must not be open.
absl::Status drop_generation(const std::string& path);
// Removes what drops that were cut short left in a product's generations directory.
absl::Status sweep_dropped_generations(const std::string& generations_path);

}  // namespace kappa::state
