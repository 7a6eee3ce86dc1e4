// One caller's socket, over a real task service: what becomes of its requests when something fails or it goes.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/json/serialize.hpp>

#include "api/rpc.hpp"
#include "async/loop.hpp"
#include "service/cdp_service.hpp"
#include "service/task_service.hpp"
#include "store/memory_store.hpp"
#include "unit/browser/played_socket.hpp"
#include "unit/service/fake_browsers.hpp"

namespace any::api {
namespace {

struct NoTaskCommands final : browser::TaskCommands {
  void start(task::SendStart const&) override {}
  void cancel(task::SendCancel const&) override {}
  void forget(task::SendForget const&) override {}
  void acknowledge(task::AckFinish const&) override {}
};

class RpcTest : public testing::Test {
 protected:
  ~RpcTest() override {
    tasks.stop();
    journal.close();
    pool.stop();
    io.abandon();
  }
  void begin(RpcLimits limits = {}) {
    auto const made =
        std::make_shared<RpcSession>(context, live, metrics, std::make_unique<browser::FakeSocket>(wire), limits);
    session = made;
    boost::asio::co_spawn(io, serve(made), boost::asio::detached);
  }
  static Async<void> serve(std::shared_ptr<RpcSession> kept) { co_await kept->serve(); }
  template <class Condition>
  bool until(Condition is_so) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > end) return false;
      io.restart();
      io.run_one_for(std::chrono::milliseconds(20));
    }
    return true;
  }
  boost::json::object const& answer(std::size_t count) {
    EXPECT_TRUE(until([&] { return wire.said.size() >= count; }));
    return wire.said.at(count - 1);
  }

  async::Loop io;
  boost::asio::executor_work_guard<async::Loop::executor_type> work{io.get_executor()};
  SystemClock clock;
  NoTaskCommands commands;
  store::Journal journal{std::make_unique<store::MemoryStore>(),
                         [this](std::function<void()> call) { boost::asio::post(io, std::move(call)); }};
  service::TaskService tasks{io, clock, journal, commands, task::Limits{}};
  service::FakeBrowsers browsers{io};
  async::Pool pool{io.get_executor()};
  service::CdpService cdp{io, clock, browsers, pool};
  Services services{.io = io,
                    .tasks = tasks,
                    .browsers = browsers,
                    .cdp = cdp,
                    .clock = clock,
                    .facts = []() -> Facts { throw std::runtime_error("it broke"); },
                    .shutdown = [] {}};
  RefusedExtensions refused;
  Live live;
  Metrics metrics;
  Context context{services, refused, false, metrics, live};
  browser::Wire wire{io};
  std::weak_ptr<RpcSession> session;
};

TEST_F(RpcTest, ARequestThatThrowsIsAnsweredAndItsPlaceIsFree) {
  begin({.requests = 1});
  wire.say(R"({"jsonrpc":"2.0","id":1,"method":"health"})");
  EXPECT_EQ(answer(1).at("id").as_int64(), 1);
  EXPECT_EQ(answer(1).at("error").at("data").at("name").as_string(), "InternalError");
  wire.say(R"({"jsonrpc":"2.0","id":2,"method":"browsers.list"})");
  EXPECT_TRUE(answer(2).contains("result")) << boost::json::serialize(answer(2));
  wire.end();
}

TEST_F(RpcTest, WhatACallerWaitsForEndsWhenItGoes) {
  begin();
  wire.say(R"({"jsonrpc":"2.0","id":1,"method":"tasks.submit","params":{"id":"t","script":"1","wait":300}})");
  wire.say(R"({"jsonrpc":"2.0","id":2,"method":"browsers.list"})");
  answer(1);
  ASSERT_TRUE(until([&] { return tasks.counts().queued == 1; }));
  ASSERT_FALSE(session.expired());
  wire.end();
  EXPECT_TRUE(until([&] { return session.expired(); })) << "its request is held to the end of its wait";
}

TEST_F(RpcTest, ARequestWhoseTimeIsOverIsAnsweredAndWhatItWaitsForEnds) {
  begin({.requests = 1, .time = std::chrono::seconds(0)});
  wire.say(R"({"jsonrpc":"2.0","id":1,"method":"tasks.submit","params":{"id":"t","script":"1","wait":300}})");
  EXPECT_EQ(answer(1).at("error").at("data").at("name").as_string(), "InternalError");
  ASSERT_TRUE(until([&] { return tasks.counts().queued == 1; }));
  wire.end();
  EXPECT_TRUE(until([&] { return session.expired(); }));
}

}  // namespace
}  // namespace any::api
