#include "cdp/intercept/interceptions.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>

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

bool answers_request(std::string_view method) {
  return method == "Fetch.continueRequest" || method == "Fetch.continueResponse" ||
         method == "Fetch.continueWithAuth" || method == "Fetch.failRequest" || method == "Fetch.fulfillRequest";
}

bool is_gone(Answer const& answer) {
  return !answer && answer.error().message.starts_with("Invalid InterceptionId");
}

}  // namespace

void Interceptions::belong_to(std::uint64_t attachment) {
  if (attachment_ == attachment) return;
  attachment_ = attachment;
  paused_.clear();
  underway_.clear();
  in_force_.clear();
  settling_ = 0;
}

std::vector<SessionKey> Interceptions::interceptors(Host const& host) const {
  if (wishes_.empty()) return {};
  auto found = host.sessions();
  std::erase_if(found, [this](SessionKey const& session) { return !wishes_.contains(session); });
  return found;
}

std::string Interceptions::wanted(Host const& host) const {
  std::vector<FetchWish const*> wishes;
  for (auto const& session : interceptors(host)) wishes.push_back(&wishes_.at(session));
  return wishes.empty() ? std::string() : together(wishes);
}

void Interceptions::update_patterns(Host& host) {
  if (!host.attached()) return;
  belong_to(host.attachment());
  auto params = wanted(host);
  if (params == in_force_) return;
  in_force_ = std::move(params);
  bool const off = in_force_.empty();
  if (off) paused_.clear();  // Chrome lets them go
  ++settling_;
  host.ask(off ? "Fetch.disable" : "Fetch.enable", off ? "{}" : in_force_,
           [attachment = attachment_](Interceptions& now, Host&, Answer const&) {
             if (now.attachment_ == attachment && now.settling_ > 0) --now.settling_;
           });
}

void Interceptions::enable(Host& host, SessionKey const& by, Command const& command) {
  auto wish = FetchWish::read(command.params);
  std::optional<FetchWish> former;
  if (auto const found = wishes_.find(by); found != wishes_.end()) former = found->second;
  // What is wrong with it is for Chrome to say; should it take it all the same, the union follows.
  bool const readable = wish.has_value();
  if (readable) wishes_.insert_or_assign(by, std::move(*wish));
  auto params = readable ? wanted(host) : command.params;
  // While Chrome has not answered it may still refuse what is said to be in force.
  if (readable && settling_ == 0 && params == in_force_) return host.reply(command.ticket, "{}");
  in_force_ = params;
  ++settling_;
  host.pass(command.ticket, command.method, params,
            [attachment = attachment_, by, readable, mine = command.params, former = std::move(former)](
                Interceptions& now, Host& there, Answer const& answer) {
              if (now.attachment_ != attachment) return;
              if (now.settling_ > 0) --now.settling_;
              if (answer && readable) return;
              // Chrome has kept what it had.
              auto const found = now.wishes_.find(by);
              if (readable && found != now.wishes_.end() && found->second.params == mine) {
                if (former) {
                  found->second = *former;
                } else {
                  now.wishes_.erase(found);
                }
              }
              now.in_force_ = "unknown";
              now.update_patterns(there);
            });
}

void Interceptions::run(Host& host, SessionKey const& by, Command const& command) {
  belong_to(host.attachment());
  if (command.method == "Fetch.enable") return enable(host, by, command);
  if (command.method == "Fetch.disable") {
    stop(host, by);
    return host.reply(command.ticket, "{}");
  }
  if (!has(by)) return host.fail(command.ticket, {code::server_error, "Fetch domain is not enabled"});
  auto const id = request_id(command.params);
  auto const found = paused_.find(id);
  if (found == paused_.end()) {
    // Chrome knows best, but for what may be another's by now.
    if (wishes_.size() == 1) return host.pass(command.ticket, command.method, command.params, nullptr);
    return host.fail(command.ticket, {code::bad_params, "Invalid InterceptionId."});
  }
  auto& request = found->second;
  if (request.asked != by || request.answering) {
    bool const had = std::find(request.past.begin(), request.past.end(), by) != request.past.end();
    if (had || request.asked == by) {
      return host.fail(command.ticket, {code::server_error, "Invalid state for continueInterceptedRequest"});
    }
    return host.fail(command.ticket, {code::bad_params, "Invalid InterceptionId."});
  }
  if (!answers_request(command.method)) return read_body(host, request, command);
  if (request.alone) return answer_alone(host, by, id, request, command);
  decide(host, by, id, request, command);
}

void Interceptions::read_body(Host& host, PausedRequest const& request, Command const& command) {
  auto const* body = request.fulfilled ? request.fulfilled->if_contains("body") : nullptr;
  // A response that another session has made up is not in Chrome yet.
  bool const in_chrome = !request.fulfilled || (!body && !raw_in(request.params, "responseStatusCode").empty());
  if (in_chrome || command.method != "Fetch.getResponseBody") {
    return host.pass(command.ticket, command.method, command.params, nullptr);
  }
  json::object const made{{"body", body ? *body : json::value("")}, {"base64Encoded", true}};
  host.reply(command.ticket, json::serialize(made));
}

void Interceptions::answer_alone(Host& host, SessionKey const& by, std::string const& id, PausedRequest& request,
                                 Command const& command) {
  // Should another begin to intercept meanwhile, the response is still this one's.
  if (command.params.find("interceptResponse") != std::string::npos &&
      raw_in(command.params, "interceptResponse") == "true") {
    remember_underway(id, {by});
  }
  request.answering = true;
  host.pass(command.ticket, command.method, command.params, ended(id, request));
}

Interceptions::Host::Then Interceptions::ended(std::string id, PausedRequest before) const {
  before.answering = false;
  return [attachment = attachment_, id = std::move(id), before = std::move(before)](Interceptions& now, Host& host,
                                                                                    Answer const& answer) {
    if (now.attachment_ != attachment) return;
    auto const found = now.paused_.find(id);
    if (found == now.paused_.end() || found->second.serial != before.serial) return;
    if (answer || is_gone(answer)) {
      now.paused_.erase(found);
    } else {
      now.pause_again(host, id, before);
    }
  };
}

void Interceptions::pause_again(Host& host, std::string const& id, PausedRequest const& before) {
  // It is paused as it was; whoever was asked may try again, if still there.
  auto& request = paused_.find(id)->second;
  bool const asked_is_there = request.asked.has_value();
  request = before;
  auto const gone = [this](SessionKey const& other) { return !has(other); };
  std::erase_if(request.rest, gone);
  std::erase_if(request.past, gone);
  std::erase_if(request.wants_response, [&gone](auto const& row) { return gone(row.first); });
  if (asked_is_there) return;
  request.asked.reset();
  if (!ask_next(host, id)) let_go(host, id);
}

void Interceptions::remember_underway(std::string const& id, std::vector<SessionKey> who) {
  std::erase_if(underway_, [&id](auto const& row) { return row.first == id; });
  underway_.emplace_back(id, std::move(who));
  if (underway_.size() > most_underway) underway_.pop_front();
}

void Interceptions::decide(Host& host, SessionKey const& by, std::string const& id, PausedRequest& request,
                           Command const& command) {
  auto const before = request;
  auto const said = object_of(command.params);
  if (auto const wrong = request.decide(by, command.method, said)) {
    request = before;
    return host.fail(command.ticket, *wrong);
  }
  bool const made = command.method == "Fetch.failRequest" || command.method == "Fetch.fulfillRequest";
  if (made && request.stage == FetchStage::request) {
    // To those through whom the request has come it is now a response.
    request.stage = FetchStage::response;
    request.rest.clear();
    for (auto who = request.past.rbegin(); who != request.past.rend(); ++who) {
      if (*who != by && request.wants_response[*who]) request.rest.push_back(*who);
    }
  }
  bool const credentials =
      request.stage == FetchStage::auth && text_in(object_in(said, "authChallengeResponse"), "response") != "Default";
  request.asked.reset();
  if (!credentials && ask_next(host, id)) return host.reply(command.ticket, "{}");
  auto const [verb, params] = request.end(id);
  bool const as_said = request.stage == FetchStage::auth;
  note_response_wishes(host, id, request);
  request.asked = by;
  request.answering = true;
  host.pass(command.ticket, verb, as_said ? command.params : params, ended(id, before));
}

void Interceptions::note_response_wishes(Host const& host, std::string const& id, PausedRequest const& request) {
  if (request.stage != FetchStage::request || !request.response_wanted()) return;
  std::vector<SessionKey> who;
  for (auto const& session : interceptors(host)) {
    auto const found = request.wants_response.find(session);
    if (found != request.wants_response.end() && found->second) who.push_back(session);
  }
  remember_underway(id, std::move(who));
}

bool Interceptions::ask_next(Host& host, std::string const& id) {
  auto& request = paused_.find(id)->second;
  while (!request.rest.empty()) {
    auto const next = request.rest.front();
    request.rest.erase(request.rest.begin());
    auto const wish = wishes_.find(next);
    if (wish == wishes_.end() || !host.has(next)) continue;
    if (request.stage == FetchStage::request) {
      request.past.push_back(next);
      request.wants_response[next] = wish->second.fits(request.url, request.type, true);
      if (!wish->second.fits(request.url, request.type, false)) continue;
    }
    request.asked = next;
    host.event(next, request.method, request.shown());
    return true;
  }
  return false;
}

void Interceptions::let_go(Host& host, std::string const& id) {
  auto const found = paused_.find(id);
  auto const [verb, params] = found->second.end(id);
  note_response_wishes(host, id, found->second);
  paused_.erase(found);
  host.ask(verb, params, nullptr);
}

PausedRequest& Interceptions::pause(std::string const& id) {
  if (paused_.size() >= most_paused) {
    paused_.erase(std::min_element(paused_.begin(), paused_.end(),
                                   [](auto const& a, auto const& b) { return a.second.serial < b.second.serial; }));
  }
  return paused_.insert_or_assign(id, PausedRequest{.serial = ++last_serial_}).first->second;
}

void Interceptions::on_event(Host& host, std::string_view method, std::string_view params) {
  belong_to(host.attachment());
  auto const who = interceptors(host);
  if (who.empty()) return;  // Chrome lets it go by Fetch.disable
  if (method != "Fetch.requestPaused" && method != "Fetch.authRequired") {
    for (auto const& each : who) host.event(each, method, params);
    return;
  }
  auto const id = request_id(params);
  auto const asked_for =
      std::find_if(underway_.begin(), underway_.end(), [&id](auto const& row) { return row.first == id; });
  auto& request = pause(id);
  bool const auth = method == "Fetch.authRequired";
  request.stage = auth ? FetchStage::auth : FetchStage::request;
  // While Chrome has yet to confirm a change of the patterns it may pause what nobody wants any more.
  if (who.size() == 1 && settling_ == 0 && asked_for == underway_.end()) {
    request.alone = true;
    request.asked = who.front();
    return host.event(who.front(), method, params);
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
  } else if (request.stage == FetchStage::response && asked_for != underway_.end()) {
    request.rest = std::move(asked_for->second);
    underway_.erase(asked_for);
  } else {
    for (auto const& each : who) {
      auto const& wish = wishes_.at(each);
      bool const its = auth ? wish.auth && (wish.fits(request.url, request.type, false) ||
                                            wish.fits(request.url, request.type, true))
                            : wish.fits(request.url, request.type, true);
      if (its) request.rest.push_back(each);
    }
  }
  if (!ask_next(host, id)) let_go(host, id);
}

void Interceptions::stop(Host& host, SessionKey const& session) {
  if (wishes_.erase(session) == 0) return;
  belong_to(host.attachment());
  for (auto& [id, who] : underway_) std::erase(who, session);
  std::vector<std::string> orphaned;
  for (auto& [id, request] : paused_) {
    std::erase(request.rest, session);
    std::erase(request.past, session);
    request.wants_response.erase(session);
    if (request.asked != session) continue;
    request.asked.reset();
    if (!request.answering) orphaned.push_back(id);
  }
  if (!host.attached()) return paused_.clear();
  update_patterns(host);
  if (wishes_.empty()) return;
  for (auto const& id : orphaned) {
    if (!ask_next(host, id)) let_go(host, id);
  }
}

}  // namespace any::cdp
