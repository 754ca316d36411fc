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
endif()
