#pragma once
// The execution contexts of one target, under the ids that its clients know. Of a tab that is not attached they are
// told contexts of our making, one for each world that they can know of; once Chrome tells its own, theirs stand for
// these until the page goes.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace any::cdp {

/// One execution context as its creation was sent to the clients.
struct Context {
  std::int64_t id = 0;
  std::string unique, frame, name;
  bool main = false;          ///< the page's own world
  std::string created;        ///< raw params of its Runtime.executionContextCreated
  std::string real_unique{};  ///< of ours: the uniqueId of Chrome's that it stands for
};

class ExecutionContexts {
 public:
  /// `numbers`: the newest id of our making, of all targets; it outlives this.
  explicit ExecutionContexts(std::int64_t& numbers) : numbers_(numbers) {}

  /// Where the ids of our making begin: far above any of Chrome's.
  static constexpr std::int64_t first = 1'000'000'000;

  using ById = std::map<std::int64_t, Context>;
  ById const& all() const { return known_; }

  /// The context of this world in the frame; of our making where there is none yet (`second`). `world` empty: the
  /// page's own.
  std::pair<Context const&, bool> find_or_make(std::string_view frame, std::string_view world, std::string_view url);

  /// Whether some of the clients' ids stand for others of Chrome's.
  bool translates() const { return !real_of_.empty(); }
  /// Params of a command with the ids that Chrome knows.
  std::string to_chrome(std::string_view params) const;
  /// Params or a result with the ids that the clients know.
  std::string to_client(std::string_view params) const;

  /// Runtime.executionContextCreated: false: the clients know it already.
  bool on_created(std::string_view params);
  /// Runtime.executionContextDestroyed: what the clients are sent.
  std::string on_destroyed(std::string_view params);
  /// Runtime.executionContextsCleared.
  void clear();

  /// Chrome is about to send all anew, to another attachment: until confirmed() each may have gone.
  void doubt();
  /// Chrome has sent all that there are: params of Runtime.executionContextDestroyed of those that it has not.
  std::vector<std::string> confirmed();
  /// Nobody is sent contexts, so Chrome does not send them either.
  void undoubt() { doubted_.clear(); }

 private:
  std::int64_t& numbers_;
  ById known_;
  std::map<std::int64_t, std::int64_t> real_of_;   ///< id a client knows → Chrome's, where they differ
  std::map<std::int64_t, std::int64_t> known_as_;  ///< the other way
  std::set<std::int64_t> doubted_;                 ///< sent to the clients before, not yet sent again by Chrome
};

}  // namespace any::cdp
