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

class Ledger {
 public:
  struct Line {
    std::string key;  ///< "Page.enable", "Emulation.setLocaleOverride", "script 3", "binding name"
    std::string method, params;
    std::string given{};      ///< script: Chrome's identifier in the present attachment
    bool filling = false;     ///< enable: Chrome tells the domain's present state to this session with its answer
    std::uint64_t asked = 0;  ///< the command that it was last written for
    bool early = false;       ///< script, binding: said before the session let its target go
  };

  /// Replaces the line of that key where it stands.
  Line& put(std::string_view key, std::string_view method, std::string_view params) {
    if (auto* const line = find(key)) {
      line->method = method;
      line->params = params;
      return *line;
    }
    return lines_.emplace_back(Line{std::string(key), std::string(method), std::string(params)});
  }
  /// Chrome has refused the command `asked`: what was there before it holds on, unless a later one has come.
  void refused(std::string_view key, std::uint64_t asked, std::optional<Line> const& former) {
    auto* const line = find(key);
    if (!line || line->asked != asked) return;
    if (former) {
      *line = *former;
    } else {
      erase(key);
    }
  }
  bool erase(std::string_view key) {
    return std::erase_if(lines_, [key](Line const& line) { return line.key == key; }) > 0;
  }
  Line* find(std::string_view key) {
    auto const at = std::find_if(lines_.begin(), lines_.end(), [key](Line const& line) { return line.key == key; });
    return at == lines_.end() ? nullptr : &*at;
  }
  Line const* find(std::string_view key) const { return const_cast<Ledger*>(this)->find(key); }
  bool has(std::string_view key) const { return find(key) != nullptr; }
  std::vector<Line>& lines() { return lines_; }
  std::vector<Line> const& lines() const { return lines_; }

 private:
  std::vector<Line> lines_;
};

}  // namespace any::cdp
