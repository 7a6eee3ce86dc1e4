#include <boost/json/serialize.hpp>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/daemon.hpp"
#include "cli/json_view.hpp"
#include "cli/terminal.hpp"

namespace any::cli {
namespace json = boost::json;
namespace {

void print(json::object const& line, bool as_json) {
  if (as_json) {
    std::cout << json::serialize(line) << '\n';
    return;
  }
  std::string about;
  for (char const* member : {"browser", "task"}) {
    if (auto const text = text_of(line, member); !text.empty()) about += " " + std::string(member) + "=" + text;
  }
  auto const level = text_of(line, "level");
  std::cout << harmless_line(
                   text_of(line, "time") + " " + level + std::string(level.size() < 5 ? 5 - level.size() : 0, ' ') +
                   " " + (text_of(line, "source") == "extension" ? "[extension] " : "") + text_of(line, "text") + about)
            << '\n';
}

}  // namespace

int logs(Reach const& reach, LogsOptions const& options) {
  auto daemon = Daemon::reach(reach, Daemon::Start::no);
  if (daemon.has_error()) {
    auto error = daemon.error();
    error.message += "; the log of a daemon that a command started is " + reach.state_dir + "/daemon.log";
    return fail(error), exit_no_daemon;
  }
  auto answer = daemon.value()->ask("logs.list", {{"limit", options.limit}});
  if (answer.has_error()) return fail(answer.error());
  std::int64_t last = 0;
  for (auto const& value : array_of(answer.value().as_object(), "lines")) {
    print(value.as_object(), options.json);
    if (auto const* seq = value.as_object().if_contains("seq"); seq != nullptr && seq->is_int64())
      last = seq->as_int64();
  }
  std::cout.flush();
  if (!options.follow) return exit_ok;
  daemon.value()->on_notification([&options](std::string_view method, json::object const& line) {
    if (method != "log.line") return;
    print(line, options.json);
    std::cout.flush();
  });
  auto const watching = daemon.value()->ask("logs.watch", {{"since", last}});
  if (watching.has_error()) return fail(watching.error());
  daemon.value()->wait([] { return !std::cout.good(); });
  say("the daemon has ended");
  return exit_no_daemon;
}

}  // namespace any::cli
