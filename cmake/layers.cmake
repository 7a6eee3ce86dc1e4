# One static library a room of the house: any_layer(<room> [LINK <libraries>]).
add_library(any_options INTERFACE)
target_compile_options(any_options INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
target_include_directories(any_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(any_options INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
                                                 BOOST_ASIO_NO_DEPRECATED ANY_VERSION="${PROJECT_VERSION}")

function(any_layer room)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${room}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(NOT sources)
    add_library(any_${room} INTERFACE)
    target_link_libraries(any_${room} INTERFACE any_options ${ARG_LINK})
    return()
  endif()
  add_library(any_${room} STATIC ${sources})
  target_link_libraries(any_${room} PUBLIC any_options ${ARG_LINK})
endfunction()
