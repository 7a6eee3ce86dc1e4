// What `any doctor` finds of the browsers that the daemon knows.

#include "browser/handshake.hpp"
#include "cli/checks.hpp"
#include "cli/json_view.hpp"
#include "cli/terminal.hpp"

namespace any::cli {
namespace json = boost::json;
namespace {

std::string name_of(json::object const& browser) {
  return "browser \"" + text_of(browser, "label") + "\"";
}

void check_extension(Findings& out, json::object const& browser, std::string_view daemon_version) {
  auto const version = text_of(browser, "extension");
  if (flag_of(browser, "prototype") || version.empty()) return;
  auto const order = browser::compare_versions(version, daemon_version);
  if (order == 0) return;
  auto text = name_of(browser) + " has the extension " + version + ", " + (order < 0 ? "older" : "newer") +
              " than the daemon, " + std::string(daemon_version);
  out.push_back({"browser.extension", Verdict::note, std::move(text),
                 order < 0 ? "any extension   (with the folder it was loaded from), then press its reload button at "
                             "chrome://extensions"
                           : "any stop   (the next command starts a daemon of this command line's version)"});
}

/// What a person has closed to scripts: without a word of it they fail.
void check_closed(Findings& out, json::object const& browser) {
  auto const& can = object_of(browser, "capabilities");
  auto const closed = [&can](char const* name) { return can.contains(name) && !flag_of(can, name); };
  if (closed("all_sites")) {
    out.push_back(
        {"browser.site_access", Verdict::problem,
         name_of(browser) + " keeps the extension out of sites: scripts run only in those that its site access covers",
         "chrome://extensions → any → Details → Site access → On all sites"});
  }
  if (closed("javascript")) {
    out.push_back({"browser.javascript", Verdict::note,
                   "in " + name_of(browser) + " JavaScript is switched off, by default or for a site that is open: " +
                       "scripts cannot run in the main world of such pages",
                   "allow it at chrome://settings/content/javascript, or use `--world isolated`"});
  }
}

/// What a person may allow on the extension's page, and what lacks without it.
void check_allowed(Findings& out, json::object const& browser) {
  if (flag_of(browser, "prototype")) return;
  struct Switch {
    char const *capability, *check, *name, *without;
  };
  static constexpr Switch switches[] = {
      {"user_scripts", "browser.user_scripts", "Allow user scripts",
       "user scripts are not allowed: pages with a strict Content-Security-Policy are reached through the debugger, "
       "with Chrome's bar shown meanwhile, and world \"user\" is missing"},
      {"incognito", "browser.incognito", "Allow in Incognito",
       "incognito windows are not allowed: their tabs are neither seen nor scripted"},
      {"file_urls", "browser.file_urls", "Allow access to file URLs",
       "file URLs are not allowed: pages of file:// cannot be scripted"},
  };
  auto const& can = object_of(browser, "capabilities");
  for (auto const& [capability, check, name, without] : switches) {
    if (flag_of(can, capability)) continue;
    out.push_back({check, Verdict::note, "in " + name_of(browser) + " " + without,
                   std::string("if you need that: chrome://extensions → any → Details → ") + name});
  }
}

void check_linked(Findings& out, json::object const& browser, std::string_view daemon_version) {
  auto const name = name_of(browser);
  out.push_back({"browser.linked", Verdict::ok,
                 name + " is linked (" + text_of(browser, "product") + "; came " + age(text_of(browser, "since")) + ")",
                 ""});
  check_extension(out, browser, daemon_version);
  if (flag_of(browser, "paused"))
    out.push_back({"browser.paused", Verdict::problem, name + " is paused: it is given no tasks",
                   "click the extension's icon, then Resume"});
  if (text_of(browser, "ordinary_tabs") == "0")
    out.push_back({"browser.tabs", Verdict::problem,
                   name + " has no ordinary tab open (chrome:// pages, blank ones and the like cannot be scripted)",
                   "open a web page there, or use `any run --open URL`"});
  check_closed(out, browser);
  check_allowed(out, browser);
  if (auto const proxy = text_of(browser, "proxy"); !proxy.empty()) {
    out.push_back({"browser.proxy", Verdict::note,
                   name + " has a proxy that catches this machine's own addresses: " + proxy,
                   "take <-loopback> out of the bypass list of the browser's proxy settings: the next link may fail"});
  }
}

}  // namespace

Findings check_refused(json::array const& ids) {
  Findings out;
  for (auto const& value : ids) {
    if (!value.is_string()) continue;
    auto const id = std::string(value.get_string());
    out.push_back({"browser.refused", Verdict::note,
                   "the extension " + id + " wants to link and is refused: its id is not that of any's own",
                   "if it is yours: any stop, then any serve --allow-extension " + id +
                       "   (or in config.toml: allow_extension = [\"" + id + "\"])"});
  }
  return out;
}

Findings check_browsers(json::array const& browsers, std::string_view daemon_version) {
  Findings out;
  json::object const* last = nullptr;
  bool linked = false;
  for (auto const& value : browsers) {
    auto const* browser = value.if_object();
    if (browser == nullptr) continue;
    if (flag_of(*browser, "linked")) {
      linked = true;
      check_linked(out, *browser, daemon_version);
    } else if (last == nullptr || text_of(*browser, "last_seen") > text_of(*last, "last_seen")) {
      last = browser;
    }
  }
  if (linked) return out;
  if (last == nullptr) {
    out.push_back({"browser.never", Verdict::problem, "no extension has ever been linked to this daemon",
                   "any launch   (a Chromium with it), or any extension   (to load it into your own browser)"});
    return out;
  }
  auto const since = text_of(*last, "last_seen");
  out.push_back({"browser.gone", Verdict::problem, name_of(*last) + " is gone since " + since + " (" + age(since) + ")",
                 "start that browser; where it runs, click the extension's icon: it says why it is not linked"});
  if (auto const proxy = text_of(*last, "proxy"); !proxy.empty()) {
    out.push_back({"browser.proxy", Verdict::problem,
                   name_of(*last) + " said last, at " + since + ", that it has a proxy that catches this machine's " +
                       "own addresses, which keeps it from the daemon: " + proxy,
                   "take <-loopback> out of the bypass list of the browser's proxy settings"});
  }
  return out;
}

}  // namespace any::cli
