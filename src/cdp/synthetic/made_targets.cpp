// Targets that are in no browser: the worker of an extension that a client has loaded, and hidden pages, by which
// Stagehand 4 shows that it is still there.

#include "base/ids.hpp"
#include "cdp/impl.hpp"

namespace any::cdp {

namespace {

/// The number of the one execution context that a worker has.
constexpr std::string_view worker_context = "1";

std::string binding_key(std::string_view name) {
  return "binding " + std::string(name);
}

}  // namespace

std::string Gateway::Impl::make_target_id() {
  auto id = sha256_hex(make_uuid() + " target").substr(0, 32);
  for (auto& c : id) c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  return id;
}

std::string Gateway::Impl::made_json(MadeTarget const& made) const {
  for (auto const& [number, client] : clients) {
    for (auto const& [name, session] : client.sessions()) {
      if (session->kind == Session::Kind::made && session->target == made.info.id) return info_json(made.info, true);
    }
  }
  return info_json(made.info, false);
}

void Gateway::Impl::tell_made(Session& session, MadeTarget const& made) {
  if (!session.discover || !session.discover->lets(made.info.type) || !made.seen_by(session.client)) return;
  if (!session.told.insert(made.info.id).second) return;
  event(session, "Target.targetCreated", R"({"targetInfo":)" + made_json(made) + "}");
}

MadeTarget const& Gateway::Impl::make_target(MadeTarget made) {
  auto const& here = made_targets.add(std::move(made));
  for (auto& [number, client] : clients) {
    for (auto& [name, session] : client.sessions()) tell_made(*session, here);
  }
  return here;
}

void Gateway::Impl::made_changed(std::string const& id) {
  auto const* const found = made_targets.find(id);
  if (!found) return;
  auto const params = R"({"targetInfo":)" + made_json(*found) + "}";
  for (auto& [number, client] : clients) {
    for (auto& [name, session] : client.sessions()) {
      if (session->discover && session->told.contains(id)) event(*session, "Target.targetInfoChanged", params);
    }
  }
}

void Gateway::Impl::unmake_target(std::string const& id) {
  if (!made_targets.remove(id)) return;
  std::vector<std::pair<ClientId, std::string>> ending;
  for (auto& [number, client] : clients) {
    for (auto& [name, session] : client.sessions()) {
      if (session->kind == Session::Kind::made && session->target == id) ending.emplace_back(number, name);
    }
  }
  for (auto const& [number, name] : ending) end_session(number, name, true);
  for (auto& [number, client] : clients) {
    for (auto& [name, session] : client.sessions()) {
      if (session->told.erase(id) > 0 && session->discover) {
        event(*session, "Target.targetDestroyed", R"({"targetId":")" + id + "\"}");
      }
    }
  }
}

void Gateway::Impl::attach_made(Session& by, MadeTarget const& made, Ticket const& ticket) {
  auto const id = made.info.id;
  auto& session = clients.begin_session(*client(by.client), Session::Kind::made, nullptr, by.id, false);
  session.target = id;
  event(by, "Target.attachedToTarget",
        R"({"sessionId":")" + session.id + R"(","targetInfo":)" + made_json(made) + R"(,"waitingForDebugger":false})");
  made_changed(id);
  reply(ticket, R"({"sessionId":")" + session.id + "\"}");
  if (made.sandbox != 0) event(session, "Inspector.workerScriptLoaded", "{}");
}

void Gateway::Impl::create_hidden(Session const& by, Ticket const& ticket, std::string url, std::string context) {
  TargetInfo info{.id = make_target_id(), .type = "other", .url = std::move(url)};
  info.context = std::move(context);
  auto const& made = make_target({.info = std::move(info), .owner = by.client});
  reply(ticket, R"({"targetId":")" + made.info.id + "\"}");
}

void Gateway::Impl::run_on_made(Session& by, Command const& command) {
  auto const* const on = made_targets.find(by.target, by.client);
  if (!on) return fail(command.ticket, no_such_target());
  if (command.method == "Runtime.runIfWaitingForDebugger") return reply(command.ticket, "{}");
  if (on->sandbox != 0) return run_in_worker(by, *on, command);
  if (command.method.ends_with(".enable") || command.method.ends_with(".disable")) return reply(command.ticket, "{}");
  fail(command.ticket, not_found(command.method));
}

void Gateway::Impl::run_in_worker(Session& by, MadeTarget const& worker, Command const& command) {
  Params params(command.params);
  auto const ask = [&](std::string_view method, std::string_view with) {
    transport.sandbox(method, R"({"sandbox":)" + std::to_string(worker.sandbox) + std::string(with) + "}",
                      [this, ticket = command.ticket](Answer const& answer) {
                        answer ? reply(ticket, *answer) : fail(ticket, answer.error());
                      });
  };
  if (command.method == "Runtime.enable") {
    if (!by.state.has(command.method)) {
      by.state.put(command.method, command.method, command.params);
      event(by, "Runtime.executionContextCreated",
            R"({"context":{"id":)" + std::string(worker_context) + R"(,"origin":)" + wire::quote(worker.info.url) +
                R"(,"name":"","uniqueId":")" + worker.info.id + "\"}}");
    }
    return reply(command.ticket, "{}");
  }
  if (command.method == "Runtime.disable") {
    by.state.erase("Runtime.enable");
    return reply(command.ticket, "{}");
  }
  if (command.method == "Runtime.addBinding" || command.method == "Runtime.removeBinding") {
    auto const name = params.text("name");
    if (params.wrong()) return fail(command.ticket, *params.wrong());
    if (command.method == "Runtime.removeBinding") {
      by.state.erase(binding_key(name));
      return reply(command.ticket, "{}");
    }
    by.state.put(binding_key(name), command.method, command.params);
    return ask("sandbox.bind", R"(,"name":)" + wire::quote(name));
  }
  if (command.method == "Runtime.evaluate") {
    params.text("expression");
    bool const waits = params.flag("awaitPromise"), by_value = params.flag("returnByValue");
    if (params.wrong()) return fail(command.ticket, *params.wrong());
    std::string with = R"(,"awaitPromise":)";
    with.append(waits ? "true" : "false").append(R"(,"returnByValue":)").append(by_value ? "true" : "false");
    with.append(R"(,"expression":)").append(raw_in(command.params, "expression"));
    return ask("sandbox.evaluate", with);
  }
  fail(command.ticket, not_found(command.method));
}

void Gateway::Impl::binding_called(LoadedExtension const& extension, std::string_view name, std::string_view payload) {
  auto const* const owner = client(extension.owner);
  if (!owner) return;
  auto const params = R"({"name":)" + wire::quote(name) + R"(,"payload":)" + wire::quote(payload) +
                      R"(,"executionContextId":)" + std::string(worker_context) + "}";
  for (auto const& [id, session] : owner->sessions()) {
    if (session->target == extension.target && session->state.has(binding_key(name))) {
      event(*session, "Runtime.bindingCalled", params);
    }
  }
}

}  // namespace any::cdp
