#include "engine/types/failpoint.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <unistd.h>

namespace kappa::failpoint {
namespace {

struct Named {
  std::string name;
  int at = 1;  // how many times it is to be reached
};

Named named() {
  const char* text = std::getenv("KAPPA_FAIL_AT");
  Named named{text ? text : ""};
  const size_t colon = named.name.find(':');
  if (colon != std::string::npos) {
    named.at = std::atoi(named.name.c_str() + colon + 1);
    named.name.resize(colon);
  }
  return named;
}

const Named& asked_for() {
  static const Named asked = named();
  return asked;
}

std::atomic<int> times_reached{0};

}  // namespace

std::atomic<bool> armed{!asked_for().name.empty()};

void reach(std::string_view name) {
  const Named& asked = asked_for();
  if (name != asked.name || ++times_reached != asked.at) return;
  std::fprintf(stderr, "kappa: dying at %s, as KAPPA_FAIL_AT says\n", asked.name.c_str());
  ::kill(::getpid(), SIGKILL);
}

}  // namespace kappa::failpoint
