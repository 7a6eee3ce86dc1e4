#include "cdp/session/settings.hpp"

#include <boost/json/serialize.hpp>

#include "cdp/protocol/methods.hpp"
#include "cdp/protocol/read.hpp"
#include "cdp/session/session.hpp"

namespace any::cdp {

namespace {

/// Objects that a session has made are released when it goes; of so many groups.
constexpr std::ptrdiff_t most_groups = 64;

std::string_view value_name(std::string_view method) {
  if (method == "Emulation.setTimezoneOverride") return "timezoneId";
  if (method == "Emulation.setLocaleOverride") return "locale";
  return {};
}

}  // namespace

std::string together(Target const& on, std::string_view method) {
  json::object all;
  for (auto const* session : on.sessions) {
    auto const* entry = session->state.find(method);
    if (!entry || !session->state.has("Network.enable")) continue;  // Chrome heeds them only so
    for (auto const& [key, value] : object_of(entry->params)) {
      auto& there = all[key];
      if (there.is_object() && value.is_object()) {
        for (auto const& [name, header] : value.get_object()) there.get_object()[name] = header;
      } else if (there.is_array() && value.is_array()) {
        there.get_array().insert(there.get_array().end(), value.get_array().begin(), value.get_array().end());
      } else {
        there = value;
      }
    }
  }
  return all.empty() ? std::string(rule_of(method).undo_params) : json::serialize(all);
}

Held held(Target const& on, Session const& by, std::string_view method, std::string_view params) {
  auto const name = value_name(method);
  if (name.empty()) return {};
  for (auto const* other : on.sessions) {
    auto const* entry = other == &by ? nullptr : other->state.find(method);
    if (!entry || string_in(entry->params, name).empty()) continue;
    if (string_in(params, name).empty()) return {.by_another = true, .refusal = {}};
    return {.by_another = true,
            .refusal = name == "locale" ? "Another locale override is already in effect"
                                        : "Timezone override is already in effect"};
  }
  return {};
}

Undo undo(Target const& on, SessionState::Entry const& entry) {
  auto const& rule = rule_of(entry.method);
  if (rule.merged) return {entry.method, together(on, entry.method)};
  SessionState::Entry const* others = nullptr;
  for (auto* const session : on.sessions) {
    auto* const same = session->state.find(entry.key);
    if (same && rule.falls) session->state.erase(entry.key);
    if (same && !rule.falls) others = same;
  }
  if (others) return {others->method, others->params};
  if (rule.undo.empty() && rule.undo_params.empty()) return {};
  return {rule.undo.empty() ? entry.method : std::string(rule.undo), std::string(rule.undo_params)};
}

std::vector<SessionState::Entry> drop_settings(Session& by, std::string_view domain) {
  auto const its = [domain](SessionState::Entry const& entry) {
    return domain == "Network" && domain_of(entry.method) == domain && rule_of(entry.method).act == Act::setting &&
           entry.method != "Network.setUserAgentOverride";
  };
  auto& entries = by.state.entries();
  std::vector<SessionState::Entry> dropped;
  std::copy_if(entries.begin(), entries.end(), std::back_inserter(dropped), its);
  std::erase_if(entries, its);
  return dropped;
}

std::string with_own_group(Session& by, std::string_view params) {
  auto const raw = raw_in(params, "objectGroup");
  if (raw.size() < 3 || raw.front() != '"' || raw == R"("console")") return std::string(params);
  auto const own = "\"" + std::to_string(by.client) + "." + by.id + "." + std::string(raw.substr(1));
  auto const key = "group " + own;
  auto const& entries = by.state.entries();
  auto const kept =
      std::count_if(entries.begin(), entries.end(), [](auto const& entry) { return entry.key.starts_with("group "); });
  if (kept < most_groups) by.state.put(key, "Runtime.releaseObjectGroup", R"({"objectGroup":)" + own + "}");
  auto const at = static_cast<std::size_t>(raw.data() - params.data());
  return std::string(params.substr(0, at)) + own + std::string(params.substr(at + raw.size()));
}

}  // namespace any::cdp
