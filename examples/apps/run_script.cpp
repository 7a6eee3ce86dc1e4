// Runs a script file in the browser you already use and prints what it returns.
//   cmake --build build/release --target example_run_script
//   build/release/example_run_script examples/scripts/page_facts.js [URL]

#include <any/client.hpp>
#include <fstream>
#include <iostream>
#include <iterator>

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: run_script FILE [URL]\n";
    return 2;
  }
  std::ifstream file{argv[1]};
  std::string const script{std::istreambuf_iterator<char>{file}, {}};
  if (script.empty()) {
    std::cerr << argv[1] << " cannot be read or is empty\n";
    return 2;
  }
  any::TaskOptions options;
  options.file = argv[1];
  if (argc > 2) options.tab = any::Tab::open(argv[2]);
  try {
    any::Client client;
    auto const result = client.run(script, options, [](any::Event const& event) {
      if (event.kind == "console" || event.kind == "progress" || event.kind == "waiting")
        std::cerr << event.json << '\n';
    });
    std::cout << result.value_or("undefined") << '\n';
  } catch (any::Failure const& failure) {
    std::cerr << failure.name() << ": " << failure.what() << '\n';
    return 1;
  }
}
