#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace kappa::cli {

// What a command ends with.
inline constexpr int kExitOk = 0;
inline constexpr int kExitError = 1;    // it was understood, and failed
inline constexpr int kExitUsage = 2;    // the command line, a setting or the configuration is wrong
inline constexpr int kExitChanges = 2;  // of what compares: there are differences

enum class OutputFormat { kTable, kJson };

// Data goes to standard output; what is said about it (progress, notices, errors) to standard
// error. Colours only on a terminal, and not with NO_COLOR. Any thread; a call's text is not torn
// apart.
void print(std::string_view text);
void note(std::string_view text);
// "kappa: error: …" on standard error. Returns kExitError.
int report(const absl::Status& status);
int report(std::string_view message);

bool out_is_terminal();
bool note_is_terminal();  // standard error
// Columns of the terminal that standard output is; 80 if that is not known.
int terminal_width();

enum class Style { kBold, kDim, kRed, kGreen, kYellow };
// `text` in a style if standard output is a terminal that takes colours, as it is otherwise.
std::string styled(Style style, std::string_view text);
// The same for standard error.
std::string styled_note(Style style, std::string_view text);

}  // namespace kappa::cli
