#pragma once
// What a session has switched on and not off again, in order: what a new attachment must be told, and what must be
// taken back when the session goes.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace any::cdp {

class SessionState {
 public:
  struct Entry {
    std::string key;  ///< "Page.enable", "Emulation.setLocaleOverride", "script 3", "binding name"
    std::string method, params;
    std::string given{};      ///< script: Chrome's identifier in the present attachment
    bool filling = false;     ///< enable: Chrome tells the domain's present state to this session with its answer
    std::uint64_t asked = 0;  ///< the command that it was last written for
    bool early = false;       ///< script, binding: said before the session let its target go
  };

  /// Replaces the entry of that key where it stands.
  Entry& put(std::string_view key, std::string_view method, std::string_view params) {
    if (auto* const entry = find(key)) {
      entry->method = method;
      entry->params = params;
      return *entry;
    }
    return entries_.emplace_back(Entry{std::string(key), std::string(method), std::string(params)});
  }
  /// Chrome has refused the command `asked`: what was there before it holds on, unless a later one has come.
  void refused(std::string_view key, std::uint64_t asked, std::optional<Entry> const& former) {
    auto* const entry = find(key);
    if (!entry || entry->asked != asked) return;
    if (former) {
      *entry = *former;
    } else {
      erase(key);
    }
  }
  bool erase(std::string_view key) {
    return std::erase_if(entries_, [key](Entry const& entry) { return entry.key == key; }) > 0;
  }
  Entry* find(std::string_view key) {
    auto const at =
        std::find_if(entries_.begin(), entries_.end(), [key](Entry const& entry) { return entry.key == key; });
    return at == entries_.end() ? nullptr : &*at;
  }
  Entry const* find(std::string_view key) const { return const_cast<SessionState*>(this)->find(key); }
  bool has(std::string_view key) const { return find(key) != nullptr; }
  std::vector<Entry>& entries() { return entries_; }
  std::vector<Entry> const& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

}  // namespace any::cdp
