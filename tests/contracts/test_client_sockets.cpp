// What whoever speaks to the gateway's clients keeps (cdp::Sockets): the double that the gateway's tests stand on, and
// the daemon's own.
#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/serialize.hpp>

#include "service/cdp_service.hpp"
#include "unit/browser/played_socket.hpp"
#include "unit/cdp/fake_transport.hpp"
#include "unit/service/fake_browsers.hpp"

namespace any::contracts {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Clients 1 and 2 are there.
class Rig {
 public:
  virtual ~Rig() = default;
  virtual cdp::Sockets& sockets() = 0;
  /// What the client has heard; last the goodbye, as "1001 why".
  virtual std::vector<std::string> heard(cdp::ClientId client) = 0;
  /// How many clients the gateway knows; of a double, whose gateway is the test, both.
  virtual std::size_t known() { return 2; }
  virtual void settle() {}
};

class DoubleRig final : public Rig {
 public:
  cdp::Sockets& sockets() override { return sockets_; }
  std::vector<std::string> heard(cdp::ClientId client) override {
    std::vector<std::string> all(sockets_.sent[client].begin(), sockets_.sent[client].end());
    if (sockets_.closed.contains(client)) all.push_back(sockets_.closed[client]);
    return all;
  }

 private:
  cdp::test::FakeSockets sockets_;
};

class BridgeRig final : public Rig {
 public:
  BridgeRig() {
    browsers_.infos.resize(1);
    browsers_.infos[0].id = "b";
    browsers_.infos[0].linked = true;
    browsers_.answer = [](std::string_view, std::string_view) { return std::string(R"({"value":[]})"); };
    bridge_->link_up(service::cdp_facts(browsers_.infos[0]));
    for (cdp::ClientId client = 1; client <= 2; ++client) {
      auto socket = std::make_unique<browser::FakeSocket>(wires_.emplace(client, io_).first->second);
      boost::asio::co_spawn(io_, bridge_->serve(client, {}, std::move(socket), "a program"), boost::asio::detached);
    }
    BridgeRig::settle();
  }
  ~BridgeRig() override {
    for (auto& [client, wire] : wires_) wire.end();
    BridgeRig::settle();
  }
  cdp::Sockets& sockets() override { return *bridge_; }
  std::vector<std::string> heard(cdp::ClientId client) override {
    std::vector<std::string> all;
    auto const found = wires_.find(client);
    if (found == wires_.end()) return all;
    for (auto const& message : found->second.said) all.push_back(boost::json::serialize(message));
    if (found->second.closed) all.push_back(std::to_string(*found->second.closed) + " " + found->second.reason);
    return all;
  }
  std::size_t known() override { return bridge_->gateway().counts().clients; }
  void settle() override {
    io_.restart();
    while (io_.poll() > 0) {
    }
  }

 private:
  boost::asio::io_context io_{1};
  SystemClock clock_;
  service::FakeBrowsers browsers_{io_};
  async::Pool pool_{io_.get_executor()};
  service::FileMover mover_{pool_};
  std::map<cdp::ClientId, browser::Wire> wires_;
  std::shared_ptr<service::CdpBridge> bridge_ = std::make_shared<service::CdpBridge>(
      "b", io_.get_executor(), clock_, browsers_, mover_, [] {}, cdp::Limits{}, service::CdpBridge::Times{});
};

template <class Made>
class ClientSockets : public testing::Test {
 protected:
  Made rig;
};
using Made = testing::Types<DoubleRig, BridgeRig>;
class Name {
 public:
  template <class Rig>
  static std::string GetName(int) {
    return std::is_same_v<Rig, DoubleRig> ? "double" : "bridge";
  }
};
TYPED_TEST_SUITE(ClientSockets, Made, Name);

TYPED_TEST(ClientSockets, each_client_hears_what_it_is_sent_in_its_order) {
  this->rig.sockets().send(1, R"({"n":1})");
  this->rig.sockets().send(2, R"({"n":2})");
  this->rig.sockets().send(1, R"({"n":3})");
  EXPECT_THAT(this->rig.heard(1), ElementsAre(R"({"n":1})", R"({"n":3})"));
  EXPECT_THAT(this->rig.heard(2), ElementsAre(R"({"n":2})"));
}

TYPED_TEST(ClientSockets, a_goodbye_comes_after_what_was_sent_and_is_the_last_that_is_heard) {
  this->rig.sockets().send(1, R"({"n":1})");
  this->rig.sockets().close(1, 1001, "the browser is gone");
  this->rig.sockets().send(1, R"({"n":2})");
  this->rig.sockets().close(1, 1008, "again");
  this->rig.settle();
  this->rig.sockets().send(1, R"({"n":3})");
  EXPECT_THAT(this->rig.heard(1), ElementsAre(R"({"n":1})", "1001 the browser is gone"));
  this->rig.sockets().send(2, R"({"n":4})");
  EXPECT_THAT(this->rig.heard(2), ElementsAre(R"({"n":4})"));
}

TYPED_TEST(ClientSockets, the_gateway_is_told_of_nothing_before_a_call_has_returned) {
  this->rig.sockets().close(1, 1001, "the browser is gone");
  EXPECT_EQ(this->rig.known(), 2U);
}

}  // namespace
}  // namespace any::contracts
