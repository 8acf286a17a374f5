#pragma once

#include <string>

#include "test/runtime/model/dice.h"
#include "test/runtime/model/plan.h"

namespace kappa::model {

// A random window of any kind, but no session over rows that change.
Window::Kind choose_window_kind(Dice& dice);
Window choose_window(Dice& dice, Window::Kind kind, bool changelog, size_t event_time);
// As a call in FROM.
std::string window_function(const Window& window, const std::string& input,
                            const std::string& time);

}  // namespace kappa::model
