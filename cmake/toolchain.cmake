# How everything is compiled: warnings, sanitizers, and the faster tools when the machine has them.
add_library(vestige_strict INTERFACE)  # linked by every target of ours, exported by none
target_compile_options(
  vestige_strict
  INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wconversion
            -Wno-sign-conversion -Wno-missing-field-initializers
            # gcc 12 takes the members of a variant that are not there for uninitialized ones
            $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
            $<$<BOOL:${VESTIGE_WERROR}>:-Werror>)

if(VESTIGE_SANITIZE OR VESTIGE_FUZZ)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
if(VESTIGE_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "VESTIGE_FUZZ needs clang: cmake --preset fuzz")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(VESTIGE_CCACHE ccache)
if(VESTIGE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${VESTIGE_CCACHE})
endif()
find_program(VESTIGE_MOLD mold)
if(VESTIGE_MOLD AND NOT VESTIGE_FUZZ)
  add_link_options(-fuse-ld=mold)
endif()

# Sources of a target compiled some together: reading their headers is most of what takes time. Which go together is said by their
# names alone, so that a new source changes nobody else's group. What two of one group have to themselves, but under one name, the
# compiler refuses: give one of them another name.
function(in_groups target count)
  if(NOT VESTIGE_GROUPS)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    get_source_file_property(own ${source} COMPILE_DEFINITIONS)
    get_filename_component(name ${source} ABSOLUTE)
    file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${name})
    if(NOT name MATCHES "^(vestige|server|cli|clients|test)/.*\\.cc$" OR own)
      continue()
    endif()
    string(MD5 hash ${name})
    string(SUBSTRING ${hash} 0 6 hash)
    math(EXPR group "0x${hash} % ${count}")
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${target}_${group})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()
