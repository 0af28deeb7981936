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
