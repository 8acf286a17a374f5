# kappa_room(NAME SOURCES files... DEPENDS rooms... PRIVATE libraries...)
#
# Declares a room of the house as the library kappa_NAME. DEPENDS names the rooms whose headers it
# may include (kappa_ is prefixed); PRIVATE names third-party libraries that its .cpp files adapt.
function(kappa_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
  add_library(kappa_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(kappa_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_compile_options(kappa_${name} PRIVATE ${KAPPA_WARNINGS})
  foreach(room ${ROOM_DEPENDS})
    target_link_libraries(kappa_${name} PUBLIC kappa_${room})
  endforeach()
  target_link_libraries(kappa_${name} PRIVATE ${ROOM_PRIVATE})
endfunction()

# kappa_test(NAME SOURCES files... LINKS targets... [LABELS labels...] [PROPERTIES name value...])
#
# A Catch2 executable whose every test case becomes one ctest test, with these properties. Its name is a
# sentence.
function(kappa_test name)
  cmake_parse_arguments(T "" "" "SOURCES;LINKS;LABELS;PROPERTIES" ${ARGN})
  add_executable(${name} ${T_SOURCES})
  target_compile_options(${name} PRIVATE ${KAPPA_WARNINGS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${T_LINKS} kappa_test_main Catch2::Catch2)
  if(T_LABELS)  # an empty value would be lost on the way, and the next name taken for it
    list(APPEND T_PROPERTIES LABELS ${T_LABELS})
  endif()
  # A name that ctest cannot hand over, one with a semicolon, fails instead of running nothing.
  catch_discover_tests(${name} TEST_PREFIX "${name}: " EXTRA_ARGS -w NoTests
    PROPERTIES ${T_PROPERTIES})
endfunction()
