# add_suites(<program> <filter> <environment>): a test of ctest's for every suite of a GoogleTest program, and not one
# for each TEST: those of a suite share a process, and so the PostgreSQL server that it starts. They are listed when
# the program is built, by this file as a script. What a test prints, its name with it, shows when it fails.
function(add_suites program filter environment)
  set(tests ${CMAKE_CURRENT_BINARY_DIR}/${program}.cmake)
  add_custom_command(
    TARGET ${program} POST_BUILD
    COMMAND ${CMAKE_COMMAND} -D PROGRAM=$<TARGET_FILE:${program}> -D FILTER=${filter} -D "ENVIRONMENT=${environment}"
            -D TESTS=${tests} -P ${CMAKE_CURRENT_FUNCTION_LIST_FILE}
    VERBATIM)
  # Before the build nothing is known, and then it must not look as if there were nothing to run.
  file(WRITE ${tests}.include
       "if(EXISTS [==[${tests}]==])\n  include([==[${tests}]==])\nelse()\n  add_test(${program}_NOT_BUILT ${program})\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${tests}.include)
endfunction()

if(NOT CMAKE_SCRIPT_MODE_FILE)
  return()
endif()

execute_process(COMMAND ${PROGRAM} --gtest_list_tests --gtest_filter=${FILTER} OUTPUT_VARIABLE listed
                COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "\n[A-Za-z0-9_/]+\\.[ \n]" suites "\n${listed}")
set(tests "")
foreach(suite IN LISTS suites)
  string(REGEX REPLACE "[. \n]" "" suite "${suite}")
  # The longest first, as far as is known before the first run: ctest goes by what it measured from then on.
  set(cost 0)
  if(suite MATCHES "^(PostgresCaptureRandom|PostgresCaptureTypes|PostgresDecode|RowIndex|CaptureReplay|CaptureWide|KeptRows)$")
    set(cost 20)
  elseif(suite MATCHES "Postgres|^Both/")
    set(cost 10)
  endif()
  string(APPEND tests "add_test([==[${suite}]==] [==[${PROGRAM}]==] [==[--gtest_filter=${suite}.*]==])\n"
         "set_tests_properties([==[${suite}]==] PROPERTIES COST ${cost} ENVIRONMENT [==[${ENVIRONMENT}]==])\n")
endforeach()
file(WRITE ${TESTS} "${tests}")
