#include "engine/cli/table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {
namespace {

// Characters of a UTF-8 text: bytes that begin one.
size_t width(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string escaped(const std::string& text, bool backslash) {
  std::string out;
  for (const char c : text) {
    if (c == '\t') {
      out += "\\t";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\\' && backslash) {
      out += "\\\\";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += '?';
    } else {
      out += c;
    }
  }
  return out;
}

std::string padded(const std::string& text, size_t to, bool right) {
  const std::string space(to - width(text), ' ');
  return right ? space + text : text + space;
}

std::string without_trailing_space(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

std::string on_one_line(const std::string& text) {
  return escaped(text, /*backslash=*/false);
}

std::string aligned(const Table& table) {
  std::vector<std::vector<std::string>> cells(table.rows.size());
  std::vector<size_t> widths;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    widths.push_back(width(table.columns[c].name));
    for (size_t r = 0; r < cells.size(); ++r) {
      cells[r].push_back(escaped(table.rows[r][c].value_or("NULL"), /*backslash=*/false));
      widths[c] = std::max(widths[c], width(cells[r][c]));
    }
  }
  std::string head;
  std::string rule;
  for (size_t c = 0; c < widths.size(); ++c) {
    const std::string gap = c == 0 ? "" : "  ";
    absl::StrAppend(&head, gap, padded(table.columns[c].name, widths[c], table.columns[c].right));
    for (size_t i = 0; i < gap.size() / 2; ++i) rule += "  ";
    for (size_t i = 0; i < widths[c]; ++i) rule += "─";
  }
  std::string text = styled(Style::kBold, without_trailing_space(head)) + "\n";
  absl::StrAppend(&text, styled(Style::kDim, rule), "\n");
  for (const auto& row : cells) {
    std::string line;
    for (size_t c = 0; c < widths.size(); ++c) {
      absl::StrAppend(&line, c == 0 ? "" : "  ", padded(row[c], widths[c], table.columns[c].right));
    }
    absl::StrAppend(&text, without_trailing_space(std::move(line)), "\n");
  }
  return text;
}

std::string tab_separated(const Table& table) {
  std::string text;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    absl::StrAppend(&text, c == 0 ? "" : "\t", escaped(table.columns[c].name, true));
  }
  text += "\n";
  for (const auto& row : table.rows) {
    for (size_t c = 0; c < row.size(); ++c) {
      absl::StrAppend(&text, c == 0 ? "" : "\t", row[c] ? escaped(*row[c], true) : "\\N");
    }
    text += "\n";
  }
  return text;
}

void print_table(const Table& table) {
  print(out_is_terminal() ? aligned(table) : tab_separated(table));
}

}  // namespace kappa::cli
