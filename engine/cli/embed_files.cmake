# cmake -D ROOT=dir -D PATHS=glob,… -D FUNCTION=name -D NAMESPACE=name -D HEADER=file.h -D OUTPUT=file.cpp
#       -P embed_files.cmake: files below ROOT, as a C++ source with the function that HEADER declares.
string(REPLACE "," ";" globs ${PATHS})
list(TRANSFORM globs PREPEND ${ROOT}/)
file(GLOB_RECURSE paths RELATIVE ${ROOT} ${globs})
set(text "#include \"${HEADER}\"\n\n")
string(APPEND text "namespace ${NAMESPACE} {\n\n")
string(APPEND text "std::map<std::string, std::string> ${FUNCTION}() {\n  return {\n")
foreach(path ${paths})
  file(READ ${ROOT}/${path} content)
  string(APPEND text "      {\"${path}\", R\"~kappa~(${content})~kappa~\"},\n")
endforeach()
string(APPEND text "  };\n}\n\n}  // namespace ${NAMESPACE}\n")
file(WRITE ${OUTPUT} "${text}")
