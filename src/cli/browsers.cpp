#include <boost/json/serialize.hpp>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/daemon.hpp"
#include "cli/json_view.hpp"
#include "cli/terminal.hpp"

namespace any::cli {
namespace json = boost::json;
namespace {

/// Asks for a list and prints it as JSON lines or as a table.
template <class Row>
int list(Reach const& reach, ListOptions const& options, char const* method, char const* member, char const* none,
         std::vector<std::string> heading, Row row) {
  auto daemon = Daemon::reach(reach, Daemon::Start::no);
  if (daemon.has_error()) return fail(daemon.error()), exit_no_daemon;
  json::object query;
  if (options.browser) query["browser"] = *options.browser;
  auto answer = daemon.value()->ask(method, query);
  if (answer.has_error()) return fail(answer.error());
  auto const& found = array_of(answer.value().as_object(), member);
  if (options.json) {
    for (auto const& value : found) std::cout << json::serialize(value) << '\n';
    return exit_ok;
  }
  if (found.empty()) {
    say(none);
    return exit_ok;
  }
  std::vector<std::vector<std::string>> rows{std::move(heading)};
  for (auto const& value : found) rows.push_back(row(value.as_object()));
  print_table(std::move(rows));
  return exit_ok;
}

}  // namespace

int tabs(Reach const& reach, ListOptions const& options) {
  auto const row = [](json::object const& tab) {
    std::string marks;
    if (flag_of(tab, "active")) marks += flag_of(tab, "focused") ? "active" : "shown";
    if (flag_of(tab, "discarded")) marks += "asleep";
    if (flag_of(tab, "incognito")) marks += " incognito";
    return std::vector<std::string>{text_of(tab, "id"), marks, text_of(tab, "url"), text_of(tab, "title")};
  };
  return list(reach, options, "tabs.list", "tabs", "no tab is open", {"ID", "", "URL", "TITLE"}, row);
}

int browsers(Reach const& reach, ListOptions const& options) {
  auto const row = [](json::object const& browser) {
    auto const linked = flag_of(browser, "linked");
    std::string state = linked ? "linked" : "gone";
    if (linked && flag_of(browser, "paused")) state = "paused";
    return std::vector<std::string>{text_of(browser, "label"),
                                    state,
                                    age(text_of(browser, linked ? "since" : "last_seen")),
                                    text_of(browser, "product"),
                                    text_of(browser, "extension"),
                                    text_of(browser, "id")};
  };
  return list(
      reach, options, "browsers.list", "browsers",
      "no browser has ever been linked: `any launch` starts one, `any extension` says how to have it in your own",
      {"LABEL", "STATE", "SINCE", "PRODUCT", "EXTENSION", "ID"}, row);
}

}  // namespace any::cli
