#pragma once
// CDP clients as the doors see them: which browser, and what is asked of it. Lives on the io thread.

#include <memory>
#include <string>
#include <vector>

#include "async/async.hpp"
#include "browser/browsers.hpp"
#include "cdp/gateway.hpp"
#include "net/socket.hpp"

namespace any::service {

/// A failure carries Chrome's own words, or code cdp::link_lost.
template <class T>
using CdpResult = boost::system::result<T, cdp::Failure>;

/// What a browser told in its hello, in the words of a raw Chrome's /json/version.
cdp::Facts cdp_facts(browser::Info const& browser);

class CdpClient;  // service/cdp_client.hpp

class Cdp {
 public:
  virtual ~Cdp() = default;
  /// The browser of that id or label, else (no name) the one that was used last, once it is linked; waits up to `wait`
  /// for that. Errors: NotFoundError, NoBrowserError, PausedError.
  virtual Async<Result<browser::Info>> choose(std::string name, Millis wait) = 0;
  /// The linked browsers that have an extension of ours, the one used last first.
  virtual std::vector<browser::Info> linked() const = 0;
  /// Serves one client until it has gone; `program`: what it calls itself, for the log.
  virtual Async<void> serve(std::string browser, cdp::Entry entry, std::unique_ptr<net::WebSocket> socket,
                            std::string program) = 0;

  virtual Async<CdpResult<std::vector<cdp::Listed>>> list(std::string browser) = 0;
  virtual Async<CdpResult<cdp::Listed>> create(std::string browser, std::string url) = 0;
  virtual Async<CdpResult<std::string>> activate(std::string browser, std::string target) = 0;
  virtual Async<CdpResult<std::string>> close(std::string browser, std::string target) = 0;

  /// A client of the browser itself, or of the page in one of its tabs; it ends with its owner.
  virtual Async<CdpResult<std::unique_ptr<CdpClient>>> client(std::string browser, std::optional<cdp::TabId> tab) = 0;

  /// Of one browser, or (no name) of all together.
  virtual cdp::Counts counts(std::string_view browser = {}) const = 0;
};

}  // namespace any::service
