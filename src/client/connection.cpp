#include "client/connection.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <cerrno>
#include <charconv>

#include "async/spawn.hpp"
#include "wire/envelope.hpp"

namespace any::client {
namespace {

// A result has up to 128 MiB; a record carries more besides.
constexpr net::SocketLimits limits{.max_message = std::size_t{256} << 20, .max_queue = std::size_t{256} << 20};

std::optional<std::uint64_t> number(std::string_view raw) {
  std::uint64_t value = 0;
  auto const [end, failed] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  return failed == std::errc{} && end == raw.data() + raw.size() ? std::optional{value} : std::nullopt;
}

}  // namespace

Connection::Connection(std::string daemon, std::string token, Handler handler)
    : daemon_{std::move(daemon)}, token_{std::move(token)}, handler_{std::move(handler)}, interruption_{io_} {
  auto const event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0) throw std::system_error{errno, std::generic_category(), "eventfd"};
  interruption_.assign(event);
}

Connection::~Connection() {
  if (!link_) return;
  link_->socket->close(1000, "");
  // The goodbye is given a moment; a daemon that does not answer it is not waited for.
  auto const end = std::chrono::steady_clock::now() + std::chrono::milliseconds{200};
  while (link_->lost.empty() && std::chrono::steady_clock::now() < end) {
    io_.restart();
    io_.run_one_until(end);
  }
  link_->socket->abort();
  io_.restart();
  io_.poll();
}

Result<void> Connection::open() {
  std::vector<net::Header> headers;
  if (!token_.empty()) headers.push_back({"Authorization", "Bearer " + token_});
  Result<std::unique_ptr<net::WebSocket>> opened = Error{ErrorName::UnavailableError, "not tried yet"};
  auto done = false;
  auto connecting = net::connect_websocket(daemon_ + "/v1/rpc", std::move(headers), limits);
  boost::asio::co_spawn(io_, std::move(connecting),
                        [&](std::exception_ptr thrown, Result<std::unique_ptr<net::WebSocket>> result) {
                          if (!thrown) opened = std::move(result);
                          done = true;
                        });
  io_.restart();
  while (!done) io_.run_one();
  if (opened.has_error()) return opened.error();
  link_ = std::make_shared<Link>();
  link_->socket = std::move(*opened);
  async::spawn(io_.get_executor(), "reading from the daemon", read(link_));
  return {};
}

Async<void> Connection::read(std::shared_ptr<Link> link) {
  for (;;) {
    auto const message = co_await link->socket->receive();
    if (message.has_error()) {
      link->lost = message.error().message;
      co_return;
    }
    take(*link, *message);
  }
}

void Connection::take(Link& link, std::string_view text) {
  using Kind = wire::Envelope::Kind;
  auto const envelope = wire::read_envelope(text);
  if (envelope.has_error() || envelope->kind == Kind::invalid || envelope->kind == Kind::request) return;
  if (envelope->kind == Kind::notification) {
    link.notifications.push_back({std::string{envelope->method}, std::string{envelope->params}});
    return;
  }
  auto const id = number(envelope->id);
  auto const found = id ? link.calls.find(*id) : link.calls.end();
  if (found == link.calls.end()) return;  // nobody waits for it any more
  if (envelope->kind == Kind::response) {
    found->second.emplace(std::string{envelope->result});
  } else {
    found->second.emplace(wire::read_error(envelope->error));
  }
}

void Connection::dispatch() {
  // By steps, each from the queue's front: a handler may call, which dispatches too.
  auto const link = link_;
  while (link && !link->notifications.empty()) {
    auto const notification = std::move(link->notifications.front());
    link->notifications.pop_front();
    handler_(notification);
  }
}

bool Connection::take_interruption() {
  std::uint64_t count = 0;
  return ::read(interruption_.native_handle(), &count, sizeof count) == sizeof count;
}

void Connection::interrupt() noexcept {
  auto const before = errno;
  std::uint64_t const one = 1;
  [[maybe_unused]] auto const written = ::write(interruption_.native_handle(), &one, sizeof one);
  errno = before;
}

Connection::Waited Connection::await(std::function<bool()> const& done, std::optional<TimePoint> end) {
  // The loop must wake for an interruption: the handler itself does nothing.
  auto waiting = std::make_shared<bool>(false);
  for (;;) {
    dispatch();
    if (done()) return Waited::done;
    if (!connected()) return Waited::lost;
    if (take_interruption()) return Waited::interrupted;
    if (end && std::chrono::steady_clock::now() >= *end) return Waited::late;
    if (!*waiting) {
      *waiting = true;
      interruption_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                               [waiting](boost::system::error_code) { *waiting = false; });
    }
    io_.restart();
    if (end) {
      io_.run_one_until(*end);
    } else {
      io_.run_one();
    }
  }
}

Result<std::string> Connection::call(std::string_view method, std::string_view params, std::optional<TimePoint> end) {
  auto const link = link_;
  auto const what = std::string{method};
  if (!connected()) return error_of(Waited::lost, what);
  auto const id = ++last_id_;
  link->calls.emplace(id, std::nullopt);
  // Not `link_`: a handler may have connected anew meanwhile.
  auto const answered = [&] { return link->calls.at(id).has_value() || link_ != link; };
  auto const sent = link->socket->send(wire::request(id, method, params));
  auto const waited = sent ? await(answered, end) : Waited::lost;
  auto answer = std::move(link->calls.at(id));
  link->calls.erase(id);
  if (answer) return std::move(*answer);
  return error_of(waited == Waited::done ? Waited::lost : waited, what);
}

Error Connection::error_of(Waited waited, std::string_view what) const {
  switch (waited) {
    case Waited::late:
      return {ErrorName::TimeoutError, std::string{what} + ": no answer in time."};
    case Waited::interrupted:
      return {ErrorName::CancelledError, "Interrupted.", {{"interrupted", true}}};
    default:
      return {ErrorName::UnavailableError, "The connection to the daemon at " + daemon_ + " is lost" +
                                               (link_ && !link_->lost.empty() ? ": " + link_->lost : ".")};
  }
}

}  // namespace any::client
