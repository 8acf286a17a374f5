#pragma once

#include <string>
#include <vector>

#include "operators/expression.h"
#include "operators/model.h"

namespace kappa::sql {

// A SQL text whose faults are reported by line and column, and the models that it may call.
// Offsets count bytes from 0.
class SourceText {
 public:
  // `models` is borrowed; null: there are none. The first `lines_ahead` lines, of which the text
  // has more, are not the user's: the one behind them is line 1, and what is wrong ahead of it is
  // wrong at its beginning.
  SourceText(std::string file, std::string text, const operators::Models* models = nullptr,
             size_t lines_ahead = 0);

  const std::string& file() const { return file_; }
  const std::string& text() const { return text_; }
  const operators::Models& models() const;

  // Where the byte at `offset` stands; an offset beyond the end is the end.
  operators::SqlPosition position(size_t offset) const;
  // The inverse, for a position of this text.
  size_t offset(operators::SqlPosition position) const;
  // The line that holds `offset`, without its line break.
  std::string line_at(size_t offset) const;

 private:
  size_t line_index(size_t offset) const;
  size_t of_user(size_t offset) const;

  std::string file_;
  std::string text_;
  const operators::Models* models_;
  size_t lines_ahead_;
  std::vector<size_t> line_starts_;
};

// The byte offset of the first byte that is not UTF-8 (or is NUL, at which the parser would stop);
// the size of the text if there is none.
size_t first_invalid_byte(std::string_view text);

}  // namespace kappa::sql
