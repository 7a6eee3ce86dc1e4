#pragma once
// The table of subcommands: one function each, in the file of its name. Each returns the process's exit code.

#include "cli/options.hpp"

namespace any::cli {

int serve(ServeOptions const& options);                              // serve.cpp
int run(Reach const& reach, RunOptions const& options);              // run.cpp: run and eval
int tasks(Reach const& reach, TasksOptions const& options);          // tasks.cpp
int task(Reach const& reach, TaskOptions const& options);            // tasks.cpp
int result(Reach const& reach, TaskOptions const& options);          // tasks.cpp
int cancel(Reach const& reach, TaskOptions const& options);          // tasks.cpp
int cdp(Reach const& reach, CdpOptions const& options);              // cdp.cpp
int tabs(Reach const& reach, ListOptions const& options);            // browsers.cpp
int browsers(Reach const& reach, ListOptions const& options);        // browsers.cpp
int logs(Reach const& reach, LogsOptions const& options);            // logs.cpp
int launch(Reach const& reach, LaunchOptions const& options);        // launch.cpp
int extension(Reach const& reach, ExtensionOptions const& options);  // extension.cpp
int doctor(Reach const& reach, DoctorOptions const& options);        // doctor.cpp
int stop(Reach const& reach);                                        // serve.cpp
/// A subcommand's words, for completion.
struct CommandWords {
  std::string name, help;
  std::vector<std::string> flags;  ///< "--tab", "--record" …
};
int completion(std::string const& shell, std::vector<CommandWords> const& commands);  // completion.cpp

/// Reads the command line and runs the command it names.
int main(int argc, char** argv);  // parse.cpp

}  // namespace any::cli
