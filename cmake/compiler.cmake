# The presets' compiler: what -DCMAKE_CXX_COMPILER or CXX says, else the oldest clang >= 16 there is (16 is what the tests run with).
if(NOT CMAKE_CXX_COMPILER AND NOT DEFINED ENV{CXX})
  find_program(ANY_CLANG NAMES clang++-16 clang++-17 clang++-18 clang++-19 clang++-20 clang++ REQUIRED)
  set(CMAKE_CXX_COMPILER ${ANY_CLANG})
endif()
