#pragma once
// An extension that a client loads over CDP, as Stagehand 4 does. None is loaded into the person's browser: its worker
// runs in a sandbox, a sandboxed page of our own extension, and is to its client alone what it would be in Chrome.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdp/protocol/command.hpp"

namespace any::cdp {

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

/// The extensions that clients have loaded, or are loading, by their sandboxes.
class LoadedExtensions {
 public:
  using BySandbox = std::map<std::uint64_t, LoadedExtension>;

  LoadedExtension* find(std::uint64_t sandbox) {
    auto const found = by_sandbox_.find(sandbox);
    return found == by_sandbox_.end() ? nullptr : &found->second;
  }
  /// One that runs; nullptr: the client has none of that id.
  LoadedExtension const* find_running(ClientId owner, std::string_view id) const {
    for (auto const& [sandbox, each] : by_sandbox_) {
      if (each.owner == owner && each.id == id && !each.target.empty()) return &each;
    }
    return nullptr;
  }
  std::vector<std::uint64_t> of(ClientId owner) const {
    std::vector<std::uint64_t> sandboxes;
    for (auto const& [sandbox, each] : by_sandbox_) {
      if (each.owner == owner) sandboxes.push_back(sandbox);
    }
    return sandboxes;
  }
  /// It is given a sandbox that no other ever had.
  LoadedExtension& add(LoadedExtension made) {
    made.sandbox = ++last_;
    return by_sandbox_[made.sandbox] = std::move(made);
  }
  std::optional<LoadedExtension> take(std::uint64_t sandbox) {
    auto node = by_sandbox_.extract(sandbox);
    return node.empty() ? std::nullopt : std::optional(std::move(node.mapped()));
  }
  BySandbox take_all() { return std::exchange(by_sandbox_, {}); }
  BySandbox::const_iterator begin() const { return by_sandbox_.begin(); }
  BySandbox::const_iterator end() const { return by_sandbox_.end(); }

 private:
  BySandbox by_sandbox_;
  std::uint64_t last_ = 0;
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
