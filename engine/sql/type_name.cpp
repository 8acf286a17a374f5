#include "engine/sql/type_name.h"

#include <algorithm>
#include <array>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/sql/construct.h"
#include "engine/sql/fault.h"
#include "engine/sql/parser/parser.h"
#include "engine/sql/suggest.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"

namespace kappa::sql {
namespace {

struct Known {
  std::string_view name;
  Type type;
};
constexpr std::array kTypes = {
    Known{"bool", Type::boolean()},
    Known{"boolean", Type::boolean()},
    Known{"int4", Type::integer()},
    Known{"integer", Type::integer()},
    Known{"int8", Type::bigint()},
    Known{"bigint", Type::bigint()},
    Known{"float8", Type::double_precision()},
    Known{"numeric", Type::numeric(38, 0)},
    Known{"decimal", Type::numeric(38, 0)},
    Known{"text", Type::text()},
    Known{"varchar", Type::text()},
    Known{"bytea", Type::bytea()},
    Known{"timestamptz", Type::timestamptz()},
    Known{"date", Type::date()},
    Known{"interval", Type::interval()},
};

struct Unsupported {
  std::string_view name;
  std::string_view shown;
  std::string_view hint;
};
constexpr std::array kUnsupported = {
    Unsupported{"int2", "smallint", "use integer"},
    Unsupported{"float4", "real", "use double precision"},
    Unsupported{"timestamp", "timestamp without time zone",
                "use timestamptz: every time is a moment in UTC"},
    Unsupported{"time", "time", "use interval or text"},
    Unsupported{"timetz", "time with time zone", "use timestamptz"},
    Unsupported{"bpchar", "character(n)", "use text"},
    Unsupported{"json", "json", "use text"},
    Unsupported{"jsonb", "jsonb", "use text"},
    Unsupported{"uuid", "uuid", "use text"},
    Unsupported{"money", "money", "use numeric(12,2)"},
    Unsupported{"bit", "bit", "use bytea"},
    Unsupported{"serial", "serial", "use bigint"},
    Unsupported{"xml", "xml", "use text"},
};

absl::StatusOr<int> modifier(const Node& node) {
  int value = 0;
  const Node* integer = node.child("ival");
  if (!integer || !absl::SimpleAtoi(std::string(integer->text("ival")), &value)) {
    return fault(node, "a type's modifier must be a number");
  }
  return value;
}

absl::StatusOr<Type> numeric_type(const Node& type_name) {
  const auto modifiers = type_name.list("typmods");
  if (modifiers.empty()) {
    return fault(type_name, "numeric needs its digits",
                 "write numeric(precision, scale), such as numeric(12,2)");
  }
  KAPPA_ASSIGN_OR_RETURN(const int precision, modifier(modifiers[0]));
  int scale = 0;
  if (modifiers.size() > 1) {
    KAPPA_ASSIGN_OR_RETURN(scale, modifier(modifiers[1]));
  }
  if (modifiers.size() > 2 || precision < 1 || precision > 38 || scale < 0 || scale > precision) {
    return fault(type_name, absl::StrCat("numeric(", precision, ",", scale, ") is not a type"),
                 "precision is 1 to 38 digits, of which scale (0 to precision) stand behind the "
                 "point");
  }
  return Type::numeric(precision, scale);
}

absl::Status unknown_type(const Node& type_name, const std::string& name) {
  for (const Unsupported& type : kUnsupported) {
    if (type.name == name) {
      return fault(type_name, absl::StrCat("type ", to_absl(type.shown), " is not supported yet"),
                   std::string(type.hint));
    }
  }
  std::vector<std::string> names;
  names.reserve(std::size(kTypes));
  for (const Known& type : kTypes) names.emplace_back(type.name);
  return fault(type_name, absl::StrCat("type \"", name, "\" does not exist"),
               suggestion(name, names));
}

}  // namespace

absl::StatusOr<Type> bind_type(const Node& type_name) {
  KAPPA_RETURN_IF_ERROR(expect_only(type_name, {{"names"}, {"typmods"}, {"typemod", "-1"}}));
  std::vector<std::string> names = type_name.names("names");
  if (names.size() == 2 && names[0] == "pg_catalog") names.erase(names.begin());
  if (names.size() != 1) return fault(type_name, "a type's name has no schema here");
  const auto known = std::find_if(kTypes.begin(), kTypes.end(),
                                  [&](const Known& type) { return type.name == names[0]; });
  if (known == kTypes.end()) return unknown_type(type_name, names[0]);
  if (known->type.id == TypeId::kNumeric) return numeric_type(type_name);
  if (!type_name.list("typmods").empty()) {
    return fault(type_name, absl::StrCat(names[0], " takes no modifier"),
                 known->type.id == TypeId::kText ? "use text: no length is enforced"
                                                 : absl::StrCat("use ", names[0]));
  }
  return known->type;
}

absl::StatusOr<Type> bind_type_text(std::string_view text, const Node& at) {
  const std::string sql = absl::StrCat("SELECT CAST(NULL AS ", to_absl(text), ")");
  const auto statements = split_statements(sql);
  const absl::Status unknown = fault(at, absl::StrCat(excerpt(text), " is not a type"),
                                     "name one, such as 'integer' or 'numeric(12,2)'");
  if (statements.size() != 1) return unknown;
  const auto tree = parse_statement(sql, statements[0]);
  if (!tree.ok() || tree->list("targetList").size() != 1) return unknown;
  const Node* cast = tree->list("targetList")[0].child("val");
  const bool only_a_cast = cast && cast->is("TypeCast") && tree->fields.size() == 3;
  if (!only_a_cast || !cast->child("arg")->is("A_Const")) return unknown;
  auto type = bind_type(*cast->child("typeName"));
  return type.ok() ? type : fault(at, type.status());
}

}  // namespace kappa::sql
