#pragma once
// A server on loopback in a thread of its own, and blocking clients in the test's.

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <future>
#include <string>
#include <thread>

#include "net/http_client.hpp"
#include "net/http_server.hpp"

namespace any::net {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

/// An io_context that runs in a thread until it is told to stop.
class Loop {
 public:
  Loop() : work_{io.get_executor()}, thread_{[this] { io.run(); }} {}
  Loop(Loop const&) = delete;
  Loop& operator=(Loop const&) = delete;
  ~Loop() { stop(); }
  void stop() {
    work_.reset();
    io.stop();
    if (thread_.joinable()) thread_.join();
  }
  /// What the coroutine answers.
  template <class T>
  T wait(Async<T> running) {
    return asio::co_spawn(io, std::move(running), asio::use_future).get();
  }
  /// What `function` answers, called on the loop's thread.
  template <class F>
  auto call(F function) {
    std::promise<decltype(function())> answer;
    auto future = answer.get_future();
    asio::post(io, [&] { answer.set_value(function()); });
    return future.get();
  }

  asio::io_context io{1};

 private:
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

class ServerTest : public testing::Test {
 protected:
  using Handle = std::function<Async<void>(Exchange&)>;

  void serve(Handle handle, ServerLimits limits = {}, std::function<std::optional<Response>(Head const&)> admit = {}) {
    Handler handler;
    handler.admit = std::move(admit);
    handler.handle = std::move(handle);
    handler.failure = [](Error const& error) {
      return Response{http_status(error.name), "text/plain", std::string{to_string(error.name)} + ": " + error.message};
    };
    auto const listening = loop.call([&] {
      server = std::make_unique<HttpServer>(loop.io, std::move(handler), limits);
      return server->listen("127.0.0.1:0");
    });
    ASSERT_TRUE(listening.has_value()) << listening.error().message;
    port = *listening;
  }
  void TearDown() override {
    if (server) {
      loop.call([&] {
        server.reset();
        return 0;
      });
    }
    loop.stop();
  }

  tcp::socket connect() {
    tcp::socket socket{clients};
    socket.connect({asio::ip::address_v4::loopback(), port});
    return socket;
  }
  static void say(tcp::socket& socket, std::string_view text) {
    asio::write(socket, asio::buffer(text.data(), text.size()));
  }
  /// All that comes until the server closes.
  static std::string hear(tcp::socket& socket) {
    std::string text;
    boost::system::error_code ended;
    asio::read(socket, asio::dynamic_buffer(text), ended);
    return ended == asio::error::eof ? text : text + "\n[" + ended.message() + "]";
  }
  /// What comes until `end` has come too.
  static std::string hear_until(tcp::socket& socket, std::string_view end) {
    std::string text;
    boost::system::error_code ended;
    while (text.find(end) == std::string::npos && !ended) {
      char part[4096];
      auto const count = socket.read_some(asio::buffer(part), ended);
      text.append(part, count);
    }
    return text;
  }
  std::string ask(std::string_view request) {
    auto socket = connect();
    say(socket, request);
    return hear(socket);
  }
  std::string url(std::string_view path) const {
    return "http://127.0.0.1:" + std::to_string(port) + std::string{path};
  }
  std::size_t connections() {
    return loop.call([&] { return server->connections(); });
  }
  /// Until the condition holds; false if it does not within `patience`.
  static bool eventually(std::function<bool()> condition, std::chrono::seconds patience = std::chrono::seconds{10}) {
    auto const end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    return true;
  }

  Loop loop;
  asio::io_context clients;
  std::unique_ptr<HttpServer> server;
  std::uint16_t port = 0;
};

inline Async<void> echo(Exchange& exchange) {
  Response response{200, "text/plain", exchange.head().method + " " + exchange.head().path + "|" + exchange.body()};
  co_await exchange.respond(std::move(response));
}

}  // namespace any::net
