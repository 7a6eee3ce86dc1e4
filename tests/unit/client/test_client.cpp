#include <any/client.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "unit/net/fixture.hpp"
#include "wire/envelope.hpp"

namespace any {
namespace {

using namespace std::chrono_literals;
using net::Exchange;
using net::WebSocket;

// A daemon that knows one task: it ends when it is asked for the second time.
class ClientTest : public net::ServerTest {
 protected:
  void SetUp() override {
    serve_rpc();
    options.daemon = url("");
    options.state_dir = "/nonexistent";
  }
  void serve_rpc() {
    serve([this](Exchange& exchange) { return converse(exchange); });
  }
  Async<void> converse(Exchange& exchange) {
    authorization = exchange.head().header("authorization");
    path = exchange.head().path;
    if (refuse) {
      net::Response response{401, "application/json", R"({"error":{"name":"UnauthorizedError","message":"a token"}})"};
      co_await exchange.respond(std::move(response));
      co_return;
    }
    auto accepted = co_await exchange.accept({});
    auto const socket = std::move(*accepted);
    for (;;) {
      auto const message = co_await socket->receive();
      if (message.has_error()) co_return;
      auto const envelope = wire::read_envelope(*message);
      if (envelope.has_value()) answer(*socket, *envelope);
    }
  }
  void answer(WebSocket& socket, wire::Envelope const& asked) {
    heard.emplace_back(std::string{asked.method} + " " + std::string{asked.params});
    auto const event = [&](int seq, std::string const& kind) {
      socket.send(wire::notification("task.event",
                                     R"({"task":"t","seq":)" + std::to_string(seq) + R"(,"kind":")" + kind + "\"}"));
    };
    if (asked.method == "silence") return;
    if (asked.method == "drop") return socket.abort();
    if (asked.method == "fail") {
      socket.send(wire::error(asked.id, {ErrorName::NotFoundError, "no such thing"}));
    } else if (asked.method == "tasks.submit") {
      socket.send(wire::result(asked.id, R"({"id":"t","state":"queued"})"));
    } else if (asked.method == "tasks.watch") {
      socket.send(wire::result(asked.id, R"({"watching":true})"));
      for (auto const& [seq, kind] : {std::pair{1, "queued"}, std::pair{2, "progress"}, std::pair{3, "end"}})
        if (asked.params.find("\"after\":" + std::to_string(seq)) == std::string_view::npos) event(seq, kind);
    } else if (asked.method == "tasks.get") {
      socket.send(wire::result(asked.id, asked_before++ > 0 ? record : R"({"id":"t","state":"running"})"));
    } else if (asked.method == "logs.watch") {
      socket.send(wire::result(asked.id, "{}"));
      for (int i = 1; i < 4; ++i) socket.send(wire::notification("log.line", "{\"seq\":" + std::to_string(i) + "}"));
    } else {
      socket.send(wire::result(asked.id, asked.params.empty() ? "null" : asked.params));
    }
  }
  template <class F>
  static Failure failure_of(F act) {
    try {
      act();
    } catch (Failure const& failure) {
      return failure;
    }
    return Failure{"none", "it did not fail", "{}"};
  }

  ClientOptions options;
  bool refuse = false;
  int asked_before = 0;
  std::string record = R"({"id":"t","state":"completed","result":{"n":[1,2]},"result_type":"json"})";
  std::string authorization, path;
  std::vector<std::string> heard;
};

TEST_F(ClientTest, CallsAnyMethodAndGivesItsRawResult) {
  Client client{options};
  EXPECT_EQ(path, "/v1/rpc");
  EXPECT_EQ(client.call("echo", R"({"a": [1, 2.50]})"), R"({"a": [1, 2.50]})");
  EXPECT_TRUE(client.connected());
}

TEST_F(ClientTest, ThrowsTheDaemonsOwnError) {
  Client client{options};
  auto const failure = failure_of([&] { client.call("fail"); });
  EXPECT_EQ(failure.name(), "NotFoundError");
  EXPECT_STREQ(failure.what(), "no such thing");
}

TEST_F(ClientTest, RunsAScriptAndSeesItsEventsInOrder) {
  Client client{options};
  std::vector<std::string> kinds;
  TaskOptions task;
  task.args = R"({"pages":3})";
  task.tab = Tab::open("https://a/\"");
  task.timeout = 1500ms;
  task.queue_timeout = std::nullopt;
  task.labels["k"] = "v";
  auto const result = client.run("return args", task, [&](Event const& event) { kinds.push_back(event.kind); });
  EXPECT_EQ(result, R"({"n":[1,2]})");
  EXPECT_EQ(kinds, (std::vector<std::string>{"queued", "progress", "end"}));
  EXPECT_EQ(
      heard.at(0),
      R"(tasks.submit {"tab":{"open":"https://a/\"","background":true,"keep":false},"frame":"main","world":"main",)"
      R"("timeout":1.500,"queue_timeout":null,"retries":0,"priority":0,"labels":{"k":"v"},"args":{"pages":3},"script":"return args"})");
}

TEST_F(ClientTest, TellsUndefinedFromNull) {
  Client client{options};
  record = R"({"id":"t","state":"completed","result":null,"result_type":"undefined"})";
  EXPECT_EQ(client.run("return"), std::nullopt);
  record = R"({"id":"t","state":"completed","result":null,"result_type":"json"})";
  EXPECT_EQ(client.run("return null"), "null");
}

TEST_F(ClientTest, ThrowsTheErrorOfTheTask) {
  record = R"({"id":"t","state":"failed","result":null,"error":{"name":"ScriptError","message":"boom","line":3}})";
  Client client{options};
  auto const failure = failure_of([&] { client.run("throw 1"); });
  EXPECT_EQ(failure.name(), "ScriptError");
  EXPECT_NE(failure.json().find("\"line\":3"), std::string::npos);
}

TEST_F(ClientTest, GivesUpWaitingForAResultInTime) {
  record = R"({"id":"t","state":"running"})";
  Client client{options};
  auto task = client.submit("for(;;);");
  auto const failure = failure_of([&] { task.result(50ms); });
  EXPECT_EQ(failure.name(), "TimeoutError");
  EXPECT_NE(failure.json().find("\"state\":\"running\""), std::string::npos);
}

TEST_F(ClientTest, RefusesOptionsThatAreNotJson) {
  Client client{options};
  TaskOptions task;
  task.args = "1,\"script\":2";
  EXPECT_EQ(failure_of([&] { client.submit("x", task); }).name(), "BadRequestError");
  task.args = "{";
  EXPECT_EQ(failure_of([&] { client.submit("x", task); }).name(), "BadRequestError");
  EXPECT_TRUE(heard.empty());
}

TEST_F(ClientTest, ThrowsTimeoutWhereNoAnswerComes) {
  Client client{options};
  auto const start = std::chrono::steady_clock::now();
  EXPECT_EQ(failure_of([&] { client.call("silence", "{}", 100ms); }).name(), "TimeoutError");
  EXPECT_GE(std::chrono::steady_clock::now() - start, 100ms);
  EXPECT_EQ(client.call("echo", "[1]"), "[1]");
}

TEST_F(ClientTest, IsInterruptedFromAnotherThread) {
  Client client{options};
  std::thread other{[&] {
    eventually([&] { return loop.call([&] { return !heard.empty(); }); });
    client.interrupt();
  }};
  EXPECT_EQ(failure_of([&] { client.call("silence", "{}", std::nullopt); }).name(), "Interrupted");
  other.join();
  EXPECT_EQ(client.call("echo", "[2]"), "[2]");
}

Client* interrupted = nullptr;

TEST_F(ClientTest, IsInterruptedByASignal) {
  Client client{options};
  interrupted = &client;
  auto const before = std::signal(SIGUSR1, [](int) { interrupted->interrupt(); });
  auto const self = ::pthread_self();
  std::thread other{[&] {
    eventually([&] { return loop.call([&] { return !heard.empty(); }); });
    ::pthread_kill(self, SIGUSR1);
  }};
  EXPECT_EQ(failure_of([&] { client.call("silence", "{}", std::nullopt); }).name(), "Interrupted");
  other.join();
  std::signal(SIGUSR1, before);
}

TEST_F(ClientTest, SaysThatTheDaemonHasGoneAndConnectsAnew) {
  Client client{options};
  EXPECT_EQ(failure_of([&] { client.call("drop"); }).name(), "UnavailableError");
  EXPECT_FALSE(client.connected());
  client.connect();
  EXPECT_EQ(client.call("echo", "[3]"), "[3]");
}

TEST_F(ClientTest, WaitsOutALostConnectionForAResult) {
  Client client{options};
  std::vector<std::uint64_t> seen;
  auto task = client.submit("x", {}, [&](Event const& event) { seen.push_back(event.seq); });
  EXPECT_EQ(failure_of([&] { client.call("drop"); }).name(), "UnavailableError");
  EXPECT_EQ(task.result(10s), R"({"n":[1,2]})");
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_F(ClientTest, FollowsTheLogUntilItIsToldToStop) {
  Client client{options};
  int lines = 0;
  client.follow_logs([&](std::string_view) { return ++lines < 2; });
  EXPECT_EQ(lines, 2);
}

TEST_F(ClientTest, LetsAHandlerCall) {
  Client client{options};
  std::string inner;
  client.run("x", {}, [&](Event const& event) {
    if (event.kind == "progress") inner = client.call("echo", "[4]");
  });
  EXPECT_EQ(inner, "[4]");
}

TEST_F(ClientTest, SendsTheTokenOfTheStateFolder) {
  auto const folder = std::filesystem::temp_directory_path() / ("any-client-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream{folder / "token"} << "abc\n";
  options.state_dir = folder.string();
  { Client const client{options}; }
  EXPECT_EQ(authorization, "Bearer abc");
  options.token = "given";
  { Client const client{options}; }
  EXPECT_EQ(authorization, "Bearer given");
  std::filesystem::remove_all(folder);
}

TEST_F(ClientTest, SaysWhyItCannotConnect) {
  refuse = true;
  EXPECT_EQ(failure_of([&] { Client const client{options}; }).name(), "UnauthorizedError");
  options.daemon = "http://127.0.0.1:1";
  EXPECT_EQ(failure_of([&] { Client const client{options}; }).name(), "UnavailableError");
}

}  // namespace
}  // namespace any
