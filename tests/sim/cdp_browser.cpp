#include "sim/cdp_browser.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>

namespace any::cdp::sim {

namespace json = boost::json;

namespace {

std::string queue_of(Debuggee const& debuggee) {
  return "tab " + std::to_string(debuggee.tab);
}

json::object object_from(std::string const& text) {
  try {
    return json::parse(text).as_object();
  } catch (std::exception const&) {
    throw Broken("the browser is sent what is no JSON object: " + text);
  }
}

}  // namespace

void Browser::trace(std::string const& text) const {
  if (trace_) std::printf("    %s\n", text.c_str());
}

void Browser::put(std::string queue, Answered done, std::function<std::string()> act) {
  if (!linked_) {
    act = []() -> std::string { throw Failure{link_lost, "There is no link."}; };
    queue = "lost";
  }
  queues_[std::move(queue)].push_back({std::move(done), std::move(act), ++calls_});
}

void Browser::put_file(Answered done) {
  queues_["files"].push_back({std::move(done), [] { return std::string("{}"); }, ++calls_});
}

bool Browser::deliver() {
  std::erase_if(queues_, [](auto const& row) { return row.second.empty(); });
  if (queues_.empty()) return false;
  auto at = queues_.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(random_.pick(queues_.size())));
  auto const name = at->first;
  auto next = std::move(at->second.front());
  at->second.pop_front();
  if (name.starts_with("tab ")) {
    carry_out_next(name.substr(4), std::move(next));
    return true;
  }
  ++carried_out;
  std::string result;
  try {
    result = next.act();
  } catch (Failure const& failure) {
    trace(name + " fails: " + failure.message);
    if (next.done) next.done(failure);
    return true;
  }
  if (next.done) next.done(std::string_view(result));
  return true;
}

void Browser::carry_out_next(std::string const& tab, Pending next) {
  auto const answer = [&](std::function<std::string()> act) {
    if (next.done) queues_["out " + tab].push_back({std::move(next.done), std::move(act), next.number});
  };
  try {
    auto result = next.act();
    if (result == "never") {
      stuck_[std::stoll(tab)].push_back(std::move(next));
    } else {
      answer([result = std::move(result)] { return result; });
    }
  } catch (Failure const& failure) {
    answer([failure]() -> std::string { throw failure; });
  }
}

void Browser::link_up() {
  linked_ = true;
}

void Browser::link_down(std::function<void()> const& tell) {
  linked_ = false;
  std::map<std::size_t, Answered> lost;
  auto const lose = [&lost](auto& all) {
    for (auto& pending : all) {
      if (pending.done) lost.emplace(pending.number, std::move(pending.done));
    }
  };
  for (auto& [name, queue] : queues_) {
    if (name != "files") lose(queue);
  }
  std::erase_if(queues_, [](auto const& row) { return row.first != "files"; });
  for (auto& [tab, waiting] : stuck_) lose(waiting);
  stuck_.clear();
  subscribed_.clear();
  for (auto& [id, page] : pages) drop_attachment(page);
  tell();
  for (auto const& [number, done] : lost) {
    done(Failure{link_lost, "The link ended before it answered: it may or may not have been carried out."});
  }
}

void Browser::drop_attachment(Page& page) {
  page.attached = false;
  page.agent = Agent();
  for (auto& worker : page.workers) {
    worker.session.clear();
    worker.held = false;
    worker.agent = Agent();
  }
  for (auto& pending : stuck_[page.tab]) {
    queues_["out " + std::to_string(page.tab)].push_back({std::move(pending.done),
                                                          []() -> std::string {
                                                            throw Failure{-32000, "Detached while handling command."};
                                                          },
                                                          pending.number});
  }
  stuck_.erase(page.tab);
}

void Browser::attach(Debuggee const& debuggee, Answered done) {
  put(queue_of(debuggee), std::move(done), [this, tab = debuggee.tab] {
    auto& page = page_of(tab);
    if (!calm && random_.chance(4)) throw Failure{-32000, "Cannot attach to this target."};
    drop_attachment(page);
    page.attached = true;
    trace("attached " + std::to_string(tab));
    return std::string("{}");
  });
}

void Browser::detach(Debuggee const& debuggee) {
  put(queue_of(debuggee), nullptr, [this, tab = debuggee.tab] {
    if (auto const found = pages.find(tab); found != pages.end()) drop_attachment(found->second);
    trace("detached " + std::to_string(tab));
    return std::string();
  });
}

void Browser::send(Debuggee const& debuggee, std::string_view session, std::string_view method, std::string_view params,
                   Answered done) {
  put(queue_of(debuggee), std::move(done),
      [this, debuggee, of = std::string(session), name = std::string(method), text = std::string(params)] {
        return carry_out(debuggee, of, name, text);
      });
}

Page& Browser::page_of(TabId tab) {
  auto const found = pages.find(tab);
  if (found == pages.end()) throw Failure{-32000, "No tab with given id " + std::to_string(tab) + "."};
  return found->second;
}

std::string Browser::carry_out(Debuggee const& debuggee, std::string const& session, std::string const& method,
                               std::string const& params) {
  auto const said = object_from(params);
  auto& page = page_of(debuggee.tab);
  trace("tab " + std::to_string(page.tab) + " " + session + " " + method + " " + params);
  if (!page.attached) throw Failure{-32000, "Debugger is not attached to the tab with id: 1."};
  auto* agent = &page.agent;
  Worker* worker = nullptr;
  if (!session.empty()) {
    for (auto& other : page.workers) {
      if (other.session == session) worker = &other;
    }
    if (!worker) throw Failure{-32001, "Session with given id not found."};
    agent = &worker->agent;
  }
  bool const in_browser = method.starts_with("Target.") || method.starts_with("Fetch.");
  if (page.crashed && !in_browser && !worker) return "never";
  auto const verb = method.substr(method.find('.') + 1);
  auto const domain = method.substr(0, method.find('.'));
  auto const text = [&said](char const* key) {
    auto const* value = said.if_contains(key);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  if (domain == "Fetch") {
    if (verb == "enable") {
      if (params.find("Nope") != std::string::npos) throw Failure{-32602, "Unknown resource type in fetch filter"};
      agent->fetch = params;
      return "{}";
    }
    if (verb == "disable") {
      agent->fetch.clear();
      agent->paused.clear();
      return "{}";
    }
    if (agent->fetch.empty()) throw Failure{-32000, "Fetch domain is not enabled"};
    if (!agent->paused.contains(text("requestId"))) throw Failure{-32602, "Invalid InterceptionId."};
    if (!verb.starts_with("get")) agent->paused.erase(text("requestId"));
    return "{}";
  }
  if (method == "Target.setAutoAttach") {
    auto const wait = said.if_contains("waitForDebuggerOnStart");
    set_auto_attach(page, said.at("autoAttach").as_bool(), wait && wait->as_bool());
    return "{}";
  }
  if (method == "Runtime.runIfWaitingForDebugger") {
    if (worker) worker->held = false;
    return "{}";
  }
  if (said.contains("refuse")) throw Failure{-32602, "Chrome refuses " + method};
  if (verb == "enable") {
    if (agent->enabled.insert(domain).second && domain == "Runtime") {
      auto const n = std::to_string(page.loader);
      tell(debuggee.tab, session, "Runtime.executionContextCreated",
           R"({"context":{"id":)" + n + R"(,"origin":"","name":"","uniqueId":"u)" + page.target + n +
               R"(","auxData":{"isDefault":true,"type":"default","frameId":")" + page.target + R"("}}})");
    }
  } else if (verb == "disable") {
    agent->enabled.erase(domain);
  } else if (method == "Page.addScriptToEvaluateOnNewDocument") {
    auto const id = std::to_string(next_name_++);
    agent->scripts.insert(id);
    return R"({"identifier":")" + id + "\"}";
  } else if (method == "Page.removeScriptToEvaluateOnNewDocument") {
    if (agent->scripts.erase(text("identifier")) == 0) throw Failure{-32000, "Script not found"};
  } else if (method == "Runtime.addBinding") {
    agent->bindings.insert(text("name"));
  } else if (method == "Runtime.removeBinding") {
    agent->bindings.erase(text("name"));
  } else if (method == "Page.getFrameTree") {
    return R"({"frameTree":{"frame":{"id":")" + page.target + R"(","loaderId":"L)" + std::to_string(page.loader) +
           R"(","url":")" + page.url + R"(","mimeType":"text/html"}}})";
  } else if (method == "Page.navigate") {
    navigate(page);
    return R"({"frameId":")" + page.target + R"(","loaderId":"L)" + std::to_string(page.loader) + "\"}";
  }
  return "{}";
}

void Browser::set_auto_attach(Page& page, bool on, bool wait) {
  page.agent.auto_attach = on;
  page.agent.wait = wait;
  for (auto& worker : page.workers) {
    if (on && worker.session.empty()) {
      attach_worker(page, worker);
    } else if (!on && !worker.session.empty()) {
      auto const session = std::exchange(worker.session, {});
      worker.held = false;
      worker.agent = Agent();
      tell(page.tab, "", "Target.detachedFromTarget",
           R"({"sessionId":")" + session + R"(","targetId":")" + worker.target + "\"}");
    }
  }
}

void Browser::attach_worker(Page& page, Worker& worker) {
  worker.session = "S" + std::to_string(next_name_++);
  worker.agent = Agent();
  gateway->debugger_event(
      {.tab = page.tab}, "", "Target.attachedToTarget",
      R"({"sessionId":")" + worker.session + R"(","targetInfo":{"targetId":")" + worker.target +
          R"(","type":"worker","title":"","url":"http://w/","attached":true},"waitingForDebugger":)" +
          (worker.held ? "true" : "false") + "}");
}

std::string Browser::tab_json(Page const& page) const {
  return R"({"id":)" + std::to_string(page.tab) + R"(,"windowId":1,"url":")" + page.url +
         R"(","title":"t","active":false,)" + R"("discarded":)" + (page.discarded ? "true" : "false") +
         R"(,"status":")" +
         (page.discarded  ? "unloaded"
          : page.complete ? "complete"
                          : "loading") +
         R"(","groupId":-1,"incognito":false})";
}

void Browser::chrome(std::string_view path, std::string_view args, Answered done) {
  // Each call of chrome.* is answered on its own.
  put("call " + std::to_string(next_name_++), std::move(done),
      [this, name = std::string(path), text = std::string(args)] { return call(name, text); });
}

std::string Browser::call(std::string const& path, std::string const& args) {
  trace(path + " " + args);
  json::array given;
  try {
    given = json::parse(args).as_array();
  } catch (std::exception const&) {
    throw Broken("chrome." + path + " is called with what is no list: " + args);
  }
  if (path == "tabs.query" || path == "debugger.getTargets") {
    std::string list = "[";
    for (auto const& [id, page] : pages) {
      if (list.size() > 1) list += ',';
      list += path == "tabs.query" ? tab_json(page)
                                   : R"({"id":")" + page.target + R"(","tabId":)" + std::to_string(id) +
                                         R"(,"type":"page","title":"t","attached":false,"url":")" + page.url + "\"}";
    }
    return list + "]";
  }
  auto const tab = [&] { return given.empty() || !given[0].is_int64() ? TabId{-1} : given[0].get_int64(); };
  if (path == "tabs.create") {
    auto const id = next_tab_;
    open_tab("http://made/");
    return tab_json(pages.at(id));
  }
  if (path == "tabs.remove") {
    (void)page_of(tab());
    close_tab(tab());
    return "null";
  }
  if (path == "tabs.get" || path == "tabs.update") return tab_json(page_of(tab()));
  if (path == "tabs.reload") {
    revive(page_of(tab()));
    return "null";
  }
  if (!calm && random_.chance(20)) throw Failure{-32000, "chrome." + path + " fails"};
  return random_.chance(50) ? "null" : "{}";
}

}  // namespace any::cdp::sim
