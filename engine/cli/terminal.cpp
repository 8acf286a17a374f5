#include "engine/cli/terminal.h"

#include <cstdio>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "engine/types/text.h"

namespace kappa::cli {
namespace {

bool takes_colours(int file) {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return isatty(file) == 1 && (!no_colour || *no_colour == '\0') && terminal &&
         std::string_view(terminal) != "dumb";
}

void write(std::FILE* file, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
}

std::string in_style(bool coloured, Style style, std::string_view text) {
  if (!coloured) return std::string(text);
  const char* code = "0";
  switch (style) {
    case Style::kBold:
      code = "1";
      break;
    case Style::kDim:
      code = "2";
      break;
    case Style::kRed:
      code = "31";
      break;
    case Style::kGreen:
      code = "32";
      break;
    case Style::kYellow:
      code = "33";
      break;
  }
  return absl::StrCat("\x1b[", code, "m", to_absl(text), "\x1b[0m");
}

}  // namespace

void print(std::string_view text) {
  write(stdout, text);
}
void note(std::string_view text) {
  write(stderr, text);
}

int report(std::string_view message) {
  note(absl::StrCat("kappa: ", styled_note(Style::kRed, "error:"), " ", to_absl(message), "\n"));
  return kExitError;
}
int report(const absl::Status& status) {
  return report(to_std(status.message()));
}

bool out_is_terminal() {
  return isatty(STDOUT_FILENO) == 1;
}

bool note_is_terminal() {
  return isatty(STDERR_FILENO) == 1;
}

int terminal_width() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

std::string styled(Style style, std::string_view text) {
  return in_style(takes_colours(STDOUT_FILENO), style, text);
}
std::string styled_note(Style style, std::string_view text) {
  return in_style(takes_colours(STDERR_FILENO), style, text);
}

}  // namespace kappa::cli
