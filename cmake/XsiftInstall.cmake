# Install rules and the exported package: find_package(xsift) gives xsift::core, xsift::timing, ...
include(CMakePackageConfigHelpers)
get_property(rooms GLOBAL PROPERTY XSIFT_ROOMS)
install(TARGETS ${rooms} EXPORT xsiftTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/xsift DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT xsiftTargets NAMESPACE xsift:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/xsift)
configure_package_config_file(cmake/xsiftConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/xsiftConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/xsift)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/xsiftConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/xsiftConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/xsiftConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/xsift)
if(TARGET xsift)
  install(TARGETS xsift RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  # Man pages and completions are made from the program's --help; without python3 there are none.
  find_program(XSIFT_PYTHON NAMES python3)
  if(XSIFT_PYTHON)
    set(manual ${CMAKE_CURRENT_BINARY_DIR}/manual)
    add_custom_command(OUTPUT ${manual}/man/xsift.1
      COMMAND ${XSIFT_PYTHON} ${PROJECT_SOURCE_DIR}/scripts/make-manual $<TARGET_FILE:xsift> ${manual}
      DEPENDS xsift ${PROJECT_SOURCE_DIR}/scripts/make-manual COMMENT "Making man pages and completions" VERBATIM)
    add_custom_target(manual ALL DEPENDS ${manual}/man/xsift.1)
    # Optional: one may build and install the target xsift alone.
    install(DIRECTORY ${manual}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 OPTIONAL)
    install(FILES ${manual}/completions/xsift.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
      RENAME xsift OPTIONAL)
    install(FILES ${manual}/completions/_xsift DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions OPTIONAL)
    install(FILES ${manual}/completions/xsift.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d OPTIONAL)
  endif()
endif()
