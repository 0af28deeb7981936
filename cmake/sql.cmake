# embed_sql(<header> <directory> <namespace>): every <directory>/NAME.sql becomes
#
#   extern const std::string_view NAME;
#
# in that namespace, with its text in a source beside the header, so that a word of SQL compiles one file anew and not
# each that includes the header. A hyphen in a file's name becomes an underscore. A line "\ir PART" of it is
# replaced by that file of the same directory, as psql -f would do; the whole script then stands in
# <build>/<directory>/NAME.sql too. Both are replaced only when their content changes. configure_file(@ONLY) is avoided: it would eat @words@ of the SQL.
function(embed_sql header directory namespace)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${directory}/*.sql)
  string(REGEX REPLACE "[.]h$" ".cc" source ${header})
  cmake_path(RELATIVE_PATH header BASE_DIRECTORY ${PROJECT_BINARY_DIR}/generated OUTPUT_VARIABLE included_as)
  set(text "// Generated from ${directory}/*.sql by cmake/sql.cmake.\n#pragma once\n\n")
  string(APPEND text "#include <string_view>\n\n// NOLINTBEGIN(readability-identifier-naming)\n")
  string(APPEND text "namespace ${namespace} {\n")
  set(texts "#include \"${included_as}\"\n\nnamespace ${namespace} {\n")
  foreach(file IN LISTS files)
    set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} sql)
    while(sql MATCHES "\n\\\\ir ([a-z_/]+[.]sql)\n")
      set(line "\\ir ${CMAKE_MATCH_1}\n")
      set(part ${PROJECT_SOURCE_DIR}/${directory}/${CMAKE_MATCH_1})
      set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${part})
      file(READ ${part} included)
      string(REPLACE "${line}" "\n${included}" sql "${sql}")
    endwhile()
    file(RELATIVE_PATH place ${PROJECT_SOURCE_DIR} ${file})
    file(WRITE ${PROJECT_BINARY_DIR}/${place} "${sql}")
    if(sql MATCHES "\\)SQL\"")
      message(FATAL_ERROR "embed ${file}: it contains the end mark of a raw string")
    endif()
    get_filename_component(name ${file} NAME_WE)
    string(REPLACE "-" "_" name "${name}")
    string(APPEND text "extern const std::string_view ${name};\n")
    string(APPEND texts "\nconst std::string_view ${name} = R\"SQL(${sql})SQL\";\n")
  endforeach()
  string(APPEND text "}  // namespace ${namespace}\n// NOLINTEND(readability-identifier-naming)\n")
  string(APPEND texts "\n}  // namespace ${namespace}\n")
  file(WRITE ${header}.new "${text}")
  file(COPY_FILE ${header}.new ${header} ONLY_IF_DIFFERENT)
  file(WRITE ${source}.new "${texts}")
  file(COPY_FILE ${source}.new ${source} ONLY_IF_DIFFERENT)
  set(embedded ${embedded} ${source} PARENT_SCOPE)
endfunction()
