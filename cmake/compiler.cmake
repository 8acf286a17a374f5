# Language level, warnings, sanitizers, compiler cache and linker, for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON)  # __int128 with the standard library's traits
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

# g++ 12 sees overlaps in inlined std::string operations that are none (GCC bug 105329).
set(KAPPA_WARNINGS -Wall -Wextra -Wconversion -Wshadow -Werror -Wno-restrict)
set(KAPPA_SANITIZE "" CACHE STRING "Sanitizers to build with, as -fsanitize= takes them")
if(KAPPA_SANITIZE)
  # What sanitizers put in between makes g++ see paths that are none.
  list(APPEND KAPPA_WARNINGS -Wno-maybe-uninitialized)
  add_compile_options(-fsanitize=${KAPPA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${KAPPA_SANITIZE})
endif()

# Paths below the source directory are cached relative to it, so that another clone finds them.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
endif()

find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()
