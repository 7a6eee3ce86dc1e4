#pragma once
// Chrome's debugger on one target, as a machine of states. The table below is the whole of it; what is said and asked
// on the way from one state to the next is in attach.cpp.

#include <cstdint>
#include <optional>

namespace any::cdp {

class Attachment {
 public:
  enum class State : unsigned char {
    detached,   ///< Chrome's debugger is not on it
    attaching,  ///< Chrome has been asked
    restoring,  ///< it is on it: what the sessions had is being set up anew
    attached,   ///< commands pass
    lost,       ///< it was on it, or about to be, when the link dropped
  };
  enum class Event : unsigned char {
    attach,      ///< we ask Chrome
    granted,     ///< Chrome has attached
    refused,     ///< Chrome has not
    announced,   ///< Chrome has attached by itself to a target that is new
    come_back,   ///< Chrome has attached by itself to a target that was known before
    restored,    ///< all of the restoring has been answered
    ended,       ///< we let go of it, or Chrome does
    link_lost,   ///< nobody can tell what is attached
    not_wanted,  ///< the link is back, and nobody needs it any more
  };

  /// `numbers`: the newest number of all attachments; it outlives this.
  explicit Attachment(std::uint64_t& numbers) : numbers_(numbers) {}

  /// The table: where an event leads; nothing where it does not belong to the state, which then stays.
  static constexpr std::optional<State> next(State from, Event event) {
    bool const loose = from == State::detached || from == State::lost;
    switch (event) {
      case Event::attach:
        return loose ? std::optional(State::attaching) : std::nullopt;
      case Event::granted:
        return from == State::attaching ? std::optional(State::restoring) : std::nullopt;
      case Event::refused:
        return from == State::attaching ? std::optional(State::detached) : std::nullopt;
      case Event::announced:
        return loose ? std::optional(State::attached) : std::nullopt;
      case Event::come_back:
        return loose ? std::optional(State::restoring) : std::nullopt;
      case Event::restored:
        return from == State::restoring ? std::optional(State::attached) : std::nullopt;
      case Event::ended:
        return loose ? std::nullopt : std::optional(State::detached);
      case Event::link_lost:
        return loose ? std::nullopt : std::optional(State::lost);
      case Event::not_wanted:
        return from == State::lost ? std::optional(State::detached) : std::nullopt;
    }
    return std::nullopt;
  }

  /// False: the event does not belong to the state, and changes nothing.
  bool on(Event event) {
    auto const to = next(state_, event);
    if (!to) return false;
    bool const was_loose = loose();
    state_ = *to;
    if (attached()) refusals_ = 0;
    if (was_loose != loose()) number_ = ++numbers_;
    if (restoring()) unanswered_ = 0;
    reviving_ = false;
    return true;
  }

  State state() const { return state_; }
  bool loose() const { return state_ == State::detached || state_ == State::lost; }
  bool attached() const { return state_ == State::restoring || state_ == State::attached; }
  bool restoring() const { return state_ == State::restoring; }
  bool ready() const { return state_ == State::attached; }
  /// No two attachments of whatever targets have the same: an answer to an earlier one counts no more.
  std::uint64_t number() const { return number_; }

  /// Attaching: its page was discarded, and is loaded first.
  void revive() { reviving_ = state_ == State::attaching; }
  /// True once: now it can be attached to.
  bool revived() {
    bool const was = reviving_;
    reviving_ = false;
    return was;
  }

  /// How often Chrome has refused it since it was attached last, this time too.
  int refused_again() { return ++refusals_; }

  /// Something has been asked that must be answered before it is restored.
  void asked() { ++unanswered_; }
  /// True: that was the last of the restoring.
  bool answered() { return --unanswered_ == 0 && restoring(); }

 private:
  std::uint64_t& numbers_;
  State state_ = State::detached;
  std::uint64_t number_ = 0;
  int unanswered_ = 0;
  int refusals_ = 0;
  bool reviving_ = false;
};

}  // namespace any::cdp
