#include "cdp/model/execution_contexts.hpp"

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

std::string destruction(Context const& context) {
  return R"({"executionContextId":)" + std::to_string(context.id) + R"(,"executionContextUniqueId":)" +
         wire::quote(context.unique) + "}";
}

}  // namespace

std::pair<Context const&, bool> ExecutionContexts::find_or_make(std::string_view frame, std::string_view world,
                                                                std::string_view url) {
  for (auto const& [id, context] : known_) {
    if (context.frame == frame && context.main == world.empty() && context.name == world) return {context, false};
  }
  auto const id = ++numbers_;
  Context made{id, "any." + std::to_string(id), std::string(frame), std::string(world), world.empty(), {}};
  made.created = creation(made, origin_of(url));
  return {known_.emplace(id, std::move(made)).first->second, true};
}

std::string ExecutionContexts::to_chrome(std::string_view params) const {
  if (!translates()) return std::string(params);
  auto const unique = raw_in(params, "uniqueContextId");
  for (auto const& [id, context] : known_) {
    if (unique.empty() || context.real_unique.empty() || unique != wire::quote(context.unique)) continue;
    std::string out;
    splice(out, params, unique, wire::quote(context.real_unique));
    return out;
  }
  return replaced(params, real_of_);
}

std::string ExecutionContexts::to_client(std::string_view params) const {
  return translates() ? replaced(params, known_as_) : std::string(params);
}

bool ExecutionContexts::on_created(std::string_view params) {
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
  for (auto const known_id : doubted_) {
    auto const found = known_.find(known_id);
    if (found == known_.end()) continue;
    auto const& known_one = found->second;
    bool const ours = known_id >= first;
    bool const same =
        ours ? known_one.frame == context.frame && known_one.main == context.main && known_one.name == context.name
             : known_id == *id && known_one.unique == context.unique;
    if (!same) continue;
    doubted_.erase(known_id);
    if (ours) {
      found->second.real_unique = std::move(context.unique);
      real_of_[known_id] = *id;
      known_as_[*id] = known_id;
    }
    return false;
  }
  known_[*id] = std::move(context);
  return true;
}

std::string ExecutionContexts::on_destroyed(std::string_view params) {
  auto const real = as_number(raw_in(params, "executionContextId"));
  if (!real) return std::string(params);
  auto const found = known_as_.find(*real);
  if (found == known_as_.end()) {
    known_.erase(*real);
    return std::string(params);
  }
  auto const id = found->second;
  auto text = destruction(known_.at(id));
  known_.erase(id);
  real_of_.erase(id);
  known_as_.erase(found);
  return text;
}

void ExecutionContexts::clear() {
  known_.clear();
  real_of_.clear();
  known_as_.clear();
  doubted_.clear();
}

void ExecutionContexts::doubt() {
  real_of_.clear();
  known_as_.clear();
  doubted_.clear();
  for (auto const& [id, context] : known_) doubted_.insert(id);
}

std::vector<std::string> ExecutionContexts::confirmed() {
  std::vector<std::string> gone;
  for (auto const id : std::exchange(doubted_, {})) {
    auto const found = known_.find(id);
    if (found == known_.end()) continue;
    gone.push_back(destruction(found->second));
    known_.erase(found);
  }
  return gone;
}

}  // namespace any::cdp
