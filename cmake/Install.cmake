# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What `cmake --install` copies: libraries, headers, the pass, the wrappers (by tools/), the manual page, the CMake package
# and the pkg-config file.  Everything finds its neighbours relative to itself: a prefix can be moved.

include(CMakePackageConfigHelpers)

set(NGRT_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/ngrt)

if(TARGET ngrt)
  install(TARGETS ngrt ngrt_static EXPORT ngrt
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  set_target_properties(ngrt_static PROPERTIES EXPORT_NAME ngrt_static)
  install(EXPORT ngrt NAMESPACE ngrt:: FILE ngrtTargets.cmake DESTINATION ${NGRT_CMAKE_DIR})

  configure_package_config_file(cmake/ngrtConfig.cmake.in ${PROJECT_BINARY_DIR}/cmake/ngrtConfig.cmake
    INSTALL_DESTINATION ${NGRT_CMAKE_DIR}
    PATH_VARS CMAKE_INSTALL_LIBDIR)
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/cmake/ngrtConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/cmake/ngrtConfig.cmake ${PROJECT_BINARY_DIR}/cmake/ngrtConfigVersion.cmake
    DESTINATION ${NGRT_CMAKE_DIR})

  configure_file(cmake/ngrt.pc.in ${PROJECT_BINARY_DIR}/cmake/ngrt.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/cmake/ngrt.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()

install(DIRECTORY include/ngrt DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(TARGETS ngrt-help RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${NGRT_MANUAL} DESTINATION ${CMAKE_INSTALL_MANDIR}/man7)
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

if(TARGET NextGenPass)
  install(TARGETS NextGenPass LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
