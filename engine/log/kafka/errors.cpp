#include "engine/log/kafka/errors.h"

#include <librdkafka/rdkafka.h>

#include "absl/strings/str_cat.h"

namespace kappa::log {
namespace {

absl::StatusCode code_of(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__WAIT_CACHE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__IN_PROGRESS:
    case RD_KAFKA_RESP_ERR__DESTROY:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
      return absl::StatusCode::kUnavailable;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      return absl::StatusCode::kNotFound;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return absl::StatusCode::kPermissionDenied;
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
      return absl::StatusCode::kUnauthenticated;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return absl::StatusCode::kInvalidArgument;
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
      return absl::StatusCode::kAlreadyExists;
    default:
      return absl::StatusCode::kInternal;
  }
}

// What to do about an error that no waiting mends; empty: there is nothing to add.
std::string_view remedy_of(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return "give the user an ACL on the topic: Describe and Read on what is read, Describe and "
             "Write on what is written (outputs, dead letters, late rows), all three on "
             "PRODUCT.kappa-outbox; Create, or make the topic beforehand";
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return "give the user an ACL: Describe and Write on the transactional id kappa.PRODUCT; or "
             "publish with --at-least-once";
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      return "give the user an ACL: Read on the group that has the product's name";
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return "give the user an ACL on the cluster: Create to make topics, or make them beforehand "
             "(kappa topics create); IdempotentWrite to write to brokers before Kafka 3.0";
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
      return "see sasl.mechanism, sasl.username and sasl.password in the file of --kafka-config, "
             "and whether the brokers know the user";
    default:
      return "";
  }
}

std::string with_remedy(std::string text, std::string_view remedy) {
  if (!remedy.empty()) absl::StrAppend(&text, "; ", std::string(remedy));
  return text;
}

}  // namespace

std::string name_of(const TopicPartition& partition) {
  return absl::StrCat("topic ", partition.topic, " partition ", partition.partition);
}

absl::Status kafka_status(int error, const std::string& what) {
  const auto code = static_cast<rd_kafka_resp_err_t>(error);
  return absl::Status(code_of(code), with_remedy(absl::StrCat(what, ": ", rd_kafka_err2str(code),
                                                              " (", rd_kafka_err2name(code), ")"),
                                                 remedy_of(code)));
}

bool is_refused(const absl::Status& status) {
  return absl::IsPermissionDenied(status) || absl::IsUnauthenticated(status);
}

absl::Status refusal_of(int error, std::string_view reason) {
  const auto code = static_cast<rd_kafka_resp_err_t>(error);
  // What a broker has against our certificate comes when the connection is made already.
  const bool connection = code == RD_KAFKA_RESP_ERR__SSL || code == RD_KAFKA_RESP_ERR__TRANSPORT;
  std::string_view remedy;
  if (code_of(code) == absl::StatusCode::kUnauthenticated) {
    remedy = remedy_of(code);
  } else if (connection && reason.find("verify failed") != reason.npos) {
    remedy =
        "ssl.ca.location in the file of --kafka-config must name the certificate of whoever signed "
        "the brokers', and --log the brokers as their certificates do";
  } else if (connection && reason.find("alert") != reason.npos &&
             reason.find("certificate") != reason.npos) {
    remedy =
        "the brokers want a certificate of ours that they trust: ssl.certificate.location and "
        "ssl.key.location in the file of --kafka-config";
  }
  if (remedy.empty()) return absl::OkStatus();
  return absl::UnauthenticatedError(with_remedy(std::string(reason), remedy));
}

bool is_passing(int error) {
  return code_of(static_cast<rd_kafka_resp_err_t>(error)) == absl::StatusCode::kUnavailable;
}

bool is_unknown_topic(int error) {
  return code_of(static_cast<rd_kafka_resp_err_t>(error)) == absl::StatusCode::kNotFound;
}

}  // namespace kappa::log
