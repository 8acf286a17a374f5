#include "engine/sql/options.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/sql/construct.h"
#include "engine/sql/fault.h"
#include "engine/sql/suggest.h"
#include "engine/types/datetime.h"
#include "engine/types/invariant.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"

namespace kappa::sql {
namespace {

// A text, or in WITH (…) a bare word: emit = final.
std::optional<std::string> value_of(const Node& element) {
  const Node* value = element.child("arg");
  if (!value) return std::nullopt;
  if (value->is("String")) return std::string(value->text("sval"));
  if (value->is("TypeName") && value->list("names").size() == 1 && !value->has("typmods")) {
    return value->names("names").front();
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<Options> Options::read(std::span<const Node> elements,
                                      const std::vector<std::string>& known,
                                      std::string_view owner) {
  Options options;
  for (const Node& element : elements) {
    KAPPA_RETURN_IF_ERROR(
        expect_only(element, {{"defname"}, {"arg"}, {"defaction", "DEFELEM_UNSPEC"}}));
    const std::string name(element.text("defname"));
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return fault(element, absl::StrCat(to_absl(owner), " has no option \"", name, "\""),
                   suggestion(name, known));
    }
    if (options.has(name)) return fault(element, absl::StrCat("option \"", name, "\" comes twice"));
    auto value = value_of(element);
    if (!value) {
      return fault(element, absl::StrCat("option \"", name, "\" needs a text in single quotes"));
    }
    options.options_.push_back({name, *std::move(value), &element});
  }
  return options;
}

const Options::Option* Options::find(std::string_view name) const {
  const auto found = std::find_if(options_.begin(), options_.end(),
                                  [&](const Option& option) { return option.name == name; });
  return found == options_.end() ? nullptr : &*found;
}

std::optional<std::string> Options::text(std::string_view name) const {
  const Option* option = find(name);
  return option ? std::optional(option->value) : std::nullopt;
}

absl::StatusOr<std::optional<int64_t>> Options::duration_us(std::string_view name) const {
  const Option* option = find(name);
  if (!option) return std::nullopt;
  bool has_months = false;
  const auto us = parse_interval(option->value, &has_months);
  if (us && *us >= 0) return us;
  return fault(*option->node,
               absl::StrCat("option \"", to_absl(name), "\": ", excerpt(option->value),
                            us           ? " is negative"
                            : has_months ? " has months or years, whose length varies"
                                         : " is not a span of time"),
               "write a text such as '10 seconds', '5 minutes' or '30 days'");
}

absl::StatusOr<std::optional<bool>> Options::boolean(std::string_view name) const {
  const Option* option = find(name);
  if (!option) return std::nullopt;
  if (option->value == "true") return true;
  if (option->value == "false") return false;
  return fault(*option->node,
               absl::StrCat("option \"", to_absl(name), "\": ", excerpt(option->value),
                            " is not a truth value"),
               "write 'true' or 'false'");
}

const Node& Options::place(std::string_view name) const {
  const Option* option = find(name);
  KAPPA_INVARIANT(option != nullptr, "the option is there");
  return *option->node;
}

}  // namespace kappa::sql
