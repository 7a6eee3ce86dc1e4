// Shared workers. Chrome neither attaches to them with a page nor tells an extension of their coming and going: only
// the list of all targets shows them. It is asked for as pages load, and each second while a client uses one.

#include "cdp/impl.hpp"
#include "cdp/protocol/read.hpp"

namespace any::cdp {

namespace {

constexpr Millis look_each = 1'000;

std::string_view site_of(std::string_view url) {
  auto const host = url.find("://");
  return url.substr(0, host == url.npos ? url.npos : url.find_first_of("/?#", host + 3));
}

bool shared_worker(Target const& target) {
  return target.parent.empty() && target.debuggee.tab < 0;
}

}  // namespace

bool Gateway::Impl::workers_wanted() const {
  if (!link.known()) return false;
  bool const used = std::any_of(targets.begin(), targets.end(), [this](auto const& row) {
    auto const& on = *row.second;
    return on.attachment.attached() && ordinary(on) && clock.now().mono - on.used < worth_watching;
  });
  if (!used) return false;
  for (auto const& [id, client] : clients) {
    for (auto const& [name, session] : client.sessions()) {
      bool const attaches = session->kind == Session::Kind::browser && session->auto_attach.on &&
                            session->auto_attach.filter.lets("shared_worker");
      if (attaches || (session->discover && session->discover->lets("shared_worker"))) return true;
    }
  }
  return false;
}

void Gateway::Impl::watch_workers() {
  if (watching_workers || !workers_wanted()) return;
  watching_workers = true;
  timers.after(look_each, [this] {
    watching_workers = false;
    look_for_workers();
    watch_workers();
  });
}

void Gateway::Impl::look_for_workers() {
  if (workers_wanted()) find_targets_of_new_tabs();
}

void Gateway::Impl::read_workers(json::array const& list) {
  std::set<std::string> there;
  for (auto const& row : list) {
    if (!row.is_object()) continue;
    auto const& said = row.get_object();
    TargetInfo info{.id = text_in(said, "id"),
                    .type = "shared_worker",
                    .title = text_in(said, "title"),
                    .url = text_in(said, "url")};
    // Both kinds of workers are of type "worker" here; a service worker's title is always this one. Those of Chrome's
    // own pages and of extensions Chrome does not let be debugged.
    bool const shared = text_in(said, "type") == "worker" && info.title != "Service Worker " + info.url &&
                        !info.url.starts_with("chrome");
    if (!shared || info.id.empty()) continue;
    there.insert(info.id);
    if (target(info.id)) continue;
    info.context = context_of_site(info.url);
    Debuggee debuggee{.tab = -1, .target = info.id};
    appear(std::move(info), std::move(debuggee));
  }
  std::vector<std::string> gone_ones;
  for (auto const& [id, on] : targets) {
    if (shared_worker(*on) && !there.contains(id)) gone_ones.push_back(id);
  }
  for (auto const& id : gone_ones) vanish(id);
}

std::string Gateway::Impl::context_of_site(std::string_view url) const {
  // Chrome does not say whose it is, but it lives only as long as a page of its site.
  std::set<std::string> of_pages;
  for (auto const& [id, on] : targets) {
    if (ordinary(*on) && site_of(on->info.url) == site_of(url)) of_pages.insert(on->info.context);
  }
  return of_pages.size() == 1 ? *of_pages.begin() : default_context;
}

}  // namespace any::cdp
