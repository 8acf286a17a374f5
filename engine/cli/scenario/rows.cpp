#include "engine/cli/scenario/rows.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/types/text.h"

namespace kappa::cli::scenario {
namespace {

using Rows = std::vector<std::string>;

// The lengths of the longest common subsequences of the tails of `a` and `b`.
std::vector<std::vector<uint32_t>> common_lengths(const Rows& a, const Rows& b) {
  std::vector<std::vector<uint32_t>> length(a.size() + 1, std::vector<uint32_t>(b.size() + 1));
  for (size_t i = a.size(); i-- > 0;) {
    for (size_t j = b.size(); j-- > 0;) {
      length[i][j] =
          a[i] == b[j] ? length[i + 1][j + 1] + 1 : std::max(length[i + 1][j], length[i][j + 1]);
    }
  }
  return length;
}

Rows difference_lines(const Rows& expected, const Rows& actual) {
  const auto length = common_lengths(expected, actual);
  Rows lines;
  size_t i = 0;
  size_t j = 0;
  while (i < expected.size() || j < actual.size()) {
    if (i < expected.size() && j < actual.size() && expected[i] == actual[j]) {
      lines.push_back("  " + expected[i]);
      ++i;
      ++j;
    } else if (j == actual.size() ||
               (i < expected.size() && length[i + 1][j] >= length[i][j + 1])) {
      lines.push_back("- " + expected[i++]);
    } else {
      lines.push_back("+ " + actual[j++]);
    }
  }
  return lines;
}

std::string json_cell(const nlohmann::ordered_json& value) {
  if (value.is_null()) return "NULL";
  if (value.is_string()) return cell_text(std::string_view(value.get_ref<const std::string&>()));
  return value.dump();
}

}  // namespace

std::string cell_text(std::string_view text) {
  if (text.empty()) return "(empty)";
  std::string cell;
  for (const char c : text) {
    switch (c) {
      case '\t':
        cell += "\\t";
        break;
      case '\n':
        cell += "\\n";
        break;
      case '\r':
        cell += "\\r";
        break;
      default:
        cell += c;
    }
  }
  return cell;
}

std::string cell_text(const Value& value) {
  return cell_text(std::string_view(to_text(value)));
}

char type_letter(const Type& type) {
  if (type.is_integer()) return 'I';
  return type.is_number() ? 'R' : 'T';
}

Rows rows_text(const runtime::QueryResult& result) {
  Rows rows;
  for (size_t row = 0; row < result.rows.rows; ++row) {
    Rows cells;
    for (const ColumnRef& column : result.rows.columns) {
      cells.push_back(cell_text(value_at(*column, row)));
    }
    rows.push_back(absl::StrJoin(cells, "\t"));
  }
  return rows;
}

absl::StatusOr<std::string> json_row_text(std::string_view json) {
  const auto object = nlohmann::ordered_json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    return absl::DataLossError(absl::StrCat("expected a JSON object, found ", to_absl(json)));
  }
  Rows cells;
  for (const auto& field : object.items()) cells.push_back(json_cell(field.value()));
  return absl::StrJoin(cells, "\t");
}

std::string difference(const Rows& expected, const Rows& actual, size_t lines_max) {
  // Equal rows at both ends are told in one line; they are not where the fault is.
  size_t head = 0;
  while (head < expected.size() && head < actual.size() && expected[head] == actual[head]) ++head;
  size_t tail = 0;
  while (tail < expected.size() - head && tail < actual.size() - head &&
         expected[expected.size() - 1 - tail] == actual[actual.size() - 1 - tail]) {
    ++tail;
  }
  constexpr size_t kComparedMax = 1000;  // rows; the table of lengths grows with the square
  const auto middle = [&](const Rows& rows) {
    const auto first = rows.begin() + static_cast<ptrdiff_t>(head);
    const size_t count = std::min(rows.size() - head - tail, kComparedMax);
    return Rows(first, first + static_cast<ptrdiff_t>(count));
  };
  Rows lines = difference_lines(middle(expected), middle(actual));
  if (lines.size() > lines_max) {
    const size_t left = lines.size() - lines_max;
    lines.resize(lines_max);
    lines.push_back(absl::StrCat("  … and ", left, " more lines"));
  }
  if (head > 0) lines.insert(lines.begin(), absl::StrCat("  … ", head, " equal rows"));
  if (tail > 0) lines.push_back(absl::StrCat("  … ", tail, " equal rows"));
  return absl::StrJoin(lines, "\n");
}

}  // namespace kappa::cli::scenario
