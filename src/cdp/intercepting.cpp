// What the interceptions of a target (intercept/) need of it and of its clients.

#include "cdp/impl.hpp"

namespace any::cdp {

namespace {

class Host final : public Interceptions::Host {
 public:
  Host(Gateway::Impl& gateway, Target& on) : gateway_(gateway), on_(on) {}

  bool attached() const override { return on_.attachment.attached(); }
  std::uint64_t attachment() const override { return on_.attachment.number(); }
  std::vector<SessionKey> sessions() const override {
    std::vector<SessionKey> keys;
    keys.reserve(on_.sessions.size());
    for (auto const* session : on_.sessions) keys.push_back(session->key());
    return keys;
  }
  bool has(SessionKey const& session) const override { return gateway_.session(session) != nullptr; }
  void reply(Ticket const& ticket, std::string_view result) override { gateway_.reply(ticket, result); }
  void fail(Ticket const& ticket, Failure const& failure) override { gateway_.fail(ticket, failure); }
  void event(SessionKey const& to, std::string_view method, std::string_view params) override {
    if (auto const* const there = gateway_.session(to)) gateway_.event(*there, method, params);
  }
  void pass(Ticket const& ticket, std::string_view method, std::string_view params, Then then) override {
    if (!then) return gateway_.pass(on_, ticket, method, params);
    gateway_.pass(on_, ticket, method, params,
                  [answered = later(std::move(then))](Answer const& answer) -> std::optional<std::string> {
                    answered(answer);
                    return std::nullopt;
                  });
  }
  void ask(std::string_view method, std::string_view params, Then then) override {
    if (!then) return gateway_.tell(on_, method, params);
    gateway_.transport.send(on_.debuggee, on_.upstream, method, params, later(std::move(then)));
  }

 private:
  Answered later(Then then) {
    return [&gateway = gateway_, id = on_.info.id, then = std::move(then)](Answer const& answer) {
      auto* const still = gateway.target(id);
      if (!still) return;
      Host host(gateway, *still);
      then(still->interceptions, host, answer);
    };
  }

  Gateway::Impl& gateway_;
  Target& on_;
};

}  // namespace

void Gateway::Impl::intercept(Session& by, Target& on, Command const& command) {
  Host host(*this, on);
  on.interceptions.run(host, by.key(), command);
}

void Gateway::Impl::paused(Target& on, std::string_view method, std::string_view params) {
  Host host(*this, on);
  on.interceptions.on_event(host, method, params);
}

void Gateway::Impl::update_patterns(Target& on) {
  Host host(*this, on);
  on.interceptions.update_patterns(host);
}

void Gateway::Impl::stop_intercepting(Session& by, Target& on) {
  Host host(*this, on);
  on.interceptions.stop(host, by.key());
}

}  // namespace any::cdp
