#pragma once
// An extension that a client loads over CDP, as Stagehand 4 does. None is loaded into the person's browser: its worker
// runs in a sandbox, a sandboxed page of our own extension, and is to its client alone what it would be in Chrome.

#include <map>
#include <vector>

#include "cdp/model/target.hpp"

namespace any::cdp {

/// A target that is in no browser.
struct MadeTarget {
  TargetInfo info;
  ClientId owner = 0;  ///< goes with it
  std::uint64_t sandbox =
      0;  ///< an extension's worker, which its owner alone sees; 0: a hidden page, which everyone sees

  bool seen_by(ClientId client) const { return sandbox == 0 || client == owner; }
};

struct LoadedExtension {
  std::uint64_t sandbox = 0;  ///< what the browser calls the page in which its worker runs
  ClientId owner = 0;
  std::string path, id, name, version, worker;  ///< worker: the file's name
  std::string target{};                         ///< the worker's, once it runs
  std::optional<Ticket> asked{};                ///< who waits for it to be loaded
  std::vector<std::string> missing{};           ///< files still to be read; the worker's first, then content scripts
  std::string source{};                         ///< of the worker
  std::map<std::string, std::string> files{};   ///< content scripts by name
};

/// Clients' sockets, and among them those that the worker of a loaded extension has opened: their other end is in its
/// sandbox.
class WorkerSockets final : public Sockets {
 public:
  struct End {
    std::uint64_t sandbox = 0;
    std::int64_t number = 0;  ///< as the sandbox calls the socket
  };

  WorkerSockets(Sockets& outside, Transport& transport) : outside_(outside), transport_(transport) {}
  void send(ClientId client, std::string text) override;
  void close(ClientId client, std::uint16_t code, std::string_view reason) override;

  ClientId open(End end);
  void forget(ClientId client) { inside_.erase(client); }
  /// 0: there is none.
  ClientId find(std::uint64_t sandbox, std::int64_t number) const;
  std::vector<ClientId> of(std::uint64_t sandbox) const;

 private:
  /// Above any number that a door gives.
  static constexpr ClientId first = ClientId{1} << 62;

  Sockets& outside_;
  Transport& transport_;
  std::map<ClientId, End> inside_;
  ClientId last_ = first;
};

}  // namespace any::cdp
