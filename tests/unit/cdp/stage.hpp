#pragma once
// A gateway with two tabs and clients, played by hand.

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "unit/cdp/fake_files.hpp"
#include "unit/cdp/fake_transport.hpp"

namespace any::cdp::test {

inline constexpr std::string_view page_1 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1";
inline constexpr std::string_view page_2 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2";

class Stage : public ::testing::Test {
 protected:
  Stage() {
    transport.always(
        "tabs.query",
        R"([{"id":1,"windowId":9,"url":"http://a.example/","title":"A","status":"complete","active":true},)"
        R"({"id":2,"windowId":9,"url":"http://b.example/","title":"B","status":"complete"}])");
    transport.always(
        "debugger.getTargets",
        R"([{"id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1","type":"page","tabId":1,"url":"http://a.example/","title":"A"},)"
        R"({"id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2","type":"page","tabId":2,"url":"http://b.example/","title":"B"}])");
    gateway.link_up({.browser_id = "b", .product = "Chrome/156.0.0.0", .user_agent = "UA"});
  }

  void join(ClientId client, Entry entry = {}) {
    gateway.open(client, std::move(entry));
    transport.settle();
  }
  /// A command without waiting for its answer.
  void say(ClientId client, int id, std::string_view method, std::string_view params = "{}",
           std::string_view session = "") {
    std::string text = R"({"id":)" + std::to_string(id) + R"(,"method":")" + std::string(method) + R"(","params":)" +
                       std::string(params);
    if (!session.empty()) text += R"(,"sessionId":")" + std::string(session) + "\"";
    gateway.receive(client, text + "}");
    transport.settle();
  }
  /// Attaches automatically at the browser's level; the sessions by target.
  std::map<std::string, std::string> attach_all(ClientId client) {
    say(client, 1000, "Target.setAutoAttach", R"({"autoAttach":true,"waitForDebuggerOnStart":true,"flatten":true})");
    std::map<std::string, std::string> sessions;
    for (auto const& text : sockets.rest(client)) {
      auto const message = object(text);
      if (!message.contains("method") || message.at("method") != "Target.attachedToTarget") continue;
      auto const& params = message.at("params").as_object();
      sessions[std::string(params.at("targetInfo").at("targetId").as_string())] = params.at("sessionId").as_string();
    }
    return sessions;
  }
  static boost::json::object object(std::string_view text) { return boost::json::parse(text).as_object(); }
  /// The client's messages that it has not taken, each as "id 7: result", "id 7: error TEXT" or the event's name.
  std::vector<std::string> told(ClientId client = 1) {
    std::vector<std::string> all;
    for (auto const& text : sockets.rest(client)) {
      auto const message = object(text);
      if (message.contains("method")) {
        all.emplace_back(message.at("method").as_string());
      } else if (message.contains("error")) {
        all.push_back("id " + boost::json::serialize(message.at("id")) + ": error " +
                      std::string(message.at("error").at("message").as_string()));
      } else {
        all.push_back("id " + boost::json::serialize(message.at("id")) + ": " +
                      boost::json::serialize(message.at("result")));
      }
    }
    return all;
  }
  void attach_answers() {
    transport.always("", "{}");
    for (auto const* method :
         {"Page.enable", "Runtime.enable", "Network.enable", "Log.enable", "Target.setAutoAttach",
          "Target.getTargetInfo", "Page.getFrameTree", "Runtime.disable", "Network.disable",
          "Page.setLifecycleEventsEnabled", "Page.createIsolatedWorld", "Runtime.runIfWaitingForDebugger",
          "Emulation.setLocaleOverride", "Fetch.disable", "Page.disable", "Runtime.addBinding", "Runtime.removeBinding",
          "Page.removeScriptToEvaluateOnNewDocument"}) {
      transport.always(method, "{}");
    }
  }

  FakeClock clock;
  FakeTransport transport;
  FakeSockets sockets;
  FakeFiles files;
  Gateway gateway{transport, sockets, files, clock};
};

}  // namespace any::cdp::test
