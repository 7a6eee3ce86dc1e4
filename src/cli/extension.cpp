#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/extension_files.hpp"
#include "cli/terminal.hpp"

namespace any::cli {
namespace {

std::string default_folder() {
  char const* data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && *data == '/') return std::string(data) + "/any/extension";
  char const* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : ".") + "/.local/share/any/extension";
}

}  // namespace

int extension(Reach const& reach, ExtensionOptions const& options) {
  auto const folder = std::filesystem::absolute(options.folder.value_or(default_folder())).lexically_normal().string();
  auto const installation = installation_of(folder);
  if (auto const written = write_extension(folder, reach.daemon, installation, developer_mode_of(folder));
      written.has_error())
    return fail(written.error());
  if (auto const kept = remember_folder(reach.state_dir, folder, reach.daemon, installation); kept.has_error()) {
    say("it will not be kept up to date: " + kept.error().message);
  }
  std::cout << folder << '\n';
  std::cerr << "\nThe extension lies in that folder; it looks for the daemon at " << reach.daemon
            << ".\nTo have it in your own browser:\n"
               "  1. open chrome://extensions and switch on \"Developer mode\" (top right)\n"
               "  2. click \"Load unpacked\"\n"
               "  3. choose the folder above\n"
               "The badge shows when it is linked. On the extension's \"Details\" page you may also allow user scripts "
               "(for pages with a strict\n"
               "Content-Security-Policy without the debugging bar), incognito windows and file URLs.\n";
  return exit_ok;
}

}  // namespace any::cli
