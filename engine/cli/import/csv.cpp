#include "engine/cli/import/csv.h"

namespace kappa::cli {
namespace {

// One pass over the text of a record.
class CsvParser {
 public:
  CsvParser(std::string_view text, bool at_end, CsvRecord* record)
      : text_(text), at_end_(at_end), record_(record) {}

  CsvResult parse() {
    record_->fields.clear();
    record_->unescaped.clear();
    record_->line_breaks = 0;
    while (true) {
      const CsvResult field = at_ < text_.size() && text_[at_] == '"' ? quoted() : plain();
      if (field != CsvResult::kRecord) return field;
      if (at_ < text_.size() && text_[at_] == ',') {
        ++at_;
        continue;
      }
      return end_line();
    }
  }

 private:
  CsvResult plain() {
    const size_t from = at_;
    at_ = text_.find_first_of(",\"\n", from);
    if (at_ == std::string_view::npos) {
      if (!at_end_) return more();
      at_ = text_.size();
    }
    if (at_ < text_.size() && text_[at_] == '"') {
      return fault("a quote stands inside of a field that does not begin with one");
    }
    std::string_view field = text_.substr(from, at_ - from);
    const bool last = at_ == text_.size() || text_[at_] == '\n';
    if (last && field.ends_with('\r')) field.remove_suffix(1);
    record_->fields.push_back(field);
    return CsvResult::kRecord;
  }

  CsvResult quoted() {
    const size_t from = ++at_;
    bool doubled = false;
    while (true) {
      at_ = text_.find_first_of("\"\n", at_);
      if (at_ == std::string_view::npos || (text_[at_] == '"' && at_ + 1 == text_.size())) {
        if (!at_end_) return more();
        if (at_ == std::string_view::npos) return fault("a quote is never closed");
        break;
      }
      if (text_[at_] == '\n') {
        ++record_->line_breaks;
        ++at_;
      } else if (text_[at_ + 1] == '"') {
        doubled = true;
        at_ += 2;
      } else {
        break;
      }
    }
    const std::string_view field = text_.substr(from, at_ - from);
    record_->fields.push_back(doubled ? unescape(field) : field);
    ++at_;
    if (text_.substr(at_).starts_with("\r\n") || text_.substr(at_) == "\r") ++at_;
    if (at_ == text_.size()) return at_end_ ? CsvResult::kRecord : more();
    if (text_[at_] == ',' || text_[at_] == '\n') return CsvResult::kRecord;
    return fault("something stands between a closing quote and the next comma");
  }

  std::string_view unescape(std::string_view field) {
    std::string& text = record_->unescaped.emplace_back();
    text.reserve(field.size());
    for (size_t i = 0; i < field.size(); ++i) {
      text += field[i];
      if (field[i] == '"') ++i;
    }
    return text;
  }

  CsvResult end_line() {
    if (at_ < text_.size()) {
      ++at_;
      ++record_->line_breaks;
    }
    record_->bytes = at_;
    return CsvResult::kRecord;
  }

  CsvResult more() {
    return text_.size() > kRecordBytesMax ? fault(
                                                "the record is longer than 1 MiB, as it is when "
                                                "a quote is never closed")
                                          : CsvResult::kMore;
  }

  CsvResult fault(const char* what) {
    const size_t line_end = text_.find('\n');
    if (line_end == std::string_view::npos && !at_end_ && text_.size() <= kRecordBytesMax) {
      return CsvResult::kMore;
    }
    const bool ends = line_end != std::string_view::npos;
    record_->bytes = ends ? line_end + 1 : text_.size();
    record_->line_breaks = ends ? 1 : 0;
    record_->fault = what;
    return CsvResult::kFault;
  }

  const std::string_view text_;
  const bool at_end_;
  CsvRecord* const record_;
  size_t at_ = 0;
};

}  // namespace

CsvResult parse_csv_record(std::string_view text, bool at_end, CsvRecord* record) {
  return CsvParser(text, at_end, record).parse();
}

}  // namespace kappa::cli
