# cmake -D ROOT=dir -D OUTPUT=file.cpp -P embed_product.cmake: the files that make up a data product,
# as a C++ source that implements embedded_product.h.
file(GLOB_RECURSE paths RELATIVE ${ROOT} ${ROOT}/product.sql ${ROOT}/contract.yaml
     ${ROOT}/events/* ${ROOT}/models/* ${ROOT}/rules/*)
set(text "#include \"engine/cli/playground/embedded_product.h\"\n\n")
string(APPEND text "namespace kappa::cli::playground {\n\n")
string(APPEND text "std::map<std::string, std::string> embedded_files() {\n  return {\n")
foreach(path ${paths})
  file(READ ${ROOT}/${path} content)
  string(APPEND text "      {\"${path}\", R\"~kappa~(${content})~kappa~\"},\n")
endforeach()
string(APPEND text "  };\n}\n\n}  // namespace kappa::cli::playground\n")
file(WRITE ${OUTPUT} "${text}")
