#include "test/runtime/model/window_generator.h"

#include <algorithm>

#include "engine/types/time.h"
#include "test/runtime/model/draft.h"

namespace kappa::model {

Window::Kind choose_window_kind(Dice& dice) {
  static const std::vector<Window::Kind> kinds{Window::Kind::kTumble, Window::Kind::kHop,
                                               Window::Kind::kCumulate, Window::Kind::kSession,
                                               Window::Kind::kSession};
  return dice.pick(kinds);
}

Window choose_window(Dice& dice, Window::Kind kind, bool changelog, size_t event_time) {
  constexpr int64_t kUnitUs = 500 * kMicrosPerMilli;
  Window window{.kind = kind, .event_time = event_time, .size_us = 0};
  const bool session = window.kind == Window::Kind::kSession;
  if (session && changelog) window.kind = Window::Kind::kTumble;
  window.size_us = dice.between(2, 40) * kUnitUs;
  if (window.kind == Window::Kind::kHop) {
    window.step_us =
        dice.between(std::max<int64_t>(1, window.size_us / kUnitUs / 6), window.size_us / kUnitUs) *
        kUnitUs;
  } else if (window.kind == Window::Kind::kCumulate) {
    window.step_us = window.size_us;
    window.size_us *= dice.between(1, 5);
  }
  const int64_t period = window.kind == Window::Kind::kHop ? window.step_us : window.size_us;
  if (!session && dice.one_in(3)) window.offset_us = dice.below(period);
  window.offset_us -= window.offset_us % kMicrosPerMilli;
  return window;
}

std::string window_function(const Window& window, const std::string& input,
                            const std::string& time) {
  static const std::vector<std::string> names{"tumble", "hop", "cumulate", "session"};
  std::vector<std::string> args{input, time};
  if (window.step_us > 0) args.push_back("INTERVAL " + seconds(window.step_us));
  args.push_back("INTERVAL " + seconds(window.size_us));
  if (window.offset_us > 0) args.push_back("INTERVAL " + seconds(window.offset_us));
  return names[static_cast<size_t>(window.kind)] + "(" + join(args, ", ") + ")";
}

}  // namespace kappa::model
