#include "engine/serve/output_event_wire.h"

#include <utility>

#include "engine/serve/wire.h"
#include "engine/types/status_macros.h"
#include "kappa/v1/subscribe.pb.h"

namespace kappa::serve {
namespace {

absl::StatusOr<OutputEvent::Change> change_of(const v1::OutputChange& wire,
                                              const OutputEvent& event, const std::string& topic) {
  OutputEvent::Change change{std::nullopt,
                             {},
                             LogTime{wire.timestamp_ms()},
                             {topic, wire.partition()},
                             Offset{wire.offset()}};
  if (wire.has_row()) {
    KAPPA_ASSIGN_OR_RETURN(change.row, from_wire(wire.row(), event.columns));
  }
  operators::Schema key;
  for (const std::string& name : event.key_columns) {
    for (const operators::Field& field : event.columns) {
      if (field.name == name) key.push_back(field);
    }
  }
  KAPPA_ASSIGN_OR_RETURN(change.key, from_wire(wire.key(), key));
  return change;
}

}  // namespace

absl::Status take_event(const v1::SubscribeResponse& wire, std::string* topic, OutputEvent* event) {
  event->resume_token = wire.resume_token();
  event->what = std::monostate();
  switch (wire.event_case()) {
    case v1::SubscribeResponse::kHeader:
      *topic = wire.header().topic();
      event->columns.clear();
      for (const v1::Column& column : wire.header().columns()) {
        event->columns.push_back(from_wire(column));
      }
      event->key_columns = {wire.header().key().begin(), wire.header().key().end()};
      break;
    case v1::SubscribeResponse::kChange: {
      KAPPA_ASSIGN_OR_RETURN(event->what, change_of(wire.change(), *event, *topic));
      break;
    }
    case v1::SubscribeResponse::kHeartbeat:
      event->what = wire.heartbeat().has_stamp()
                        ? OutputEvent::Heartbeat{from_wire(wire.heartbeat().stamp())}
                        : OutputEvent::Heartbeat{};
      break;
    case v1::SubscribeResponse::kLagged:
      event->what = OutputEvent::Lagged{{wire.lagged().topic(), wire.lagged().partition()},
                                        Offset{wire.lagged().from_offset()},
                                        Offset{wire.lagged().to_offset()}};
      break;
    case v1::SubscribeResponse::kGenerationChanged:
      event->what = OutputEvent::GenerationChanged{wire.generation_changed().from(),
                                                   wire.generation_changed().to()};
      break;
    case v1::SubscribeResponse::kUnreadable:
      event->what = OutputEvent::Unreadable{{*topic, wire.unreadable().partition()},
                                            Offset{wire.unreadable().offset()},
                                            wire.unreadable().reason()};
      break;
    case v1::SubscribeResponse::EVENT_NOT_SET:
      break;
  }
  return absl::OkStatus();
}

}  // namespace kappa::serve
