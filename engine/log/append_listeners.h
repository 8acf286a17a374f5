#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace kappa::log {

// Who wants to know of appends. Thread-safe.
class AppendListeners {
 public:
  AppendListeners();
  // Destroying the handle waits until a call that is under way has returned, unless it is the
  // callback itself that does so. After that the callback is not called again. The handle may
  // outlive the listeners.
  std::shared_ptr<void> add(std::function<void()> callback);
  void notify() const;
  bool empty() const;

 private:
  // Recursive, so that a callback may end its own subscription.
  struct Listener {
    std::recursive_mutex mutex;
    std::function<void()> callback;
    bool active = true;
  };
  using Listeners = std::vector<std::shared_ptr<Listener>>;
  struct Registry {
    mutable std::mutex mutex;
    std::shared_ptr<const Listeners> listeners;  // replaced, never changed
  };

  std::shared_ptr<Registry> registry_;
};

}  // namespace kappa::log
