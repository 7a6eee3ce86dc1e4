#include "cdp/session/clients.hpp"

namespace any::cdp {

Client* Clients::find(ClientId id) {
  auto const found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second;
}

Session* Clients::session(ClientId client, std::string_view id) {
  auto* const owner = find(client);
  if (!owner) return nullptr;
  auto const found = owner->sessions_.find(id);
  return found == owner->sessions_.end() ? nullptr : found->second.get();
}

std::size_t Clients::sessions() const {
  std::size_t count = 0;
  for (auto const& [id, client] : by_id_) count += client.sessions().size();
  return count;
}

Client& Clients::add(ClientId id, Entry entry, Receiver* receiver) {
  auto& client = by_id_[id];
  client.id = id;
  client.entry = std::move(entry);
  client.receiver = receiver;
  return client;
}

Session& Clients::begin_session(Client& owner, Session::Kind kind, Target* on, std::string_view parent,
                                bool automatic) {
  auto made = std::make_unique<Session>();
  made->id = owner.sessions_.empty() ? std::string() : make_session_id();
  made->client = owner.id;
  made->kind = kind;
  if (on) made->target = on->info.id;
  made->parent = parent;
  made->automatic = automatic;
  auto& session = *made;
  owner.sessions_.emplace(session.id, std::move(made));
  if (on && kind == Session::Kind::target) on->sessions.rows_.push_back(&session);
  return session;
}

void Clients::leave(Session const& session, Target& on) {
  std::erase(on.sessions.rows_, &session);
}

std::string Clients::make_session_id() {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string id = prefix_ + std::string(16, '0');
  auto n = ++last_session_;
  for (std::size_t at = id.size(); n > 0; n /= 16) id[--at] = digits[n % 16];
  return id;
}

}  // namespace any::cdp
