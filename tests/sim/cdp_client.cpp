#include "sim/cdp_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>

namespace any::cdp::sim {

namespace json = boost::json;

namespace {

std::string text_of(json::object const& in, char const* key) {
  auto const* value = in.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

json::object object_of(json::object const& in, char const* key) {
  auto const* value = in.if_contains(key);
  return value && value->is_object() ? value->get_object() : json::object();
}

}  // namespace

void SimClient::broken(std::string const& what, std::string const& text) const {
  throw Broken("client " + std::to_string(id_) + ": " + what + ": " + text);
}

std::string SimClient::what_is_outstanding() const {
  std::string all = std::to_string(malformed_) + " malformed";
  for (auto const& [id, said] : outstanding_) {
    auto const at = sessions_.find(said.session);
    all += "; " + std::to_string(id) + " " + said.method + " on '" + said.session + "' of " +
           (at == sessions_.end() ? "no target" : at->second.target);
  }
  return all;
}

std::string SimClient::say(std::string const& session, std::string method, std::string params) {
  auto const id = ++last_id_;
  std::string text = R"({"id":)" + std::to_string(id) + R"(,"method":")" + method + R"(","params":)" + params;
  if (!session.empty()) text += R"(,"sessionId":")" + session + "\"";
  if (auto const at = sessions_.find(session); at != sessions_.end()) {
    auto const domain = method.substr(0, method.find('.'));
    ++at->second.asked[domain];
    if (method.ends_with(".enable") || method.ends_with(".disable")) {
      at->second.domains[domain] =
          at->second.asked[domain] > 1 || params.find("refuse") != std::string::npos ? Wish::unknown : Wish::asked;
    }
  }
  outstanding_.emplace(id, Said{session, std::move(method), std::move(params)});
  return text + "}";
}

std::string SimClient::speak(std::vector<std::string> const& targets) {
  if (random_.chance(3)) return garbage();
  if (random_.chance(2)) return say("NOBODY", "Runtime.enable", "{}");
  std::vector<std::string> all;
  for (auto const& [name, session] : sessions_) all.push_back(name);
  auto const name = random_.one_of(all);
  auto const& session = sessions_.at(name);
  if (session.target.empty() || session.tab) return speak_to_browser(name, targets);
  return random_.chance(8) ? speak_to_browser(name, targets) : speak_to_target(name);
}

std::string SimClient::garbage() {
  static constexpr char const* texts[] = {"",
                                          "{}",
                                          "[1]",
                                          "{\"id\":1",
                                          R"({"id":"1","method":"a.b"})",
                                          R"({"method":"Page.enable"})",
                                          "\xff\xfe",
                                          R"({"id":null,"method":"x"})"};
  ++malformed_;
  return texts[random_.pick(std::size(texts))];
}

std::string SimClient::speak_to_browser(std::string const& session, std::vector<std::string> const& targets) {
  auto const some = [&]() -> std::string {
    return targets.empty() || random_.chance(10) ? "no such" : targets[random_.pick(targets.size())];
  };
  auto const flag = [this] { return random_.chance(70) ? "true" : "false"; };
  switch (random_.pick(12)) {
    case 0:
    case 1:
      return say(
          session, "Target.setAutoAttach",
          std::string(R"({"autoAttach":)") + flag() + R"(,"waitForDebuggerOnStart":)" + flag() + R"(,"flatten":true})");
    case 2:
      return say(session, "Target.setDiscoverTargets", std::string(R"({"discover":)") + flag() + "}");
    case 3:
      return say(session, "Target.getTargets", "{}");
    case 4:
    case 5:
      return say(session, "Target.attachToTarget", R"({"flatten":true,"targetId":")" + some() + "\"}");
    case 6: {
      std::vector<std::string> all{"none"};
      for (auto const& [name, other] : sessions_) all.push_back(name);
      return say(session, "Target.detachFromTarget", R"({"sessionId":")" + random_.one_of(all) + "\"}");
    }
    case 7:
      return say(session, "Target.attachToBrowserTarget", "{}");
    case 8:
      return say(session, "Target.getTargetInfo", R"({"targetId":")" + some() + "\"}");
    case 9:
      return random_.chance(30) ? say(session, "Target.closeTarget", R"({"targetId":")" + some() + "\"}")
                                : say(session, "Target.activateTarget", R"({"targetId":")" + some() + "\"}");
    case 10:
      return random_.chance(30) ? say(session, "Target.createTarget", R"({"url":"about:blank"})")
                                : say(session, "Browser.getVersion", "{}");
    default:
      return say(session, "Nonsense.method", R"({"deep":[[[{}]]]})");
  }
}

std::string SimClient::speak_to_target(std::string const& name) {
  static constexpr char const* domains[] = {"Page", "Runtime", "Network", "CSS", "Log", "Debugger"};
  auto& session = sessions_.at(name);
  std::string const domain = domains[random_.pick(std::size(domains))];
  auto const request = session.paused.empty() ? std::string("none") : random_.one_of(session.paused);
  auto const its = R"({"requestId":")" + request + "\"";
  switch (random_.pick(18)) {
    case 0:
    case 1:
    case 2:
      return say(name, domain + ".enable", random_.chance(4) ? R"({"refuse":1})" : "{}");
    case 3:
      return say(name, domain + ".disable", "{}");
    case 4:
      return say(name, "Page.addScriptToEvaluateOnNewDocument", R"({"source":"1"})");
    case 5: {
      auto const id = session.scripts.empty() ? std::string("9") : random_.one_of(session.scripts);
      return say(name, "Page.removeScriptToEvaluateOnNewDocument", R"({"identifier":")" + id + "\"}");
    }
    case 6:
      return say(name, "Runtime.addBinding", R"({"name":"b)" + std::to_string(random_.pick(2)) + "\"}");
    case 7:
      return say(name, "Runtime.removeBinding", R"({"name":"b)" + std::to_string(random_.pick(2)) + "\"}");
    case 8:
      return say(name, "Fetch.enable",
                 random_.chance(10)   ? R"({"patterns":[{"resourceType":"Nope"}]})"
                 : random_.chance(50) ? R"({"patterns":[{"urlPattern":"*/a"},{"requestStage":"Response"}]})"
                                      : R"({"handleAuthRequests":true})");
    case 9:
      return say(name, "Fetch.disable", "{}");
    case 10: {
      static constexpr char const* verbs[] = {"continueRequest",  "failRequest",     "fulfillRequest",
                                              "continueResponse", "getResponseBody", "continueWithAuth"};
      std::string const verb = verbs[random_.pick(std::size(verbs))];
      auto const more = verb == "failRequest"        ? R"(,"errorReason":"Failed"})"
                        : verb == "fulfillRequest"   ? R"(,"responseCode":200})"
                        : verb == "continueWithAuth" ? R"(,"authChallengeResponse":{"response":"Default"}})"
                        : random_.chance(30)         ? R"(,"url":"http://site/a","headers":[{"name":"a","value":"b"}]})"
                                                     : "}";
      return say(name, "Fetch." + verb, its + more);
    }
    case 11:
      return say(name, "Runtime.runIfWaitingForDebugger", "{}");
    case 12:
      return say(name, "Emulation.setLocaleOverride", random_.chance(9) ? R"({"refuse":1})" : R"({"locale":"de"})");
    case 13:
      return say(name, "Page.getFrameTree", "{}");
    case 14:
      return say(name, "Page.navigate", R"({"url":"http://x/"})");
    case 15:
      return say(name, "Page.setLifecycleEventsEnabled", R"({"enabled":true})");
    case 16:
      return say(name, "Runtime.evaluate", R"({"expression":"1","contextId":)" + std::to_string(random_.pick(5)) + "}");
    default:
      return say(name, "Runtime.evaluate", R"({"expression":"1"})");
  }
}

std::vector<std::string> SimClient::settle() {
  std::vector<std::string> messages;
  for (auto& [name, session] : sessions_) {
    if (session.waiting) messages.push_back(say(name, "Runtime.runIfWaitingForDebugger", "{}"));
    session.waiting = false;
    for (auto const& request : std::exchange(session.paused, {})) {
      messages.push_back(
          auth_.contains(request)
              ? say(name, "Fetch.continueWithAuth",
                    R"({"requestId":")" + request + R"(","authChallengeResponse":{"response":"Default"}})")
              : say(name, "Fetch.continueRequest", R"({"requestId":")" + request + "\"}"));
    }
  }
  return messages;
}

void SimClient::hear(std::string const& text, std::set<std::string>& all_sessions) {
  if (trace_) std::printf("  → client %llu %s\n", static_cast<unsigned long long>(id_), text.substr(0, 300).c_str());
  json::object message;
  try {
    message = json::parse(text).as_object();
  } catch (std::exception const&) {
    broken("is sent what is no JSON object", text);
  }
  auto const session = text_of(message, "sessionId");
  if (message.contains("method")) {
    if (message.contains("id")) broken("an event with an id", text);
    if (!sessions_.contains(session)) broken("an event on a session that it has not been told", text);
    return event(session, text_of(message, "method"), object_of(message, "params"), all_sessions);
  }
  if (message.contains("result") == message.contains("error")) broken("neither an answer nor an event", text);
  if (!message.contains("id")) {
    if (malformed_ == 0) broken("an error for nothing", text);
    --malformed_;
    return;
  }
  auto const id = message.at("id").as_int64();
  auto const found = outstanding_.find(id);
  if (found == outstanding_.end()) broken("an answer that it does not wait for", text);
  if (found->second.session != session) broken("an answer on another session", text);
  auto const said = std::move(found->second);
  outstanding_.erase(found);
  ++answers_;
  answered(said, message);
}

void SimClient::answered(Said const& said, json::object const& message) {
  bool const good = message.contains("result");
  if (!good) {
    auto const why = text_of(object_of(message, "error"), "message");
    if (why.empty()) broken("an error without a word", json::serialize(message));
    if (why.starts_with("Too many commands")) broken("it has not said so much", said.method);
  }
  auto const result = object_of(message, "result");
  if (said.method == "Target.attachToTarget" && good && !sessions_.contains(text_of(result, "sessionId")) &&
      !ended_.contains(text_of(result, "sessionId"))) {
    broken("a session that it has not been told", json::serialize(message));
  }
  if (said.method == "Target.setDiscoverTargets" && good && said.params.find("false") != std::string::npos) {
    std::erase_if(discovered_, [&said](auto const& row) { return row.starts_with(said.session + " "); });
  }
  auto const at = sessions_.find(said.session);
  if (at == sessions_.end()) return;
  auto& session = at->second;
  auto const domain = said.method.substr(0, said.method.find('.'));
  --session.asked[domain];
  if (said.method == "Page.addScriptToEvaluateOnNewDocument" && good) {
    session.scripts.push_back(text_of(result, "identifier"));
  }
  bool const on = said.method.ends_with(".enable");
  if (!on && !said.method.ends_with(".disable")) return;
  auto& wish = session.domains[domain];
  wish = good && wish == Wish::asked ? (on ? Wish::on : Wish::off) : Wish::unknown;
}

void SimClient::event(std::string const& session, std::string const& method, json::object const& params,
                      std::set<std::string>& all_sessions) {
  if (method == "Target.attachedToTarget") {
    auto const name = text_of(params, "sessionId");
    if (name.empty() || !all_sessions.insert(name).second) broken("a session id for the second time", name);
    auto const info = object_of(params, "targetInfo");
    auto& made = sessions_[name];
    made.target = text_of(info, "type") == "browser" ? "" : text_of(info, "targetId");
    made.tab = text_of(info, "type") == "tab";
    made.waiting = params.at("waitingForDebugger").as_bool();
  } else if (method == "Target.detachedFromTarget") {
    auto const name = text_of(params, "sessionId");
    if (sessions_.erase(name) == 0 || name.empty()) broken("the end of a session that it has not", name);
    ended_.insert(name);
  } else if (method == "Target.targetCreated") {
    auto const name = session + " " + text_of(object_of(params, "targetInfo"), "targetId");
    if (!discovered_.insert(name).second) broken("the same target discovered twice", name);
  } else if (method == "Target.targetDestroyed") {
    if (discovered_.erase(session + " " + text_of(params, "targetId")) == 0) {
      broken("the end of a target that it has not been told", json::serialize(params));
    }
  } else if (method == "Fetch.requestPaused" || method == "Fetch.authRequired") {
    auto& waiting = sessions_.at(session).paused;
    if (waiting.size() < 50) waiting.push_back(text_of(params, "requestId"));
    if (method == "Fetch.authRequired") auth_.insert(text_of(params, "requestId"));
  }
}

}  // namespace any::cdp::sim
