#pragma once
// The link to the browser as the gateway sees it, and whether what is behind it is known: the browser has told its
// tabs, and what changes is heard.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cdp/protocol/command.hpp"

namespace any::cdp {

class LinkState {
 public:
  /// What everybody is told who needs a browser when there is none.
  static constexpr std::string_view not_there =
      "The browser is not there: open it, or run `any doctor` to see what is wrong.";

  bool up() const { return up_; }
  /// It is up, and the browser has told its tabs.
  bool known() const { return known_; }
  bool subscribed() const { return subscribed_; }
  /// What a command is answered with that was under way when the link was lost last.
  Failure const& loss() const { return loss_; }

  void came_up() {
    up_ = true;
    known_ = subscribed_ = false;
    outage_ended();
  }
  void went_down(std::string_view why) {
    up_ = known_ = subscribed_ = false;
    loss_ = {code::server_error, "The link to the browser was lost (" + std::string(why) +
                                     ") before it answered: it may or may not have been carried out."};
  }
  void told_tabs() { known_ = up_; }
  /// What happens from now on is not heard.
  void not_heard() { known_ = false; }
  void set_subscribed(bool on) { subscribed_ = on; }

  /// Somebody waits for the link: the number of the outage, once in each.
  std::optional<std::uint64_t> begin_outage() {
    if (up_ || waited_for_) return std::nullopt;
    waited_for_ = true;
    return ++outage_;
  }
  /// True once: the link has not come back since that outage began.
  bool end_outage(std::uint64_t number) {
    if (up_ || !waited_for_ || number != outage_) return false;
    outage_ended();
    return true;
  }

 private:
  void outage_ended() { waited_for_ = false; }

  bool up_ = false, known_ = false, subscribed_ = false, waited_for_ = false;
  std::uint64_t outage_ = 0;
  Failure loss_{};
};

}  // namespace any::cdp
