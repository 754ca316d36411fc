# xsift_room(NAME SOURCES ... [DEPENDS rooms...] [LINK public third-party targets...] [LINK_PRIVATE ...])
#
# One library target a room: target xsift_NAME, alias xsift::NAME, headers in include/xsift/NAME.
add_library(xsift_warnings INTERFACE)
target_compile_options(xsift_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
    -Wconversion -Wno-sign-conversion -Wimplicit-fallthrough>
  # GCC 12 sees overlaps in inlined std::string concatenation that are not there (GCC bug 105329).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
if(XSIFT_WERROR)
  target_compile_options(xsift_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()

set_property(GLOBAL PROPERTY XSIFT_ROOMS "")
function(xsift_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;DEPENDS;LINK;LINK_PRIVATE" ${ARGN})
  add_library(xsift_${name} STATIC ${ROOM_SOURCES})
  add_library(xsift::${name} ALIAS xsift_${name})
  target_compile_features(xsift_${name} PUBLIC cxx_std_20)
  set_target_properties(xsift_${name} PROPERTIES EXPORT_NAME ${name} LINKER_LANGUAGE CXX)
  target_include_directories(xsift_${name}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  foreach(dependency IN LISTS ROOM_DEPENDS)
    target_link_libraries(xsift_${name} PUBLIC xsift_${dependency})
  endforeach()
  target_link_libraries(xsift_${name} PUBLIC ${ROOM_LINK}
    PRIVATE ${ROOM_LINK_PRIVATE} $<BUILD_INTERFACE:xsift_warnings>)
  set_property(GLOBAL APPEND PROPERTY XSIFT_ROOMS xsift_${name})
endfunction()

# xsift_test(ROOM SOURCES ... [LINK targets...] [LABELS ...]): one test executable a room, its cases found by CTest.
function(xsift_test name)
  cmake_parse_arguments(TEST "" "" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(test_${name} ${TEST_SOURCES})
  target_link_libraries(test_${name} PRIVATE ${TEST_LINK} GTest::gmock GTest::gtest GTest::gtest_main
    $<BUILD_INTERFACE:xsift_warnings>)
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support)
  target_compile_definitions(test_${name} PRIVATE XSIFT_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
  include(GoogleTest)
  gtest_discover_tests(test_${name} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "${name};${TEST_LABELS}" TIMEOUT 600)
endfunction()
