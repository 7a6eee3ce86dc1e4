#pragma once
// The doors: who may come in, what is answered. REST and the RPC socket are made from one table of operations (ops/).

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "browser/browsers.hpp"
#include "net/http_server.hpp"
#include "service/cdp.hpp"
#include "service/tasks.hpp"

namespace any::api {

/// What only the one who wires the daemon knows; asked anew for each /health.
struct Facts {
  Millis started = 0;  ///< wall
  std::string state_dir;
  std::vector<std::string> listen;  ///< "127.0.0.1:8766", "[::1]:8766"
  std::uint16_t compat_port = 0;    ///< 0: the prototype's port is not open
  std::string pages;                ///< URL of the examples' pages; empty: not served
  std::string problem;              ///< what is not well ("the journal cannot be written: …"); empty: nothing
};

struct Services {
  boost::asio::io_context& io;
  service::Tasks& tasks;
  browser::Browsers& browsers;
  service::Cdp& cdp;
  Clock const& clock;
  std::function<Facts()> facts;
  std::function<void()> shutdown;                     ///< must return at once; the answer leaves before the daemon ends
  std::function<std::size_t()> connections{};         ///< open sockets of all ports, for /metrics
  std::function<std::uint64_t()> journal_failures{};  ///< writes that failed since the start, for /metrics
};

struct Options {
  std::string token;      ///< empty: none is demanded
  bool any_user = false;  ///< serve other users of the machine too
  std::vector<std::string>
      allow_extensions;  ///< ids that may open /extension, /events and /health besides the pinned one
};

/// Lives on the io thread and outlives the servers that its handlers are given to.
class Api {
 public:
  Api(Services services, Options options);
  ~Api();
  Api(Api const&) = delete;
  Api& operator=(Api const&) = delete;

  net::Handler handler();         ///< the daemon's own port
  net::Handler compat_handler();  ///< port 8000: the prototype's four routes and /health
  net::Handler pages_handler();   ///< the examples' pages, on a port of their own

  /// Ends every WebSocket and event stream, so that the servers can stop.
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace any::api
