#include "api/cdp_endpoints.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <sstream>

#include "api/rest.hpp"
#include "base/embedded.hpp"
#include "base/log.hpp"

namespace any::api {
namespace json = boost::json;
namespace {

using Kind = CdpDoor::Kind;
using service::CdpResult;

constexpr Millis patience = 3'000;  // for a browser to be linked: both may just have been started
constexpr std::size_t megabyte = std::size_t{1} << 20;

/// A payload of 256 MiB and what stands around it.
net::SocketLimits cdp_limits() {
  return {257 * megabyte, 512 * megabyte};
}

/// Chrome's own answers are texts under the type of JSON.
net::Response chrome_response(int status, std::string text) {
  auto response = json_response(status, std::move(text));
  response.content_type = "application/json; charset=UTF-8";
  return response;
}

/// Libraries print what stands in an answer that refuses a socket: a sentence, no JSON.
net::Response refusal(int status, std::string text) {
  auto response = json_response(status, std::move(text));
  response.content_type = "text/plain; charset=utf-8";
  return response;
}
net::Response refusal(Error const& error) {
  return refusal(http_status(error.name), std::string(to_string(error.name)) + ": " + error.message + "\n");
}

bool is_missing_target(cdp::Failure const& failure) {
  return failure.message.starts_with("No such target id") || failure.message.starts_with("No target with given id");
}

net::Response failure_of(cdp::Failure const& failure) {
  if (failure.code == cdp::link_lost) return failure_response({ErrorName::BrowserLostError, failure.message, {}});
  return chrome_response(500, failure.message);
}

/// As it goes into the log: short, and without control characters.
std::string program_name(net::Head const& head) {
  std::string name(head.header("User-Agent").substr(0, 100));
  for (auto& c : name) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return name.empty() ? "a program without a name" : name;
}

/// What the client has called us, with our port also where it left that out.
std::string own_host(net::Head const& head) {
  std::string host(head.header("Host"));
  auto const port = ":" + std::to_string(head.peer.local_port);
  return host.ends_with(port) ? host : host + port;
}

std::string socket_address(net::Head const& head, std::string_view path) {
  return "ws://" + own_host(head) + std::string(path) + carried_query(head);
}

CdpRow row_of(net::Head const& head, cdp::Listed const& target) {
  auto const path = "/devtools/page/" + target.id;
  CdpRow row{{"description", ""},
             {"devtoolsFrontendUrl", "devtools://devtools/bundled/inspector.html?ws=" + own_host(head) + path}};
  if (!target.favicon.empty()) row.emplace_back("faviconUrl", target.favicon);
  row.emplace_back("id", target.id);
  if (!target.parent.empty()) row.emplace_back("parentId", target.parent);
  row.emplace_back("title", target.title);
  row.emplace_back("type", target.type);
  row.emplace_back("url", target.url);
  row.emplace_back("webSocketDebuggerUrl", socket_address(head, path));
  return row;
}

/// "537.36" of "… AppleWebKit/537.36 (KHTML, like Gecko) …".
std::string webkit_version(std::string_view user_agent) {
  constexpr std::string_view name = "AppleWebKit/";
  auto const at = user_agent.find(name);
  if (at == std::string_view::npos) return {};
  auto const rest = user_agent.substr(at + name.size());
  return std::string(rest.substr(0, rest.find(' ')));
}

/// ChromeDriver refuses a browser that tells no revision of the source, or none of this form.
constexpr auto no_revision = "@0000000000000000000000000000000000000000";

json::array named(std::string_view words) {
  json::array out;
  while (!words.empty()) {
    auto const end = std::min(words.find(' '), words.size());
    out.push_back(json::object{{"name", words.substr(0, end)}});
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return out;
}

std::string make_protocol_text() {
  auto const* file = embedded_file("api", "cdp_names.json");
  auto const table = json::parse(file->bytes);
  json::array domains;
  for (auto const& [domain, names] : table.as_object()) {
    domains.push_back(json::object{{"domain", domain},
                                   {"commands", named(names.at("commands").as_string())},
                                   {"events", named(names.at("events").as_string())}});
  }
  return json::serialize(
      json::object{{"version", json::object{{"major", "1"}, {"minor", "3"}}},
                   {"any",
                    "The names alone: Chrome tells its whole protocol on a debugging port only. Save that (`curl "
                    "http://127.0.0.1:9222/json/protocol`) as protocol.json in the daemon's state folder and it is "
                    "told here."},
                   {"domains", std::move(domains)}});
}

}  // namespace

Async<void> CdpEndpoints::serve(net::Exchange& exchange, CdpDoor door) {
  if (door.kind == Kind::browser || door.kind == Kind::page) {
    co_await serve_socket(exchange, std::move(door));
    co_return;
  }
  auto response = co_await answer(exchange, std::move(door));
  co_await exchange.respond(std::move(response));
}

// Sockets.

Async<Result<browser::Info>> CdpEndpoints::choose_for_target(CdpDoor door) {
  auto first = co_await services_.cdp.choose(door.browser, patience);
  if (!first || !door.browser.empty()) co_return first;
  auto const all = services_.cdp.linked();
  if (all.size() < 2) co_return first;
  for (auto const& info : all) {
    if (info.paused) continue;
    auto const targets = co_await services_.cdp.list(info.id);
    if (targets && std::ranges::find(*targets, door.id, &cdp::Listed::id) != targets->end()) co_return info;
  }
  co_return first;
}

Async<void> CdpEndpoints::serve_socket(net::Exchange& exchange, CdpDoor door) {
  auto const& head = exchange.head();
  auto entry = read_cdp_entry(head);
  std::optional<net::Response> refused;
  if (!head.upgrade) {
    refused = failure_response({ErrorName::BadRequestError, head.path + " is a WebSocket; open it as one", {}});
  } else if (live_.closing()) {
    refused = refusal({ErrorName::UnavailableError, "the daemon is shutting down", {}});
  } else if (!entry) {
    refused = refusal(entry.error());
  } else if (door.kind == Kind::page && door.id.empty()) {
    refused = refusal(404, "No such target id: \n");
  }
  std::string browser;
  if (!refused) {
    auto const chosen = co_await choose_for_target(door);
    if (chosen) {
      browser = chosen->id;
    } else if (chosen.error().name == ErrorName::NotFoundError) {
      refused = refusal({ErrorName::NotFoundError,
                         "no browser has the id or label \"" + door.browser.substr(0, 100) +
                             "\": ask /json/version for the address of the one that is connected now",
                         {}});
    } else {
      refused = refusal(chosen.error());
    }
  }
  if (!refused && door.kind == Kind::page) {
    auto const targets = co_await services_.cdp.list(browser);
    if (!targets) {
      refused = refusal(503, targets.error().message + "\n");
    } else if (std::ranges::find(*targets, door.id, &cdp::Listed::id) == targets->end()) {
      refused = refusal(500, "No such target id: " + door.id);
    }
  }
  if (refused) {
    co_await exchange.respond(std::move(*refused));
    co_return;
  }
  auto program = program_name(head);
  entry->target = door.id;
  entry->url = "ws://" + own_host(head) + head.target;
  auto const limits = cdp_limits();
  auto socket = co_await exchange.accept(limits);
  if (socket.has_error()) {
    log::info("a WebSocket was not opened on " + head.path.substr(0, 100) + ": " + socket.error().message);
    if (socket.error().name == ErrorName::BadRequestError) {
      auto response = refusal(socket.error());
      co_await exchange.respond(std::move(response));
    }
    co_return;
  }
  std::function<void()> end = [raw = socket->get()] { raw->close(1001, "the daemon is shutting down"); };
  Live::Entry const open(live_, std::move(end));
  if (live_.closing()) (*socket)->close(1001, "the daemon is shutting down");
  co_await services_.cdp.serve(std::move(browser), std::move(*entry), std::move(*socket), std::move(program));
}

// HTTP.

Async<net::Response> CdpEndpoints::answer(net::Exchange& exchange, CdpDoor door) {
  auto const& head = exchange.head();
  if (door.kind == Kind::unknown) co_return chrome_response(404, "Unknown command: " + door.id);
  if (door.kind == Kind::protocol) co_return protocol();
  if (door.kind == Kind::create && head.method != "PUT") {
    auto response = chrome_response(405, "Using unsafe HTTP verb " + head.method.substr(0, 40) +
                                             " to invoke /json/new. This action supports only PUT verb.");
    response.headers.push_back({"Allow", "PUT"});
    co_return response;
  }
  bool const acts = door.kind == Kind::activate || door.kind == Kind::close;
  if (acts && door.id.empty()) co_return chrome_response(404, "No such target id: ");
  auto chosen = acts ? co_await choose_for_target(door) : co_await services_.cdp.choose(door.browser, patience);
  if (!chosen) co_return failure_response(chosen.error());
  if (door.kind == Kind::version) co_return version(head, *chosen);
  if (door.kind == Kind::list) co_return co_await list(head, std::move(chosen->id));
  if (door.kind == Kind::create) co_return co_await create(head, std::move(chosen->id));
  co_return co_await act(std::move(door), std::move(chosen->id));
}

Async<net::Response> CdpEndpoints::list(net::Head const& head, std::string browser) {
  auto const targets = co_await services_.cdp.list(std::move(browser));
  if (!targets) co_return failure_of(targets.error());
  std::vector<CdpRow> rows;
  for (auto const& target : *targets) rows.push_back(row_of(head, target));
  co_return chrome_response(200, cdp_list(rows));
}

net::Response CdpEndpoints::version(net::Head const& head, browser::Info const& browser) {
  auto const facts = service::cdp_facts(browser);
  CdpRow row{{"Browser", facts.product}, {"Protocol-Version", "1.3"}, {"User-Agent", facts.user_agent}};
  // Chrome tells an extension neither V8's version nor the revision: what is not known is left out.
  if (!facts.v8.empty()) row.emplace_back("V8-Version", facts.v8);
  if (auto webkit = webkit_version(facts.user_agent); !webkit.empty()) {
    row.emplace_back("WebKit-Version", webkit + " (" + (facts.revision.empty() ? no_revision : facts.revision) + ")");
  }
  row.emplace_back("webSocketDebuggerUrl", socket_address(head, "/devtools/browser/" + browser.id));
  auto text = cdp_object(row);
  auto const ours = json::serialize(json::object{
      {"transport", "extension"}, {"browser", browser.id}, {"label", browser.label}, {"version", ANY_VERSION}});
  text.insert(text.size() - 2, ",\n   \"any\": " + ours);
  return chrome_response(200, text + "\n");
}

net::Response CdpEndpoints::protocol() const {
  static auto const names = make_protocol_text();
  std::ifstream file(services_.facts().state_dir + "/protocol.json", std::ios::binary);
  if (!file) return chrome_response(200, names);
  std::ostringstream text;
  text << file.rdbuf();
  return chrome_response(200, std::move(text).str());
}

Async<net::Response> CdpEndpoints::create(net::Head const& head, std::string browser) {
  auto url = new_target_url(head);
  auto const made = co_await services_.cdp.create(std::move(browser), std::move(url));
  if (!made) co_return failure_of(made.error());
  co_return chrome_response(200, cdp_object(row_of(head, *made)) + "\n");
}

Async<net::Response> CdpEndpoints::act(CdpDoor door, std::string browser) {
  bool const closes = door.kind == Kind::close;
  auto const done = closes ? co_await services_.cdp.close(std::move(browser), door.id)
                           : co_await services_.cdp.activate(std::move(browser), door.id);
  if (done) co_return chrome_response(200, closes ? "Target is closing" : "Target activated");
  if (is_missing_target(done.error())) co_return chrome_response(404, "No such target id: " + door.id);
  co_return failure_of(done.error());
}

}  // namespace any::api
