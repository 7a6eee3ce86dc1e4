// The sockets that an extension's worker opens in its sandbox: clients of this gateway like any other, but for their
// way.

#include "cdp/impl.hpp"

namespace any::cdp {

namespace {

constexpr std::uint16_t policy_violation = 1008;

std::string about(WorkerSockets::End const& end) {
  return R"({"sandbox":)" + std::to_string(end.sandbox) + R"(,"socket":)" + std::to_string(end.number);
}

std::string closed(WorkerSockets::End const& end, std::uint16_t code, std::string_view reason) {
  return about(end) + R"(,"state":"closed","code":)" + std::to_string(code) + R"(,"reason":)" + wire::quote(reason) +
         "}";
}

/// An address without its scheme.
std::string_view place(std::string_view url) {
  auto const at = url.find("://");
  return at == std::string_view::npos ? url : url.substr(at + 3);
}

void unheard(Answer const&) {}

}  // namespace

void WorkerSockets::send(ClientId client, std::string text) {
  if (client <= first) return outside_.send(client, std::move(text));
  auto const found = inside_.find(client);
  if (found == inside_.end()) return;
  transport_.sandbox("sandbox.message", about(found->second) + R"(,"data":)" + wire::quote(text) + "}", unheard);
}

void WorkerSockets::close(ClientId client, std::uint16_t code, std::string_view reason) {
  if (client <= first) return outside_.close(client, code, reason);
  auto const ending = inside_.extract(client);
  if (!ending.empty()) transport_.sandbox("sandbox.socket", closed(ending.mapped(), code, reason), unheard);
}

ClientId WorkerSockets::open(End end) {
  auto const client = ++last_;
  inside_.emplace(client, end);
  transport_.sandbox("sandbox.socket", about(end) + R"(,"state":"open"})", unheard);
  return client;
}

ClientId WorkerSockets::find(std::uint64_t sandbox, std::int64_t number) const {
  for (auto const& [client, end] : inside_) {
    if (end.sandbox == sandbox && end.number == number) return client;
  }
  return 0;
}

std::vector<ClientId> WorkerSockets::of(std::uint64_t sandbox) const {
  std::vector<ClientId> all;
  for (auto const& [client, end] : inside_) {
    if (end.sandbox == sandbox) all.push_back(client);
  }
  return all;
}

void Gateway::Impl::worker_dials(LoadedExtension const& extension, std::int64_t number, std::string_view url) {
  auto const* const owner = client(extension.owner);
  if (!owner || worker_sockets.find(extension.sandbox, number) != 0) return;
  if (owner->entry.url.empty() || place(url) != place(owner->entry.url)) {
    transport.sandbox(
        "sandbox.socket",
        closed({extension.sandbox, number}, policy_violation, "it may open no other socket than its client's own"),
        unheard);
    return;
  }
  auto entry = owner->entry;
  open(worker_sockets.open({extension.sandbox, number}), std::move(entry));
}

void Gateway::Impl::worker_hangs_up(ClientId socket) {
  worker_sockets.forget(socket);
  gone(socket);
}

void Gateway::Impl::close_worker_sockets(std::uint64_t sandbox) {
  for (auto const socket : worker_sockets.of(sandbox)) worker_hangs_up(socket);
}

}  // namespace any::cdp
