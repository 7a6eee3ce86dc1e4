#pragma once
// WS /v1/rpc: one caller's socket. Many requests at once, answered as they are ready, and notifications for what is
// watched.

#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "api/live.hpp"
#include "api/log_tail.hpp"
#include "api/ops/operation.hpp"
#include "async/spawn.hpp"
#include "async/timer.hpp"
#include "wire/envelope.hpp"

namespace any::api {

struct RpcLimits {
  std::size_t requests = 10'000;                       ///< not yet answered, of one socket
  std::size_t request_bytes = std::size_t{256} << 20;  ///< of them together
  std::size_t watches = 100'000;
  std::chrono::seconds time{360};  ///< for the answer to one; longer than any wait that a caller may ask for
};

/// Requests in flight share it: they may outlive the loop that read them.
class RpcSession final : public std::enable_shared_from_this<RpcSession>, private Subscriber {
 public:
  RpcSession(Context const& context, Live& live, Metrics& metrics, std::unique_ptr<net::WebSocket> socket,
             RpcLimits limits = {});
  /// Until the socket has ended.
  Async<void> serve();

 private:
  struct Watched {
    std::unique_ptr<service::Watch> watch;
    std::uint64_t number = 0;       ///< a watch that was replaced must not be ended by its forerunner's end
    bool open = false;              ///< the answer that announces it has been sent
    bool over = false;              ///< its `end` has come
    std::vector<std::string> held;  ///< notifications until it is open
  };

  /// A request that is being handled.
  struct Running {
    std::string name, id;  ///< id: empty where nobody waits for its answer (any more)
    std::size_t bytes = 0;
    std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
    async::Cancellation cancellation{};
  };
  using Place = std::list<Running>::iterator;

  void take(std::string text);
  static Async<void> run(std::shared_ptr<RpcSession> session, std::string text, Place place);
  /// Gives up what has had its time.
  void check_deadlines();
  void done(Place place);
  Async<Result<Answer>> call(std::string_view method, std::string_view params);
  void tell(std::string const& id, std::uint64_t number, task::Event const& event);

  Async<Result<void>> watch_task(std::string id, std::uint64_t after) override;
  void open_task(std::string const& id) override;
  void unwatch_task(std::string const& id) override;
  void watch_log(std::uint64_t since) override;
  void watch_cdp(std::shared_ptr<service::CdpClient> client, std::string pattern) override;
  void end_watch(std::string id, std::uint64_t number);

  Context const& context_;
  Live& live_;
  Metrics& metrics_;
  std::unique_ptr<net::WebSocket> socket_;
  RpcLimits limits_;
  std::list<Running> running_;
  std::size_t bytes_ = 0;  ///< of all that is running
  async::Timer deadlines_;
  std::uint64_t watch_number_ = 0;
  std::map<std::string, Watched, std::less<>> watches_;
  std::unique_ptr<LogTail> logs_;
  std::shared_ptr<service::CdpClient> cdp_;  ///< its call holds it too
  bool ended_ = false;
};

}  // namespace any::api
