#include "engine/cli/json_members.h"

namespace kappa::cli {
namespace {

// Walks over the members of an object that is known to be well formed.
class Scanner {
 public:
  explicit Scanner(std::string_view object) : text_(object) {}

  std::vector<JsonMember> scan() {
    std::vector<JsonMember> members;
    skip_space();
    ++at_;  // {
    for (skip_space(); text_[at_] != '}'; skip_space()) {
      if (text_[at_] == ',') {
        ++at_;
        continue;
      }
      JsonMember member;
      member.name = take_value();
      skip_space();
      ++at_;  // :
      skip_space();
      member.value = take_value();
      members.push_back(member);
    }
    return members;
  }

 private:
  void skip_space() {
    while (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r') ++at_;
  }

  std::string_view take_value() {
    const size_t from = at_;
    int depth = 0;
    do {
      const char c = text_[at_];
      if (c == '"') {
        skip_string();
      } else {
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
        ++at_;
      }
    } while (depth > 0 || !ends_value());
    std::string_view value = text_.substr(from, at_ - from);
    while (value.back() == ' ' || value.back() == '\t') value.remove_suffix(1);
    return value;
  }

  bool ends_value() const {
    return text_[at_] == ',' || text_[at_] == ':' || text_[at_] == '}' || text_[at_] == ']';
  }

  void skip_string() {
    for (++at_; text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::vector<JsonMember> json_members(std::string_view object) {
  return Scanner(object).scan();
}

}  // namespace kappa::cli
