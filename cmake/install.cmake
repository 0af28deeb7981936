# cmake --install: the program with its man page, completions, systemd units and SQL (component program); what has it serve the console
# (component server); the static library with its headers and package config (component library). Covered by test/consumer and
# test/packages.sh.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/vestige)

install(TARGETS vestige EXPORT vestige-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
if(TARGET vestige_cli)
  install(TARGETS vestige_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
endif()
install(DIRECTORY vestige/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/vestige COMPONENT library
        FILES_MATCHING PATTERN "*.h")

install(EXPORT vestige-targets NAMESPACE vestige:: DESTINATION ${package_dir} COMPONENT library)
configure_package_config_file(cmake/vestige-config.cmake.in vestige-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(vestige-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/vestige-config.cmake
              ${PROJECT_BINARY_DIR}/vestige-config-version.cmake
        DESTINATION ${package_dir} COMPONENT library)

install(FILES share/systemd/vestige-seal.service share/systemd/vestige-watch.service share/systemd/vestige-expire.service
              share/systemd/vestige-expire.timer DESTINATION lib/systemd/system COMPONENT program OPTIONAL)
install(FILES share/systemd/vestige-serve.service DESTINATION lib/systemd/system COMPONENT server OPTIONAL)
install(FILES share/nginx/vestige.conf DESTINATION ${CMAKE_INSTALL_DATADIR}/vestige/nginx COMPONENT server OPTIONAL)
install(FILES share/monitoring/vestige-alerts.yml share/monitoring/vestige-dashboard.json
        DESTINATION ${CMAKE_INSTALL_DATADIR}/vestige/monitoring COMPONENT program OPTIONAL)
install(FILES share/man/vestige.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program OPTIONAL)
install(FILES share/completions/vestige.bash RENAME vestige
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT program OPTIONAL)
install(FILES share/completions/_vestige
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT program OPTIONAL)

# For psql -f, where the program cannot be.
install(FILES ${PROJECT_BINARY_DIR}/sql/postgres/install.sql ${PROJECT_BINARY_DIR}/sql/postgres/remove.sql
              ${PROJECT_BINARY_DIR}/sql/postgres/native.sql ${PROJECT_BINARY_DIR}/sql/postgres/portable.sql
        DESTINATION ${CMAKE_INSTALL_DATADIR}/vestige/postgres COMPONENT program)
