// Which browser a task goes to, and what to say where there is none.

#include <algorithm>

#include "task/impl.hpp"

namespace any::task {
namespace {

constexpr std::size_t most_told = 1'000;  ///< tasks that are told at once that their browser went

std::string key_for(std::string_view name, bool special, bool opens, bool prototype) {
  std::string key{special ? "s" : "m"};
  key += opens ? 'o' : 't';
  key += prototype ? 'p' : 'v';
  key += name;
  return key;
}

bool lacks_world(BrowserState const& state, Bucket const& bucket) {
  return bucket.special && !state.user_scripts && !state.debugger;
}

}  // namespace

bool Core::Impl::fits(Browser const& browser, Bucket const& bucket, bool even_paused) {
  auto const& state = browser.state;
  if (!browser.linked || (state.paused && !even_paused)) return false;
  if (!bucket.name.empty() && bucket.name != state.id && bucket.name != state.label) return false;
  if (state.kind == BrowserKind::prototype) return bucket.prototype && !bucket.special;
  return !lacks_world(state, bucket);
}

Browser* Core::Impl::serving(Bucket const& bucket) const {
  if (!bucket.name.empty()) {
    auto const found = browsers.find(bucket.name);
    if (found != browsers.end() && found->second->linked)
      return fits(*found->second, bucket) ? found->second.get() : nullptr;  // an id goes before a label
  }
  for (auto* browser : by_use)
    if (fits(*browser, bucket)) return browser;
  return nullptr;
}

/// Like serving(), but passes over a prototype's browser that has all it may have.
Browser* Core::Impl::choose(Bucket const& bucket) const {
  if (!bucket.prototype || !bucket.name.empty()) return serving(bucket);
  for (auto* browser : by_use)
    if (fits(*browser, bucket) && (browser->state.kind == BrowserKind::any || takes_more(*browser, limits)))
      return browser;
  return nullptr;
}

Error Core::Impl::why_none(Task const& task, Bucket const& bucket) const {
  auto const& wanted = task.record.request.browser;
  bool linked = false, paused = false, worldless = false;
  for (auto const* browser : by_use) {
    auto const& state = browser->state;
    if (!bucket.name.empty() && bucket.name != state.id && bucket.name != state.label) continue;
    linked = true;
    paused = paused || (state.paused && fits(*browser, bucket, true));
    worldless = worldless || (state.kind == BrowserKind::any && lacks_world(state, bucket));
  }
  auto const name = wanted ? "the browser \"" + *wanted + "\"" : std::string{"every browser that fits"};
  if (paused)
    return {ErrorName::PausedError,
            name + " is paused: resume it in the extension's popup, then submit the task again"};
  if (worldless)
    return {
        ErrorName::WorldUnavailableError,
        "no way into the world \"" + std::string{to_string(task.record.request.world)} + "\" in " +
            (wanted ? name : std::string{"any connected browser"}) +
            ": switch on \"Allow user scripts\" for the extension at chrome://extensions, or use the world \"main\""};
  if (linked)
    return {ErrorName::NoBrowserError,
            "only an extension of the prototype is connected, which takes no task of this kind: load the extension any "
            "(`any extension`), or run `any launch`"};
  if (wanted && !by_use.empty())
    return {ErrorName::NoBrowserError,
            name + " is not connected: start it, or choose one of those that `any browsers` lists"};
  return {ErrorName::NoBrowserError,
          (wanted ? name + " is not connected, nor is any other" : std::string{"no browser is connected"}) +
              ": run `any launch`, or load the extension (`any extension`) in yours; "
              "`any doctor` finds what is in the way"};
}

Bucket* Core::Impl::find_bucket(std::string const& key) const {
  auto const found = buckets.find(key);
  return found == buckets.end() ? nullptr : found->second.get();
}

Bucket& Core::Impl::bucket_of(Task const& task) {
  auto const& request = task.record.request;
  auto const name = request.browser.value_or("");
  bool const special = request.world != World::main;
  bool const prototype = request.door == Door::prototype;
  bool const opens = request.tab.kind == TabSpec::Kind::open;
  auto key = key_for(name, special, opens, prototype);
  if (auto* bucket = find_bucket(key)) return *bucket;
  auto bucket = std::make_unique<Bucket>();
  bucket->key = key;
  bucket->name = name;
  bucket->special = special;
  bucket->opens = opens;
  bucket->prototype = prototype;
  bucket->served = serving(*bucket) != nullptr;
  return *buckets.emplace(std::move(key), std::move(bucket)).first->second;
}

std::vector<std::string> Core::Impl::keys_of(BrowserState const& state) {
  std::vector<std::string> keys;
  std::vector<std::string_view> names{"", state.id};
  if (!state.label.empty() && state.label != state.id) names.push_back(state.label);
  for (auto name : names) {
    for (bool const opens : {false, true}) {
      keys.push_back(key_for(name, false, opens, true));
      if (state.kind == BrowserKind::prototype) continue;
      keys.push_back(key_for(name, false, opens, false));
      keys.push_back(key_for(name, true, opens, false));
      keys.push_back(key_for(name, true, opens, true));
    }
  }
  return keys;
}

void Core::Impl::sort_by_use() {
  by_use.clear();
  for (auto const& [id, browser] : browsers)
    if (browser->linked) by_use.push_back(browser.get());
  std::sort(by_use.begin(), by_use.end(), [](Browser const* a, Browser const* b) {
    if (a->state.used != b->state.used) return a->state.used > b->state.used;
    return a->linked_at > b->linked_at;
  });
}

/// After a browser came, went or changed: buckets it serves or served may have another browser now, or none.
void Core::Impl::choice_changed(std::vector<std::string> const& keys) {
  for (auto const& key : keys) {
    auto* bucket = find_bucket(key);
    if (!bucket) continue;
    bool const served = serving(*bucket) != nullptr;
    if (bucket->served && !served) {
      bucket->unserved_since = now.mono;
      for (auto* task : bucket->lapsed) {  // those whose time was over wait once more, for the browser to come back
        task->lapsed = false;
        deadlines.arm(task->limit, now.mono);
      }
      bucket->lapsed.clear();
      std::size_t told = 0;
      for (auto* task : bucket->tasks) {
        if (++told > most_told) break;
        tell_waiting(*task, false, why_none(*task, *bucket).message);
      }
    }
    bucket->served = served;
    if (auto* browser = choose(*bucket); browser && !bucket->tasks.empty()) wake(*browser);
  }
}

void Core::Impl::wake(Browser& browser) {
  if (browser.dirty) return;
  browser.dirty = true;
  dirty.push_back(&browser);
}

}  // namespace any::task
