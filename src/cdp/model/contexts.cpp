// Execution contexts. Of a tab that is not attached the clients are told contexts of our making, one for each world
// that they can know of; once Chrome tells its own, theirs stand for these until the page goes.

#include "cdp/impl.hpp"
#include "cdp/protocol/read.hpp"

namespace any::cdp {

namespace {

/// `text` with the raw value of a member replaced; `value` is a view into `text`.
void splice(std::string& out, std::string_view text, std::string_view value, std::string_view by) {
  auto const at = static_cast<std::size_t>(value.data() - text.data());
  out.assign(text.substr(0, at)).append(by).append(text.substr(at + value.size()));
}

std::optional<std::int64_t> as_number(std::string_view raw) {
  if (raw.empty() || raw.size() > 18) return std::nullopt;
  std::int64_t number = 0;
  for (auto const c : raw) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

std::string replaced(std::string_view text, std::map<std::int64_t, std::int64_t> const& ids) {
  std::string out(text);
  auto const members = wire::members(text);
  if (!members) return out;
  for (auto const& [key, value] : *members) {
    if (key != "contextId" && key != "executionContextId") continue;
    auto const number = as_number(value);
    auto const found = number ? ids.find(*number) : ids.end();
    if (found != ids.end()) splice(out, text, value, std::to_string(found->second));
    break;
  }
  return out;
}

std::string creation(Context const& context, std::string_view origin) {
  return R"({"context":{"id":)" + std::to_string(context.id) + R"(,"origin":)" + wire::quote(origin) + R"(,"name":)" +
         wire::quote(context.name) + R"(,"uniqueId":)" + wire::quote(context.unique) + R"(,"auxData":{"isDefault":)" +
         (context.main ? "true" : "false") + R"(,"type":")" + (context.main ? "default" : "isolated") +
         R"(","frameId":)" + wire::quote(context.frame) + "}}}";
}

std::string origin_of(std::string_view url) {
  auto const scheme = url.find("://");
  if (scheme == std::string_view::npos) return "://";
  return std::string(url.substr(0, url.find('/', scheme + 3)));
}

}  // namespace

Context& Gateway::Impl::invent(Target& on, std::string_view frame, std::string_view world) {
  for (auto& [id, context] : on.contexts) {
    if (context.frame == frame && context.main == world.empty() && context.name == world) return context;
  }
  auto const id = ++last_context;
  Context context{id, "any." + std::to_string(id), std::string(frame), std::string(world), world.empty(), {}};
  context.told = creation(context, origin_of(on.info.url));
  return on.contexts.emplace(id, std::move(context)).first->second;
}

void Gateway::Impl::invent_contexts(Target& on) {
  invent(on, on.info.id, "");
  for (auto const* session : on.sessions) {
    for (auto const& entry : session->state.entries()) {
      if (rule_of(entry.method).act != Act::script) continue;
      if (auto const world = string_in(entry.params, "worldName"); !world.empty()) invent(on, on.info.id, world);
    }
  }
}

void Gateway::Impl::tell_contexts(Session& to, Target& on) {
  for (auto const& [id, context] : on.contexts) event(to, "Runtime.executionContextCreated", context.told);
}

std::string Gateway::Impl::to_chrome(Target const& on, std::string_view params) const {
  if (on.real_of.empty()) return std::string(params);
  auto const unique = raw_in(params, "uniqueContextId");
  for (auto const& [id, context] : on.contexts) {
    if (unique.empty() || context.real_unique.empty() || unique != wire::quote(context.unique)) continue;
    std::string out;
    splice(out, params, unique, wire::quote(context.real_unique));
    return out;
  }
  return replaced(params, on.real_of);
}

std::string Gateway::Impl::to_client(Target const& on, std::string_view params) const {
  if (on.known_as.empty()) return std::string(params);
  return replaced(params, on.known_as);
}

bool Gateway::Impl::context_created(Target& on, std::string_view params) {
  auto const said = object_of(params);
  auto const& made = object_in(said, "context");
  auto const& more = object_in(made, "auxData");
  auto const id = number_in(made, "id");
  if (!id) return true;
  Context context{*id,
                  text_in(made, "uniqueId"),
                  text_in(more, "frameId"),
                  text_in(made, "name"),
                  flag_in(more, "isDefault"),
                  std::string(params)};
  if (context.main) context.name.clear();
  for (auto const known_id : on.unseen) {
    auto const found = on.contexts.find(known_id);
    if (found == on.contexts.end()) continue;
    auto const& known_one = found->second;
    bool const ours = known_id >= first_context;
    bool const same =
        ours ? known_one.frame == context.frame && known_one.main == context.main && known_one.name == context.name
             : known_id == *id && known_one.unique == context.unique;
    if (!same) continue;
    on.unseen.erase(known_id);
    if (ours) {
      found->second.real_unique = std::move(context.unique);
      on.real_of[known_id] = *id;
      on.known_as[*id] = known_id;
    }
    return false;
  }
  on.contexts[*id] = std::move(context);
  return true;
}

std::optional<std::string> Gateway::Impl::context_destroyed(Target& on, std::string_view params) {
  auto const real = as_number(raw_in(params, "executionContextId"));
  if (!real) return std::string(params);
  auto const found = on.known_as.find(*real);
  if (found == on.known_as.end()) {
    on.contexts.erase(*real);
    return std::string(params);
  }
  auto const id = found->second;
  auto text = R"({"executionContextId":)" + std::to_string(id) + R"(,"executionContextUniqueId":)" +
              wire::quote(on.contexts[id].unique) + "}";
  on.contexts.erase(id);
  on.real_of.erase(id);
  on.known_as.erase(found);
  return text;
}

void Gateway::Impl::contexts_cleared(Target& on) {
  on.contexts.clear();
  on.real_of.clear();
  on.known_as.clear();
  on.unseen.clear();
  on.objects_lost = false;  // and the clients know it
}

void Gateway::Impl::forget_unseen(Target& on) {
  if (!on.enabled.contains("Runtime")) {
    on.unseen.clear();
    return;
  }
  for (auto const id : std::exchange(on.unseen, {})) {
    auto const found = on.contexts.find(id);
    if (found == on.contexts.end()) continue;
    auto const text = R"({"executionContextId":)" + std::to_string(id) + R"(,"executionContextUniqueId":)" +
                      wire::quote(found->second.unique) + "}";
    on.contexts.erase(found);
    spread(on, "Runtime.executionContextDestroyed", text);
  }
}

}  // namespace any::cdp
