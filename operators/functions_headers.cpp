#include "operators/functions_kernel.h"
#include "schemas/headers_json.h"

// What the headers of a record say.
namespace kappa::operators {
namespace {

void kafka_header(const KernelCall& call) {
  const ArgReader<StringRef> headers(call.args[0]);
  const ArgReader<StringRef> names(call.args[1]);
  StringRef* out = call.out.values<StringRef>().data();
  for_not_null(call, [&](uint32_t row) {
    const auto value = schemas::header_in_json(headers[row].view(), names[row].view());
    if (!value.ok()) {
      call.errors.fail(row, std::string(value.status().message()));
    } else if (*value) {
      out[row] = call.arena.copy(**value);
    } else {
      call.out.set_null(row);
    }
  });
}

}  // namespace

void add_header_functions(FunctionList& list) {
  ScalarFunction function;
  function.name = "kafka_header";
  function.args = {Type::text(), Type::text()};
  function.result = Type::text();
  function.kernel = &kafka_header;
  list.push_back(function);
}

}  // namespace kappa::operators
