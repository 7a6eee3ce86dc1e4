// Requests that several sessions of one target intercept. One session alone gets them, and answers, unread.

#include "cdp/intercept/fetch.hpp"

#include <algorithm>

#include "cdp/impl.hpp"
#include "cdp/protocol/read.hpp"

namespace any::cdp {

namespace {

constexpr std::size_t most_paused = 10'000, most_underway = 1'000;

/// Chrome and most clients put it first.
std::string request_id(std::string_view params) {
  constexpr std::string_view head = R"({"requestId":")";
  if (params.starts_with(head)) {
    auto const id = params.substr(head.size(), params.find('"', head.size()) - head.size());
    if (id.find('\\') == std::string_view::npos && id.size() + head.size() < params.size()) return std::string(id);
  }
  return string_in(params, "requestId");
}

/// What is kept of an earlier attachment is void: Chrome has let go of what was paused in it.
Interceptions& present(Target& on) {
  auto& fetch = on.fetch;
  if (fetch.attachment == on.attachment.number()) return fetch;
  fetch.attachment = on.attachment.number();
  fetch.paused.clear();
  fetch.underway.clear();
  fetch.in_force.clear();
  fetch.settling = 0;
  return fetch;
}

/// All that intercept, the oldest session first.
std::vector<SessionKey> interceptors(Target const& on) {
  std::vector<SessionKey> found;
  for (auto const* session : on.sessions) {
    if (on.fetch.wishes.contains(session->key())) found.push_back(session->key());
  }
  return found;
}

std::string wanted(Target const& on) {
  std::vector<FetchWish const*> wishes;
  for (auto const& session : interceptors(on)) wishes.push_back(&on.fetch.wishes.at(session));
  return wishes.empty() ? std::string() : together(wishes);
}

bool answers_request(std::string_view method) {
  return method == "Fetch.continueRequest" || method == "Fetch.continueResponse" ||
         method == "Fetch.continueWithAuth" || method == "Fetch.failRequest" || method == "Fetch.fulfillRequest";
}

bool is_gone(Answer const& answer) {
  return !answer && answer.error().message.starts_with("Invalid InterceptionId");
}

}  // namespace

void Gateway::Impl::update_patterns(Target& on) {
  if (!on.attachment.attached()) return;
  auto& fetch = present(on);
  auto params = wanted(on);
  if (params == fetch.in_force) return;
  fetch.in_force = std::move(params);
  bool const off = fetch.in_force.empty();
  if (off) fetch.paused.clear();  // Chrome lets them go
  ++fetch.settling;
  transport.send(on.debuggee, on.upstream, off ? "Fetch.disable" : "Fetch.enable", off ? "{}" : fetch.in_force,
                 [this, id = on.info.id, attachment = on.attachment.number()](Answer const&) {
                   auto* const still = target(id);
                   if (still && still->fetch.attachment == attachment && still->fetch.settling > 0)
                     --still->fetch.settling;
                 });
}

void Gateway::Impl::enable_fetch(Session& by, Target& on, Command const& command) {
  auto& fetch = present(on);
  auto wish = FetchWish::read(command.params);
  std::optional<FetchWish> former;
  if (auto const found = fetch.wishes.find(by.key()); found != fetch.wishes.end()) former = found->second;
  // What is wrong with it is for Chrome to say; should it take it all the same, the union follows.
  bool const readable = wish.has_value();
  if (readable) fetch.wishes.insert_or_assign(by.key(), std::move(*wish));
  auto params = readable ? wanted(on) : command.params;
  // While Chrome has not answered it may still refuse what is said to be in force.
  if (readable && fetch.settling == 0 && params == fetch.in_force) return reply(command.ticket, "{}");
  fetch.in_force = params;
  ++fetch.settling;
  auto seen = [this, id = on.info.id, attachment = on.attachment.number(), client = by.client, name = by.id, readable,
               mine = command.params, former = std::move(former)](Answer const& answer) -> std::optional<std::string> {
    auto* const still = target(id);
    if (!still || still->fetch.attachment != attachment) return std::nullopt;
    if (still->fetch.settling > 0) --still->fetch.settling;
    if (answer && readable) return std::nullopt;
    // Chrome has kept what it had.
    auto& wishes = still->fetch.wishes;
    auto const found = wishes.find(SessionKey{client, name});
    if (readable && found != wishes.end() && found->second.params == mine) {
      if (former) {
        found->second = *former;
      } else {
        wishes.erase(found);
      }
    }
    still->fetch.in_force = "unknown";
    update_patterns(*still);
    return std::nullopt;
  };
  pass(on, command.ticket, command.method, params, std::move(seen));
}

void Gateway::Impl::intercept(Session& by, Target& on, Command const& command) {
  if (command.method == "Fetch.enable") return enable_fetch(by, on, command);
  auto& fetch = present(on);
  if (command.method == "Fetch.disable") {
    stop_intercepting(by, on);
    return reply(command.ticket, "{}");
  }
  if (!fetch.wishes.contains(by.key())) {
    return fail(command.ticket, {code::server_error, "Fetch domain is not enabled"});
  }
  auto const id = request_id(command.params);
  auto const found = fetch.paused.find(id);
  if (found == fetch.paused.end()) {
    // Chrome knows best, but for what may be another's by now.
    if (fetch.wishes.size() == 1) return pass(on, command.ticket, command.method, command.params);
    return fail(command.ticket, {code::bad_params, "Invalid InterceptionId."});
  }
  auto& request = found->second;
  if (request.asked != by.key() || request.answering) {
    bool const had = std::find(request.past.begin(), request.past.end(), by.key()) != request.past.end();
    if (had || request.asked == by.key()) {
      return fail(command.ticket, {code::server_error, "Invalid state for continueInterceptedRequest"});
    }
    return fail(command.ticket, {code::bad_params, "Invalid InterceptionId."});
  }
  if (!answers_request(command.method)) return read_body(on, request, command);
  if (request.alone) return answer_alone(by, on, id, request, command);
  decide_request(by, on, id, request, command);
}

void Gateway::Impl::read_body(Target& on, PausedRequest const& request, Command const& command) {
  auto const* body = request.fulfilled ? request.fulfilled->if_contains("body") : nullptr;
  // A response that another session has made up is not in Chrome yet.
  bool const in_chrome = !request.fulfilled || (!body && raw_in(request.params, "responseStatusCode").size() > 0);
  if (in_chrome || command.method != "Fetch.getResponseBody") {
    return pass(on, command.ticket, command.method, command.params);
  }
  json::object const made{{"body", body ? *body : json::value("")}, {"base64Encoded", true}};
  reply(command.ticket, json::serialize(made));
}

void Gateway::Impl::answer_alone(Session& by, Target& on, std::string const& id, PausedRequest& request,
                                 Command const& command) {
  // Should another begin to intercept meanwhile, the response is still this one's.
  if (command.params.find("interceptResponse") != std::string::npos &&
      raw_in(command.params, "interceptResponse") == "true") {
    remember_underway(on.fetch, id, {by.key()});
  }
  request.answering = true;
  pass(on, command.ticket, command.method, command.params, answer_seen(on, id, request));
}

Gateway::Impl::Seen Gateway::Impl::answer_seen(Target const& on, std::string id, PausedRequest before) {
  before.answering = false;
  return [this, of = on.info.id, attachment = on.attachment.number(), id = std::move(id),
          before = std::move(before)](Answer const& answer) -> std::optional<std::string> {
    auto* const still = target(of);
    if (!still || still->fetch.attachment != attachment) return std::nullopt;
    auto& paused = still->fetch.paused;
    auto const found = paused.find(id);
    if (found == paused.end() || found->second.serial != before.serial) return std::nullopt;
    if (answer || is_gone(answer)) {
      paused.erase(found);
      return std::nullopt;
    }
    // It is paused as it was; whoever was asked may try again, if still there.
    auto const now = std::move(found->second);
    found->second = before;
    std::erase_if(found->second.rest, [&](SessionKey const& other) { return !still->fetch.wishes.contains(other); });
    std::erase_if(found->second.past, [&](SessionKey const& other) { return !still->fetch.wishes.contains(other); });
    std::erase_if(found->second.wants_response,
                  [&](auto const& row) { return !still->fetch.wishes.contains(row.first); });
    if (now.asked) return std::nullopt;
    found->second.asked.reset();
    if (!ask_next(*still, id)) let_request_go(*still, id);
    return std::nullopt;
  };
}

void Gateway::Impl::remember_underway(Interceptions& fetch, std::string const& id, std::vector<SessionKey> who) {
  std::erase_if(fetch.underway, [&id](auto const& row) { return row.first == id; });
  fetch.underway.emplace_back(id, std::move(who));
  if (fetch.underway.size() > most_underway) fetch.underway.pop_front();
}

void Gateway::Impl::decide_request(Session& by, Target& on, std::string const& id, PausedRequest& request,
                                   Command const& command) {
  auto const before = request;
  auto const said = object_of(command.params);
  if (auto const wrong = request.decide(by.key(), command.method, said)) {
    request = before;
    return fail(command.ticket, *wrong);
  }
  bool const made = command.method == "Fetch.failRequest" || command.method == "Fetch.fulfillRequest";
  if (made && request.stage == FetchStage::request) {
    // To those through whom the request has come it is now a response.
    request.stage = FetchStage::response;
    request.rest.clear();
    for (auto who = request.past.rbegin(); who != request.past.rend(); ++who) {
      if (*who != by.key() && request.wants_response[*who]) request.rest.push_back(*who);
    }
  }
  bool const credentials =
      request.stage == FetchStage::auth && text_in(object_in(said, "authChallengeResponse"), "response") != "Default";
  request.asked.reset();
  if (!credentials && ask_next(on, id)) return reply(command.ticket, "{}");
  auto const [verb, params] = request.end(id);
  bool const as_said = request.stage == FetchStage::auth;
  note_response_wishes(on, id, request);
  request.asked = by.key();
  request.answering = true;
  pass(on, command.ticket, verb, as_said ? command.params : params, answer_seen(on, id, before));
}

void Gateway::Impl::note_response_wishes(Target& on, std::string const& id, PausedRequest const& request) {
  if (request.stage != FetchStage::request || !request.response_wanted()) return;
  std::vector<SessionKey> who;
  for (auto const& session : interceptors(on)) {
    auto const found = request.wants_response.find(session);
    if (found != request.wants_response.end() && found->second) who.push_back(session);
  }
  remember_underway(on.fetch, id, std::move(who));
}

bool Gateway::Impl::ask_next(Target& on, std::string const& id) {
  auto& request = on.fetch.paused.find(id)->second;
  while (!request.rest.empty()) {
    auto const next = request.rest.front();
    request.rest.erase(request.rest.begin());
    auto const wish = on.fetch.wishes.find(next);
    auto const* const to = session(next);
    if (wish == on.fetch.wishes.end() || !to) continue;
    if (request.stage == FetchStage::request) {
      request.past.push_back(next);
      request.wants_response[next] = wish->second.fits(request.url, request.type, true);
      if (!wish->second.fits(request.url, request.type, false)) continue;
    }
    request.asked = next;
    event(*to, request.method, request.shown());
    return true;
  }
  return false;
}

void Gateway::Impl::let_request_go(Target& on, std::string const& id) {
  auto const found = on.fetch.paused.find(id);
  auto const [verb, params] = found->second.end(id);
  note_response_wishes(on, id, found->second);
  on.fetch.paused.erase(found);
  tell(on, verb, params);
}

void Gateway::Impl::paused(Target& on, std::string_view method, std::string_view params) {
  auto& fetch = present(on);
  auto const who = interceptors(on);
  if (who.empty()) return;  // Chrome lets it go by Fetch.disable
  if (method != "Fetch.requestPaused" && method != "Fetch.authRequired") {
    for (auto const& each : who) {
      if (auto const* const to = session(each)) event(*to, method, params);
    }
    return;
  }
  auto const id = request_id(params);
  auto const asked_for =
      std::find_if(fetch.underway.begin(), fetch.underway.end(), [&id](auto const& row) { return row.first == id; });
  if (fetch.paused.size() >= most_paused) {
    fetch.paused.erase(std::min_element(fetch.paused.begin(), fetch.paused.end(), [](auto const& a, auto const& b) {
      return a.second.serial < b.second.serial;
    }));
  }
  auto& request = fetch.paused.insert_or_assign(id, PausedRequest{.serial = ++fetch.last_serial}).first->second;
  bool const auth = method == "Fetch.authRequired";
  request.stage = auth ? FetchStage::auth : FetchStage::request;
  // While Chrome has yet to confirm a change of the patterns it may pause what nobody wants any more.
  if (who.size() == 1 && fetch.settling == 0 && asked_for == fetch.underway.end()) {
    request.alone = true;
    request.asked = who.front();
    if (auto const* const to = session(who.front())) event(*to, method, params);
    return;
  }
  request.method = method;
  request.params = params;
  auto const all = wire::members(params);
  auto const member = [&all](std::string_view key) { return all ? wire::member(*all, key) : std::string_view(); };
  request.url = string_in(member("request"), "url");
  request.type = wire::string_value(member("resourceType").empty() ? R"("")" : member("resourceType")).value();
  if (!auth && (!member("responseStatusCode").empty() || !member("responseErrorReason").empty())) {
    request.stage = FetchStage::response;
  }
  if (request.stage == FetchStage::request) {
    request.rest.assign(who.rbegin(), who.rend());
  } else if (request.stage == FetchStage::response && asked_for != fetch.underway.end()) {
    request.rest = std::move(asked_for->second);
    fetch.underway.erase(asked_for);
  } else {
    for (auto const& each : who) {
      auto const& wish = fetch.wishes.at(each);
      bool const its = auth ? wish.auth && (wish.fits(request.url, request.type, false) ||
                                            wish.fits(request.url, request.type, true))
                            : wish.fits(request.url, request.type, true);
      if (its) request.rest.push_back(each);
    }
  }
  if (!ask_next(on, id)) let_request_go(on, id);
}

void Gateway::Impl::stop_intercepting(Session& by, Target& on) {
  auto const ending = by.key();
  if (on.fetch.wishes.erase(ending) == 0) return;
  auto& fetch = present(on);
  for (auto& [id, who] : fetch.underway) std::erase(who, ending);
  std::vector<std::string> orphaned;
  for (auto& [id, request] : fetch.paused) {
    std::erase(request.rest, ending);
    std::erase(request.past, ending);
    request.wants_response.erase(ending);
    if (request.asked != ending) continue;
    request.asked.reset();
    if (!request.answering) orphaned.push_back(id);
  }
  if (!on.attachment.attached()) return fetch.paused.clear();
  update_patterns(on);
  if (fetch.wishes.empty()) return;
  for (auto const& id : orphaned) {
    if (!ask_next(on, id)) let_request_go(on, id);
  }
}

}  // namespace any::cdp
