// What happens in the simulated browser by itself, and what of it is told.

#include "sim/cdp_browser.hpp"

namespace any::cdp::sim {

void Browser::tell_chrome(std::string path, std::string args) {
  if (!linked_) return;
  queues_["events"].push_back({nullptr, [this, path = std::move(path), args = std::move(args)] {
                                 if (subscribed_.contains(path)) gateway->chrome_event(path, args);
                                 return std::string();
                               }});
}

void Browser::tell(TabId tab, std::string session, std::string method, std::string params) {
  if (!linked_) return;
  queues_["out " + std::to_string(tab)].push_back(
      {nullptr, [this, tab, session = std::move(session), method = std::move(method), params = std::move(params)] {
         gateway->debugger_event({.tab = tab}, session, method, params);
         return std::string();
       }});
}

void Browser::open_tab(std::string url) {
  auto const id = next_tab_++;
  auto& page = pages[id];
  page.tab = id;
  page.target = "T" + std::to_string(next_name_++);
  page.url = std::move(url);
  tell_chrome("tabs.onCreated", "[" + tab_json(page) + "]");
}

void Browser::close_tab(TabId id) {
  auto const found = pages.find(id);
  if (found == pages.end()) return;
  bool const was_attached = found->second.attached;
  drop_attachment(found->second);
  pages.erase(found);
  if (was_attached) tell(id, "", "Inspector.detached", R"({"reason":"target_closed"})");
  tell_chrome("tabs.onRemoved", "[" + std::to_string(id) + R"(,{"windowId":1,"isWindowClosing":false}])");
}

void Browser::navigate(Page& page) {
  ++page.loader;
  page.url = "http://site/" + std::to_string(page.loader);
  auto const n = std::to_string(page.loader);
  if (page.attached && !page.crashed) {
    if (page.agent.enabled.contains("Runtime")) {
      tell(page.tab, "", "Runtime.executionContextsCleared", "{}");
      tell(page.tab, "", "Runtime.executionContextCreated",
           R"({"context":{"id":)" + n + R"(,"origin":"","name":"","uniqueId":"u)" + page.target + n +
               R"(","auxData":{"isDefault":true,"type":"default","frameId":")" + page.target + R"("}}})");
    }
    if (page.agent.enabled.contains("Page")) {
      tell(page.tab, "", "Page.frameNavigated",
           R"({"frame":{"id":")" + page.target + R"(","loaderId":"L)" + n + R"(","url":")" + page.url + R"("}})");
    }
  }
  auto const where = R"([{"tabId":)" + std::to_string(page.tab) + R"(,"frameId":0,"url":")" + page.url + R"("}])";
  tell_chrome("webNavigation.onCommitted", where);
  tell_chrome("tabs.onUpdated", "[" + std::to_string(page.tab) + R"(,{"status":"complete","url":")" + page.url +
                                    R"("},)" + tab_json(page) + "]");
  tell_chrome("webNavigation.onDOMContentLoaded", where);
  tell_chrome("webNavigation.onCompleted", where);
}

void Browser::crash(Page& page) {
  if (page.crashed || page.discarded) return;
  page.crashed = true;
  if (page.attached) tell(page.tab, "", "Inspector.targetCrashed", "{}");
}

void Browser::revive(Page& page) {
  bool const crashed = page.crashed;
  page.crashed = page.discarded = false;
  if (crashed && page.attached) tell(page.tab, "", "Inspector.targetReloadedAfterCrash", "{}");
  // Before all that it was asked later.
  auto& queue = queues_["tab " + std::to_string(page.tab)];
  auto& stuck = stuck_[page.tab];
  queue.insert(queue.begin(), std::move_iterator(stuck.begin()), std::move_iterator(stuck.end()));
  stuck_.erase(page.tab);
  navigate(page);
}

void Browser::discard(Page& page) {
  if (page.discarded) return;
  auto const old = page.tab;
  bool const was_attached = page.attached;
  drop_attachment(page);
  auto moved = page;
  pages.erase(old);
  moved.tab = next_tab_++;
  moved.target = "T" + std::to_string(next_name_++);
  moved.discarded = true;
  moved.crashed = false;
  moved.workers.clear();
  auto const id = moved.tab;
  pages.emplace(id, std::move(moved));
  if (was_attached) tell(old, "", "Inspector.detached", R"({"reason":"target_closed"})");
  tell_chrome("tabs.onReplaced", "[" + std::to_string(id) + "," + std::to_string(old) + "]");
}

void Browser::cancel(Page& page) {
  if (!page.attached) return;
  drop_attachment(page);
  tell(page.tab, "", "Inspector.detached", R"({"reason":"canceled_by_user"})");
}

void Browser::start_worker(Page& page) {
  if (page.crashed || page.discarded || page.workers.size() > 3) return;
  page.workers.push_back({.target = "W" + std::to_string(next_name_++), .session = {}});
  if (!page.attached || !page.agent.auto_attach) return;
  page.workers.back().held = page.agent.wait;
  attach_worker(page, page.workers.back());
}

void Browser::end_worker(Page& page) {
  if (page.workers.empty()) return;
  auto const session = page.workers.back().session;
  auto const target = page.workers.back().target;
  page.workers.pop_back();
  if (session.empty()) return;
  tell(page.tab, "", "Target.detachedFromTarget", R"({"sessionId":")" + session + R"(","targetId":")" + target + "\"}");
}

void Browser::request(Page& page) {
  if (!page.attached || page.agent.fetch.empty() || page.crashed) return;
  auto const id = "job-" + std::to_string(next_name_++) + ".0";
  page.agent.paused.insert(id);
  bool const response = random_.chance(30), auth = random_.chance(10);
  tell(page.tab, "", auth ? "Fetch.authRequired" : "Fetch.requestPaused",
       R"({"requestId":")" + id + R"(","request":{"url":"http://site/)" + (random_.chance(50) ? "a" : "b") +
           R"(","method":"GET","headers":{}},"frameId":")" + page.target + R"(","resourceType":"XHR")" +
           (response && !auth ? R"(,"responseStatusCode":200,"responseHeaders":[]})" : "}"));
}

void Browser::chatter(Page& page) {
  if (!page.attached || page.crashed) return;
  static constexpr char const* events[] = {"Network.dataReceived", "Runtime.consoleAPICalled", "Log.entryAdded",
                                           "DOM.documentUpdated",  "Debugger.scriptParsed",    "Page.lifecycleEvent"};
  std::string const method = events[random_.pick(std::size(events))];
  if (!page.agent.enabled.contains(method.substr(0, method.find('.')))) return;
  tell(page.tab, "", method,
       R"({"timestamp":1,"entry":{"timestamp":1},"frameId":")" + page.target + R"(","loaderId":"L"})");
}

void Browser::garble(Page& page) {
  static constexpr char const* params[] = {
      "", "{}", "[]", "null", R"({"sessionId":7})", R"({"context":[]})", R"({"targetInfo":{}})", R"({"frame":{}})"};
  static constexpr char const* methods[] = {"Target.attachedToTarget",
                                            "Target.detachedFromTarget",
                                            "Runtime.executionContextCreated",
                                            "Runtime.executionContextDestroyed",
                                            "Page.frameNavigated",
                                            "Page.frameDetached",
                                            "Fetch.requestPaused",
                                            "Target.targetInfoChanged",
                                            "Page.downloadWillBegin",
                                            "Runtime.bindingCalled",
                                            "Page.frameAttached",
                                            "x",
                                            ""};
  std::string const method = methods[random_.pick(std::size(methods))];
  std::string const session = random_.chance(20) ? "nobody" : "";
  tell(page.tab, session, method, params[random_.pick(std::size(params))]);
}

}  // namespace any::cdp::sim
