#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/types/status_macros.h"
#include "state/data_directory.h"
#include "state/durable_file.h"

// The catalogue's file:
//
//   { "format": 1, "checksum": "crc32c:…", "products": [ { "name": …, "live_generation": 1,
//     "previous_live": 0, "last_generation": 1, "replay_records_per_second": 0,
//     "handover": { "from": 1, "to": 2, "outbox_next": 17 },
//     "generations": [ { "id": 1, "state": "live", "plan_fingerprint": "16 hex digits",
//                        "created": "RFC 3339", "paused": false, "cpu_cores_max": 0,
//                        "records_per_second_max": 0, "memory_bytes_max": 0,
//                        "paused_because": "", "keeps_following": false,
//                        "order": "journal", "from_ms": 0, "kept_views": [ name, … ],
//                        "files": { path: text, … } }, … ] }, … ] }
//
// What replays and swaps need (from previous_live and paused on) is not there in older files;
// "handover" is there while one is pending, "from_ms" of a generation that does not begin with the
// log's first record.
namespace kappa::state {
namespace {

using nlohmann::json;

constexpr int kFormat = 1;
constexpr const char* kStateNames[] = {"replaying", "ready", "live", "retired"};

constexpr const char* kOrderNames[] = {"journal", "log-time"};

void put_start(const ReplayStart& start, json* object) {
  (*object)["order"] = kOrderNames[static_cast<size_t>(start.order)];
  if (start.from_ms) (*object)["from_ms"] = *start.from_ms;
}

ReplayStart start_of(const json& object) {
  ReplayStart start;
  if (object.value("order", kOrderNames[0]) == kOrderNames[1]) {
    start.order = ReplayStart::Order::kLogTime;
  }
  if (object.contains("from_ms")) start.from_ms = object.at("from_ms").get<int64_t>();
  return start;
}

json to_json(const ProductInfo& product) {
  json generations = json::array();
  for (const GenerationInfo& generation : product.generations) {
    generations.push_back(
        {{"id", generation.id},
         {"state", kStateNames[static_cast<size_t>(generation.state)]},
         {"plan_fingerprint", absl::StrFormat("%016x", generation.plan_fingerprint)},
         {"created", generation.created},
         {"paused", generation.paused},
         {"cpu_cores_max", generation.cpu_cores_max},
         {"records_per_second_max", generation.records_per_second_max},
         {"memory_bytes_max", generation.memory_bytes_max},
         {"paused_because", generation.paused_because},
         {"keeps_following", generation.keeps_following},
         {"kept_views", generation.kept_views},
         {"files", generation.files}});
    put_start(generation.start, &generations.back());
  }
  json object = {{"name", product.name},
                 {"live_generation", product.live_generation},
                 {"previous_live", product.previous_live},
                 {"last_generation", product.last_generation},
                 {"replay_records_per_second", product.replay_records_per_second},
                 {"generations", std::move(generations)}};
  if (product.handover) {
    object["handover"] = {{"from", product.handover->from},
                          {"to", product.handover->to},
                          {"outbox_next", product.handover->outbox_next}};
  }
  return object;
}

// nlohmann throws json::exception if the object is not as to_json() makes it; open() catches.
GenerationInfo generation_of(const json& object) {
  GenerationInfo generation;
  generation.id = object.at("id").get<uint32_t>();
  const auto hex = object.at("plan_fingerprint").get<std::string>();
  std::from_chars(hex.data(), hex.data() + hex.size(), generation.plan_fingerprint, 16);
  generation.created = object.at("created").get<std::string>();
  generation.paused = object.value("paused", false);
  generation.cpu_cores_max = object.value("cpu_cores_max", 0.0);
  generation.records_per_second_max = object.value("records_per_second_max", 0.0);
  generation.memory_bytes_max = object.value("memory_bytes_max", uint64_t{0});
  generation.paused_because = object.value("paused_because", std::string());
  generation.keeps_following = object.value("keeps_following", false);
  generation.start = start_of(object);
  generation.kept_views = object.value("kept_views", std::vector<std::string>());
  generation.files = object.at("files").get<std::map<std::string, std::string>>();
  return generation;
}

std::optional<GenerationState> state_of(const json& object) {
  const auto name = object.at("state").get<std::string>();
  for (size_t state = 0; state < std::size(kStateNames); ++state) {
    if (name == kStateNames[state]) return static_cast<GenerationState>(state);
  }
  return std::nullopt;
}

// False if a generation is in no state that we know.
bool read_product(const json& object, ProductInfo* product) {
  product->name = object.at("name").get<std::string>();
  product->live_generation = object.at("live_generation").get<uint32_t>();
  product->previous_live = object.value("previous_live", 0u);
  product->last_generation = object.value("last_generation", 0u);
  product->replay_records_per_second = object.value("replay_records_per_second", 0.0);
  if (const auto handover = object.find("handover"); handover != object.end()) {
    product->handover = {handover->at("from").get<uint32_t>(), handover->at("to").get<uint32_t>(),
                         handover->at("outbox_next").get<uint64_t>()};
  }
  for (const json& entry : object.at("generations")) {
    const auto state = state_of(entry);
    if (!state) return false;
    product->generations.push_back(generation_of(entry));
    product->generations.back().state = *state;
    product->last_generation = std::max(product->last_generation, product->generations.back().id);
  }
  return true;
}

}  // namespace

absl::StatusOr<Catalogue> Catalogue::open(const std::string& data_path) {
  Catalogue catalogue;
  catalogue.path_ = data_path + "/catalogue.json";
  const auto text = read_file(catalogue.path_);
  if (absl::IsNotFound(text.status())) return catalogue;
  KAPPA_RETURN_IF_ERROR(text.status());
  KAPPA_ASSIGN_OR_RETURN(const std::string object, open_json(*text, kFormat, catalogue.path_));
  try {
    const json parsed = json::parse(object);  // outlives the loop over a part of it
    for (const json& product : parsed.at("products")) {
      if (read_product(product, &catalogue.products_.emplace_back())) continue;
      return absl::DataLossError(
          absl::StrCat(catalogue.path_, " is damaged: a generation of product \"",
                       catalogue.products_.back().name,
                       "\" is in none of the states replaying, ready, live, retired"));
    }
  } catch (const json::exception& error) {
    return absl::DataLossError(absl::StrCat(catalogue.path_, " is damaged: ", error.what()));
  }
  return catalogue;
}

const GenerationInfo* ProductInfo::find(uint32_t id) const {
  const auto found = std::find_if(generations.begin(), generations.end(),
                                  [&](const GenerationInfo& info) { return info.id == id; });
  return found == generations.end() ? nullptr : &*found;
}

GenerationInfo* ProductInfo::find(uint32_t id) {
  return const_cast<GenerationInfo*>(std::as_const(*this).find(id));
}

const ProductInfo* Catalogue::find(const std::string& product) const {
  const auto found = std::find_if(products_.begin(), products_.end(),
                                  [&](const ProductInfo& info) { return info.name == product; });
  return found == products_.end() ? nullptr : &*found;
}

absl::Status Catalogue::put(ProductInfo product) {
  std::vector<ProductInfo> products = products_;
  const auto found = std::find_if(products.begin(), products.end(), [&](const ProductInfo& info) {
    return info.name == product.name;
  });
  if (found == products.end()) {
    products.push_back(std::move(product));
  } else {
    *found = std::move(product);
  }
  std::string object;
  try {
    json list = json::array();
    for (const ProductInfo& info : products) list.push_back(to_json(info));
    object = json{{"products", std::move(list)}}.dump();
  } catch (const json::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("a product's files must be UTF-8 text: ", error.what()));
  }
  KAPPA_ASSIGN_OR_RETURN(const std::string text, seal_json(object, kFormat));
  KAPPA_RETURN_IF_ERROR(replace_file(path_, text));
  products_ = std::move(products);
  return absl::OkStatus();
}

}  // namespace kappa::state
