// Reading librdkafka's statistics.

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/log/kafka/client.h"

namespace kappa::log {
namespace {

using nlohmann::json;

// A request has been answered by nobody for that long: longer than a fetch waits for records.
constexpr int64_t kSilenceUsMax = 3'000'000;

int64_t integer(const json& object, const char* name, int64_t otherwise) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<int64_t>() : otherwise;
}

// Why a broker does not answer; empty: it does, as far as one can tell.
std::string silence_of(const json& broker) {
  const std::string name = broker.value("name", std::string());
  const std::string state = broker.value("state", std::string());
  if (state != "UP") return absl::StrCat("its leader ", name, " is out of reach (", state, ")");
  const int64_t silent_us = integer(broker, "rxidle", 0);
  if (integer(broker, "waitresp_cnt", 0) > 0 && silent_us > kSilenceUsMax) {
    return absl::StrCat("its leader ", name, " has not answered for ", silent_us / 1'000'000, " s");
  }
  return "";
}

std::map<int64_t, std::string> silences_of(const json& brokers) {
  std::map<int64_t, std::string> silences;
  for (const json& broker : brokers) {
    if (const int64_t id = integer(broker, "nodeid", -1); id >= 0)
      silences[id] = silence_of(broker);
  }
  return silences;
}

PartitionStatistics partition_of(const json& partition,
                                 const std::map<int64_t, std::string>& silences) {
  PartitionStatistics found;
  found.log_start = integer(partition, "lo_offset", -1);
  found.high_watermark = integer(partition, "hi_offset", -1);
  found.last_stable = integer(partition, "ls_offset", -1);
  found.queued_records = integer(partition, "fetchq_cnt", 0);
  found.queued_bytes = integer(partition, "fetchq_size", 0);
  const auto silence = silences.find(integer(partition, "leader", -1));
  found.out_of_reach = silence == silences.end() ? "it has no leader" : silence->second;
  return found;
}

}  // namespace

ClientStatistics parse_statistics(std::string_view text) {
  ClientStatistics statistics;
  const json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object()) return statistics;
  statistics.received_bytes = integer(root, "rx_bytes", 0);
  statistics.sent_bytes = integer(root, "tx_bytes", 0);
  statistics.requests = integer(root, "tx", 0);
  const json brokers = root.value("brokers", json::object());
  for (const json& broker : brokers) {
    statistics.request_errors += integer(broker, "txerrs", 0) + integer(broker, "req_timeouts", 0);
  }
  const auto silences = silences_of(brokers);
  const json topics = root.value("topics", json::object());
  for (const auto& [topic, fields] : topics.items()) {
    for (const json& partition : fields.value("partitions", json::object())) {
      const int64_t number = integer(partition, "partition", -1);
      if (number < 0 || !partition.value("desired", false)) continue;
      statistics.partitions[{topic, static_cast<int32_t>(number)}] =
          partition_of(partition, silences);
    }
  }
  return statistics;
}

}  // namespace kappa::log
