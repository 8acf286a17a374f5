#include "operators/functions_kernel.h"
#include "operators/functions_order.h"

// greatest and least: nulls are ignored.
namespace kappa::operators {
namespace {

template <typename T, bool kGreatest>
void choose(const KernelCall& call) {
  T* out = call.out.values<T>().data();
  uint8_t* nulls = call.out.mutable_nulls().data();
  for_selected(call.selection, [&](uint32_t row) { nulls[row] = 1; });
  for (const KernelArg& arg : call.args) {
    const ArgReader<T> values(arg);
    const bool has_nulls = arg.column->has_nulls();
    for_selected(call.selection, [&](uint32_t row) {
      if (has_nulls && is_null_at(arg, row)) return;
      const T value = values[row];
      const bool better = kGreatest ? is_less(out[row], value) : is_less(value, out[row]);
      if (nulls[row] == 0 && !better) return;
      out[row] = value;
      nulls[row] = 0;
    });
  }
}

template <bool kGreatest>
void add_choice(FunctionList& list, const char* name, const Type& type) {
  ScalarFunction function;
  function.name = name;
  function.args = {type};
  function.result = type;
  function.strict = false;
  function.variadic = true;
  function.unified = true;
  function.infallible = true;
  function.kernel = [](const KernelCall& call) {
    dispatch_physical(call.out.type().physical(),
                      [&]<typename T>() { choose<T, kGreatest>(call); });
  };
  list.push_back(std::move(function));
}

}  // namespace

void add_choice_functions(FunctionList& list) {
  const Type types[] = {Type::boolean(),      Type::integer(),          Type::bigint(),
                        Type::numeric(38, 0), Type::double_precision(), Type::text(),
                        Type::bytea(),        Type::timestamptz(),      Type::date(),
                        Type::interval()};
  for (const Type& type : types) {
    add_choice<true>(list, "greatest", type);
    add_choice<false>(list, "least", type);
  }
}

}  // namespace kappa::operators
