#pragma once
// What Chrome tells once to whoever enables a domain first, kept for whoever enables it later.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace any::cdp {

class Replay {
 public:
  struct Told {
    std::string method, params;
  };

  /// Looks at an event that passes, or at a command that makes Chrome forget (Log.clear,
  /// Runtime.discardConsoleEntries); keeps what a later session must hear too, forgets what it makes void. The params
  /// are Chrome's own text.
  void note(std::string_view method, std::string_view params);
  /// What a session hears that enables `domain` only now (contexts are told apart: they change their ids).
  std::vector<Told> for_domain(std::string_view domain) const;
  /// The lifecycle events of the present documents.
  std::vector<Told> lifecycle() const;
  /// Nobody has the domain enabled any more.
  void forget(std::string_view domain);
  void clear();

 private:
  struct Kept {
    Told told;
    std::string key{};  ///< style sheet: its id; lifecycle event: its loader
    std::string frame{};
    std::int64_t number = 0;  ///< script: its execution context; exception: its id
  };
  /// The oldest give way.
  struct Shelf {
    std::size_t most, most_bytes;
    std::deque<Kept> rows{};
    std::size_t bytes = 0;

    void put(Kept kept);
    template <class Gone>
    void drop(Gone gone);
    void clear();
  };

  void navigated(std::string_view params);
  void drop_frame(std::string_view frame);

  // 1,000 console lines are what Chrome itself keeps. All together at most 16 MiB a target.
  Shelf console_{1'000, std::size_t{3} << 20}, log_{1'000, std::size_t{1} << 20};
  Shelf scripts_{20'000, std::size_t{8} << 20}, sheets_{5'000, std::size_t{3} << 20};
  Shelf lifecycle_{5'000, std::size_t{1} << 20};
  bool cleared_ = false;  ///< Runtime.executionContextsCleared has come, the navigation that it belongs to has not
};

}  // namespace any::cdp
