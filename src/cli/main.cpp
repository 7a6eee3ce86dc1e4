#include <exception>
#include <iostream>

#include "cli/commands.hpp"

int main(int argc, char** argv) {
  try {
    return any::cli::main(argc, argv);
  } catch (std::exception const& bug) {
    std::cerr << "any: " << bug.what() << '\n';
    return any::cli::exit_refused;
  }
}
