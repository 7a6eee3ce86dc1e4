#include "cdp/gateway.hpp"

#include "base/guard.hpp"
#include "base/ids.hpp"
#include "cdp/impl.hpp"
#include "cdp/protocol/read.hpp"

namespace any::cdp {

namespace {

constexpr std::string_view heard[] = {
    "tabs.onCreated",
    "tabs.onUpdated",
    "tabs.onActivated",
    "tabs.onRemoved",
    "tabs.onReplaced",
    "webNavigation.onCreatedNavigationTarget",
    "webNavigation.onCommitted",
    "webNavigation.onDOMContentLoaded",
    "webNavigation.onCompleted",
    "webNavigation.onReferenceFragmentUpdated",
    "webNavigation.onHistoryStateUpdated",
    "downloads.onCreated",
    "downloads.onChanged",
};
constexpr int internal_error = -32603;
constexpr std::uint16_t no_target = 1011;

std::string upper(std::string hex) {
  for (auto& c : hex) c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  return hex;
}

}  // namespace

Gateway::Impl::Impl(Transport& to, Sockets& clients_sockets, Files& with_files, Clock const& with_clock, Limits within)
    : transport(to),
      worker_sockets(clients_sockets, to),
      sockets(worker_sockets),
      files(with_files),
      clock(with_clock),
      limits(within),
      clients(upper(sha256_hex(make_uuid()).substr(0, 16))) {}

void Gateway::Impl::link_up(Facts said) {
  facts = std::move(said);
  if (default_context.empty()) {
    default_context = upper(sha256_hex("context " + facts.browser_id).substr(0, 32));
  }
  link.came_up();
  looking.cancel();
  finding.cancel();
  downloads.naming = {};
  name_downloads();
  if (!clients.empty() || !when_known.empty()) look();
  subscribe_while_needed();
}

void Gateway::Impl::wait_for_link() {
  if (auto const number = link.begin_outage()) {
    timers.after(limits.link_grace, [this, number = *number] { give_up_on_link(number); });
  }
}

void Gateway::Impl::once_known(std::function<void()> call) {
  if (link.known()) return call();
  when_known.push_back(std::move(call));
  link.up() ? look() : wait_for_link();
}

std::optional<Failure> Gateway::Impl::unseen() const {
  if (!link.up()) return Failure{link_lost, std::string(LinkState::not_there)};
  return blind;
}

void Gateway::Impl::subscribe_while_needed() {
  bool const needed_now = link.up() && !clients.empty();
  if (needed_now == link.subscribed()) return;
  for (auto const path : heard) {
    if (needed_now) {
      transport.subscribe(path);
    } else if (link.up()) {
      transport.unsubscribe(path);
    }
  }
  link.set_subscribed(needed_now);
  if (!needed_now) link.not_heard();
}

void Gateway::Impl::ready() {
  link.told_tabs();
  for (auto const& call : std::exchange(when_known, {})) call();
  look_for_downloads();
  std::vector<std::string> again, unannounced;
  for (auto const& [id, target] : targets) {
    if (std::exchange(target->unannounced, false)) unannounced.push_back(id);
  }
  for (auto const& id : unannounced) {
    if (auto* const on = target(id)) announce_where_wanted(*on);
  }
  for (auto const& [id, target] : targets) {
    if (target->parent.empty() && target->attachment.loose() && (needed(*target) || !target->waiting.empty())) {
      again.push_back(id);
    }
  }
  for (auto const& id : again) {
    if (auto* const on = target(id)) wake(*on);
  }
  for (auto const& [id, on] : targets) {
    // Whoever used it has gone while the link was away.
    if (!on->parent.empty() || !on->attachment.loose()) continue;
    if (on->attachment.on(Attachment::Event::not_wanted)) transport.detach(on->debuggee);
    say_missed(*on);
  }
  std::vector<ClientId> fresh;
  for (auto const& [id, waiting] : clients) {
    if (!waiting.open) fresh.push_back(id);
  }
  for (auto const id : fresh) {
    if (auto* const waiting = client(id)) begin(*waiting);  // one whose target is gone is closed by it
  }
  if (!link.subscribed()) link.not_heard();  // only the moment was looked at
}

void Gateway::Impl::open(ClientId id, Entry entry, Receiver* receiver) {
  auto& client = clients.add(id, std::move(entry), receiver);
  subscribe_while_needed();
  if (link.known()) return begin(client);
  link.up() ? look() : wait_for_link();
}

void Gateway::Impl::begin(Client& client) {
  auto const id = client.id;
  if (client.entry.target.empty()) {
    clients.begin_session(client, Session::Kind::browser, nullptr, "", false);
  } else {
    auto* const on = target(client.entry.target);
    if (!on) {
      close(id, no_target, "No such target id: " + client.entry.target.substr(0, 80));
      gone(id);
      return;
    }
    tell_script_loaded(clients.begin_session(client, Session::Kind::target, on, "", false), *on);
    changed(*on);
  }
  client.open = true;
  auto waiting = std::exchange(client.waiting, {});
  client.waiting_bytes = 0;
  for (auto& command : waiting) {
    if (!clients.contains(id)) return;
    run(std::move(command));
  }
}

void Gateway::Impl::receive(ClientId id, std::string_view text) {
  auto* const from = client(id);
  if (!from) return;
  auto command = read_command(id, text);
  if (!command) {
    auto const& bad = command.error();
    sockets.send(id, failure_text({id, bad.session, bad.id}, bad.failure));
    return;
  }
  receive(std::move(*command), text.size());
}

void Gateway::Impl::receive(Command command, std::size_t size) {
  auto* const from = client(command.ticket.client);
  if (!from) return;
  if (from->open) return run(std::move(command));
  if (from->waiting_bytes + size > limits.max_waiting) {
    return fail(command.ticket, {code::server_error, "Too many commands wait for the browser to come back."});
  }
  from->waiting_bytes += size;
  from->waiting.push_back(std::move(command));
}

void Gateway::Impl::close(ClientId id, std::uint16_t code, std::string_view reason) {
  auto* const closing = client(id);
  closing && closing->receiver ? closing->receiver->closed(reason) : sockets.close(id, code, reason);
}

Gateway::Gateway(Transport& transport, Sockets& sockets, Files& files, Clock const& clock, Limits limits)
    : impl_(std::make_unique<Impl>(transport, sockets, files, clock, limits)) {}
Gateway::~Gateway() = default;

void Gateway::link_up(Facts facts) {
  impl_->link_up(std::move(facts));
}
void Gateway::link_down(std::string_view why) {
  impl_->link_down(why);
}
void Gateway::facts_changed(Facts facts) {
  impl_->facts = std::move(facts);
}
void Gateway::debugger_event(Debuggee const& debuggee, std::string_view session, std::string_view method,
                             std::string_view params) {
  impl_->debugger_event(debuggee, session, method, params);
}

void Gateway::chrome_event(std::string_view path, std::string_view args) {
  auto const read = wire::parse_strict(args, {256});
  if (!read || !read->is_array()) return;
  if (path.starts_with("downloads.")) return impl_->chrome_download(path, read->get_array());
  auto const& said = read->get_array();
  if (path.starts_with("sandbox.")) {
    if (!said.empty() && said[0].is_object()) impl_->sandbox_event(path, said[0].get_object());
    return;
  }
  impl_->tab_event(path, said);
}

void Gateway::open(ClientId client, Entry entry) {
  impl_->open(client, std::move(entry));
}
void Gateway::open(ClientId client, Entry entry, Receiver& receiver) {
  impl_->open(client, std::move(entry), &receiver);
}
void Gateway::receive(Command command) {
  auto const ticket = command.ticket;
  auto const size = command.method.size() + command.params.size();
  if (guarded("a CDP command", [&] { impl_->receive(std::move(command), size); })) return;
  impl_->fail(ticket, {internal_error, "Internal error: a bug of the daemon, whose log says more."});
}
void Gateway::receive(ClientId client, std::string text) {
  if (guarded("a CDP command", [&] { impl_->receive(client, text); })) return;
  auto const command = read_command(client, text);
  Failure const bug{internal_error, "Internal error: a bug of the daemon, whose log says more."};
  if (command) impl_->sockets.send(client, failure_text(command->ticket, bug));
}
void Gateway::gone(ClientId client) {
  impl_->gone(client);
}

void Gateway::list(std::function<void(boost::system::result<std::vector<Listed>, Failure> const&)> done) {
  auto& impl = *impl_;
  impl.once_known([&impl, done = std::move(done)] {
    if (auto const why = impl.unseen()) return done(*why);
    // As in Chrome: what was looked at last comes first.
    std::multimap<double, Target const*, std::greater<>> in_order;
    for (auto const& [id, target] : impl.targets) {
      auto const* const tab = impl.ordinary(*target) ? impl.tab_of(*target) : nullptr;
      in_order.emplace(tab ? tab->accessed : -1, target.get());
    }
    std::vector<Listed> rows;
    for (auto const& [accessed, target] : in_order) {
      rows.push_back({.id = target->info.id,
                      .type = target->info.type,
                      .title = target->info.title,
                      .url = target->info.url,
                      .parent = target->parent});
    }
    done(rows);
  });
}

void Gateway::create(std::string url, std::function<void(boost::system::result<Listed, Failure> const&)> done) {
  auto& impl = *impl_;
  impl.once_known([&impl, url = std::move(url), done = std::move(done)] {
    if (auto const why = impl.unseen()) return done(*why);
    impl.create_tab(url, done);
  });
}

void Gateway::activate(std::string target, Answered done) {
  auto& impl = *impl_;
  impl.once_known([&impl, target = std::move(target), done = std::move(done)] {
    if (auto const why = impl.unseen()) return done(*why);
    impl.activate_target(target, done);
  });
}

void Gateway::close(std::string target, Answered done) {
  auto& impl = *impl_;
  impl.once_known([&impl, target = std::move(target), done = std::move(done)] {
    if (auto const why = impl.unseen()) return done(*why);
    impl.close_target(target, done);
  });
}

void Gateway::find(TabId tab, Answered done) {
  auto& impl = *impl_;
  impl.once_known([&impl, tab, done = std::move(done)] {
    if (auto const why = impl.unseen()) return done(*why);
    auto const* const page = impl.target_of(tab);
    if (!page) return done(Failure{code::server_error, "No target with given id found"});
    done(std::string_view(page->info.id));
  });
}

bool Gateway::idle() const {
  auto const counted = counts();
  return counted.clients == 0 && counted.attached == 0 && counted.pending == 0 && impl_->when_known.empty();
}

Counts Gateway::counts() const {
  Counts counts;
  counts.clients = impl_->clients.size();
  counts.sessions = impl_->clients.sessions();
  for (auto const& [id, target] : impl_->targets) {
    if (!target->attachment.loose() && target->parent.empty()) ++counts.attached;
    counts.pending += target->in_flight.size() + target->waiting.size();
  }
  return counts;
}

std::optional<Millis> Gateway::deadline() const {
  return impl_->timers.next();
}
void Gateway::tick() {
  impl_->timers.run();
}

}  // namespace any::cdp
