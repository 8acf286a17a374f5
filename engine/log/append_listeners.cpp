#include "engine/log/append_listeners.h"

#include <utility>

namespace kappa::log {

AppendListeners::AppendListeners() : registry_(std::make_shared<Registry>()) {
  registry_->listeners = std::make_shared<const Listeners>();
}

std::shared_ptr<void> AppendListeners::add(std::function<void()> callback) {
  auto listener = std::make_shared<Listener>();
  listener->callback = std::move(callback);
  {
    const std::lock_guard lock(registry_->mutex);
    auto changed = std::make_shared<Listeners>(*registry_->listeners);
    changed->push_back(listener);
    registry_->listeners = std::move(changed);
  }
  const auto end = [registry = std::weak_ptr<Registry>(registry_), listener](void*) {
    if (const std::shared_ptr<Registry> alive = registry.lock()) {
      const std::lock_guard lock(alive->mutex);
      auto changed = std::make_shared<Listeners>(*alive->listeners);
      std::erase(*changed, listener);
      alive->listeners = std::move(changed);
    }
    const std::lock_guard lock(listener->mutex);
    listener->active = false;
  };
  return {listener.get(), end};
}

void AppendListeners::notify() const {
  std::shared_ptr<const Listeners> listeners;
  {
    const std::lock_guard lock(registry_->mutex);
    listeners = registry_->listeners;
  }
  for (const std::shared_ptr<Listener>& listener : *listeners) {
    const std::lock_guard lock(listener->mutex);
    if (listener->active) listener->callback();
  }
}

bool AppendListeners::empty() const {
  const std::lock_guard lock(registry_->mutex);
  return registry_->listeners->empty();
}

}  // namespace kappa::log
