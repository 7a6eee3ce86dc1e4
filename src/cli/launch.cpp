#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <thread>

#include "cli/commands.hpp"
#include "cli/daemon.hpp"
#include "cli/extension_files.hpp"
#include "cli/json_view.hpp"
#include "cli/profile.hpp"
#include "cli/spawn.hpp"
#include "cli/terminal.hpp"

namespace any::cli {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

constexpr std::chrono::seconds page_limit{20};

std::string found_on_path(std::string const& name) {
  if (name.find('/') != std::string::npos) return access(name.c_str(), X_OK) == 0 ? name : "";
  char const* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/bin:/bin";
  while (!rest.empty()) {
    auto const end = rest.find(':');
    auto candidate = std::string(rest.substr(0, end)) + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
  }
  return "";
}

std::string version_of(std::string const& program) {
  std::array<char, 200> line{};
  auto* pipe = popen(("'" + program + "' --version 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return "";
  std::string out;
  if (fgets(line.data(), line.size(), pipe) != nullptr) out = line.data();
  pclose(pipe);
  return out;
}

Result<std::string> find_browser(LaunchOptions const& options) {
  if (options.binary) {
    auto found = found_on_path(*options.binary);
    if (found.empty()) return Error{ErrorName::BadRequestError, "there is no program " + *options.binary};
    return found;
  }
  for (char const* name : {"chromium", "chromium-browser", "google-chrome-for-testing", "chrome"}) {
    if (auto found = found_on_path(name); !found.empty()) return found;
  }
  for (char const* name : {"google-chrome", "google-chrome-stable", "microsoft-edge", "brave-browser"}) {
    if (auto found = found_on_path(name); !found.empty()) return found;
  }
  return Error{ErrorName::NoBrowserError,
               "no Chromium or Chrome is on the PATH: install one (apt install chromium), or name it with --binary"};
}

class Child {
 public:
  static Result<Child> start(std::vector<std::string> const& words, std::string const& log) {
    Streams streams;
    streams.to_file(1, log, O_TRUNC);
    streams.to_same(2, 1);
    Child child;
    if (auto const failed = spawn_apart(child.pid, words, streams); failed != 0)
      return Error{ErrorName::UnavailableError, "cannot start " + words[0] + ": " + std::strerror(failed)};
    return child;
  }
  bool ended() {
    if (!over) over = waitpid(pid, &status, WNOHANG) == pid;
    return over;
  }
  /// Asks it to end, then makes it.
  void end() {
    if (ended()) return;
    kill(pid, SIGTERM);
    for (int i = 0; i < 100 && !ended(); ++i) std::this_thread::sleep_for(Duration(50));
    if (!ended()) kill(-pid, SIGKILL);
    if (!over) waitpid(pid, &status, 0);
    over = true;
  }
  pid_t pid = 0;
  int status = 0;
  bool over = false;
};

struct Linked {
  std::string id, label;
};

/// The browser that runs the extension of that folder.
std::optional<Linked> linked_from(Daemon& daemon, Installation const& folder) {
  auto const answer = daemon.ask("browsers.list", {});
  if (answer.has_error()) return std::nullopt;
  for (auto const& value : array_of(answer.value().as_object(), "browsers")) {
    auto const& browser = value.as_object();
    if (flag_of(browser, "linked") && text_of(browser, "installation") == folder.id)
      return Linked{text_of(browser, "id"), text_of(browser, "label")};
  }
  return std::nullopt;
}

/// Whether a browser runs with this profile: Chromium's lock names the machine and the process.
bool in_use(fs::path const& profile) {
  std::error_code failure;
  auto const holder = fs::read_symlink(profile / "SingletonLock", failure).string();
  auto const dash = holder.rfind('-');
  if (failure || dash == std::string::npos) return false;
  auto const pid = std::atoi(holder.c_str() + dash + 1);
  return pid > 0 && kill(pid, 0) == 0;
}

class Pages {
 public:
  Pages(Daemon& daemon, std::string browser) : daemon_(daemon), browser_(std::move(browser)) {}

  /// Opens the address in the blank tab that the browser began with, or in a new one; returns once the tab shows it.
  Result<void> open(std::string const& url) {
    auto const blank = call("tabs.query", {json::object{{"url", "about:blank"}, {"active", true}}});
    if (blank.has_error()) return blank.error();
    auto const* tabs = blank.value().if_array();
    auto const opened = tabs != nullptr && !tabs->empty()
                            ? call("tabs.update", {tabs->front().at("id"), json::object{{"url", url}}})
                            : call("tabs.create", {json::object{{"url", url}}});
    if (opened.has_error()) return opened.error();
    auto const tab = opened.value().at("id");
    auto const deadline = std::chrono::steady_clock::now() + page_limit;
    while (std::chrono::steady_clock::now() < deadline) {
      auto const now = call("tabs.get", {tab});
      if (now.has_error()) return now.error();
      auto const& facts = now.value().as_object();
      auto const shown = text_of(facts, "url");
      if (text_of(facts, "status") == "complete" && !shown.empty() && (shown != "about:blank" || url == shown))
        return {};
      daemon_.wait([] { return false; }, Duration(30));
    }
    return Error{ErrorName::NavigatedError, url + " has not loaded yet: see that its server answers"};
  }

 private:
  Result<json::value> call(char const* path, json::array args) {
    auto answer = daemon_.ask("browsers.chrome", {{"id", browser_}, {"path", path}, {"args", std::move(args)}});
    if (answer.has_error()) return answer.error();
    return std::move(answer.value().as_object()["result"]);
  }

  Daemon& daemon_;
  std::string browser_;
};

/// The folder of the user data folder that holds the profile.
std::string profile_name(std::vector<std::string> const& words) {
  constexpr std::string_view word = "--profile-directory=";
  for (auto const& each : words) {
    if (each.starts_with(word)) return each.substr(word.size());
  }
  return "Default";
}

}  // namespace

int launch(Reach const& reach, LaunchOptions const& options) {
  auto const program = find_browser(options);
  if (program.has_error()) return fail(program.error());
  auto reached = Daemon::reach(reach, Daemon::Start::if_none);
  if (reached.has_error()) return fail(reached.error()), exit_no_daemon;
  auto& daemon = *reached.value();

  auto const profile = fs::absolute(options.profile.value_or(reach.state_dir + "/profile")).string();
  auto const folder = profile + "/any-extension";
  std::error_code failure;
  fs::create_directories(profile, failure);
  // A new one: by it this launch knows its own browser among all that link meanwhile.
  auto const installation = new_installation();
  bool const runs_already = in_use(profile);
  bool developer_mode = developer_mode_of(folder);
  if (!runs_already) {
    auto const switched = switch_on_developer_mode(fs::path(profile) / profile_name(options.extra));
    if (switched.has_error()) say(switched.error().message);
    developer_mode = switched.has_value();
  }
  if (auto const written = write_extension(folder, reach.daemon, installation, developer_mode); written.has_error())
    return fail(written.error());

  auto const version = version_of(program.value());
  if (version.find("Google Chrome ") != std::string::npos && version.find("for Testing") == std::string::npos) {
    return fail(Error{ErrorName::NoBrowserError,
                      "Google Chrome takes no extension from the command line since 137. Start it yourself, open "
                      "chrome://extensions, switch on "
                      "Developer mode, click \"Load unpacked\" and choose " +
                          folder + " - once for each profile; or install chromium for `any launch`"});
  }
  std::vector<std::string> words{program.value(),  "--user-data-dir=" + profile, "--load-extension=" + folder,
                                 "--no-first-run", "--no-default-browser-check", "--silent-debugger-extension-api"};
  if (options.headless) words.insert(words.end(), {"--headless=new", "--disable-gpu"});
  if (geteuid() == 0) {
    say("running as root: the browser starts with --no-sandbox");
    words.emplace_back("--no-sandbox");
  }
  words.insert(words.end(), options.extra.begin(), options.extra.end());
  // A browser whose extension is still loading may lose the page of its command line for good (Chromium 156, for one
  // with declarativeNetRequest or webRequest): the page is opened once the link stands. A browser that runs takes it.
  words.push_back(options.url && runs_already ? *options.url : "about:blank");

  auto started = Child::start(words, profile + "/any-launch.log");
  if (started.has_error()) return fail(started.error());
  auto child = started.value();
  bool interrupted = false;
  daemon.on_interrupt([&interrupted] { interrupted = true; });

  status("waiting for the extension's link");
  std::optional<Linked> linked;
  auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(options.timeout);
  while (!linked && !interrupted && std::chrono::steady_clock::now() < deadline) {
    linked = linked_from(daemon, installation);
    if (linked) break;
    if (child.ended() && WIFEXITED(child.status) && WEXITSTATUS(child.status) == 0) {
      say("a browser with this profile runs already" + std::string(options.url ? ": the page was opened there" : ""));
      return exit_ok;
    }
    if (child.ended()) {
      return fail(Error{ErrorName::NoBrowserError,
                        "the browser ended at once; its own words are in " + profile + "/any-launch.log"});
    }
    daemon.wait([&] { return interrupted; }, Duration(30));
  }
  clear_status();
  if (!linked) {
    child.end();
    if (interrupted) return exit_cancelled;
    return fail(Error{ErrorName::NoBrowserError, "the browser runs, but its extension has not linked within " +
                                                     std::to_string(options.timeout) + " s: see `any logs` and " +
                                                     profile + "/any-launch.log"});
  }
  if (options.url && !runs_already) {
    auto const opened = Pages(daemon, linked->id).open(*options.url);
    if (opened.has_error()) say("the page was not opened: " + opened.error().message);
  }
  say("linked: browser \"" + linked->label + "\", pid " + std::to_string(child.pid) +
      (options.wait ? "" : " (it goes on; end it by closing it, or kill " + std::to_string(child.pid) + ")"));
  std::cout << linked->label << std::endl;
  if (!options.wait) return exit_ok;
  while (!interrupted && !child.ended()) {
    if (daemon.wait([&] { return interrupted; }, Duration(200)) == Daemon::Waited::lost)
      std::this_thread::sleep_for(Duration(200));
  }
  child.end();
  return exit_ok;
}

}  // namespace any::cli
