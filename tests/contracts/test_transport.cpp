// What every way to a browser keeps (cdp::Transport): the doubles that the gateway's tests and its simulation stand on,
// and the daemon's own, over a double of the browsers and over a link whose other end is played by hand.
#include <gmock/gmock.h>

#include <regex>

#include "contracts/played_extension.hpp"
#include "service/cdp_service.hpp"
#include "sim/cdp_browser.hpp"
#include "unit/cdp/fake_transport.hpp"
#include "unit/service/fake_browsers.hpp"

namespace any::contracts {
namespace {

using service::CdpBridge;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// One transport, with the browser at its other end played by hand. It begins linked.
class Rig {
 public:
  virtual ~Rig() = default;
  virtual cdp::Transport& transport() = 0;
  /// Lets what is on its way arrive.
  virtual void settle() = 0;
  /// The oldest call that the browser has not answered.
  virtual void answer(std::string value) = 0;
  virtual void refuse(cdp::Failure failure) = 0;
  virtual void lose(std::string why) = 0;
  virtual void come_back() = 0;
  /// The chrome.* events that the browser would tell now.
  virtual std::set<std::string> subscribed() = 0;
  /// Called when the gateway is told of the loss.
  std::function<void(std::string_view why)> on_loss;
};

class DoubleRig final : public Rig {
 public:
  cdp::Transport& transport() override { return transport_; }
  void settle() override { transport_.settle(); }
  void answer(std::string value) override { oldest().done(std::string_view(value)); }
  void refuse(cdp::Failure failure) override { oldest().done(failure); }
  void lose(std::string why) override { transport_.link_down(*this, why); }
  void come_back() override { transport_.link_up(*this, {}); }
  std::set<std::string> subscribed() override { return transport_.subscribed; }
  void link_down(std::string_view why) { on_loss(why); }
  void link_up(cdp::Facts const&) {}

 private:
  cdp::test::Asked oldest() {
    auto asked = std::move(transport_.waiting.front());
    transport_.waiting.pop_front();
    return asked;
  }
  cdp::test::FakeTransport transport_;
};

class SimulatedRig final : public Rig {
 public:
  SimulatedRig() {
    browser_.calm = true;
    browser_.link_up();
  }
  cdp::Transport& transport() override { return browser_; }
  void settle() override {
    if (!browser_.linked()) all();
  }
  void answer(std::string) override { all(); }
  void refuse(cdp::Failure) override { all(); }
  void lose(std::string why) override {
    browser_.link_down([this, why] { on_loss(why); });
  }
  void come_back() override { browser_.link_up(); }
  std::set<std::string> subscribed() override { return browser_.subscribed(); }

 private:
  void all() {
    while (browser_.deliver()) {
    }
  }
  cdp::sim::Random random_{1};
  cdp::sim::Browser browser_{random_, false};
};

/// What is subscribed to after those requests of the bridge.
std::set<std::string> subscribed_by(std::vector<std::string> const& asked) {
  std::set<std::string> all;
  std::regex const pattern(R"re(chrome\.(un)?subscribe \{"path":"(.*)"\})re");
  for (auto const& request : asked) {
    std::smatch match;
    if (!std::regex_match(request, match, pattern)) continue;
    match[1].matched ? (void)all.erase(match[2]) : (void)all.insert(match[2]);
  }
  return all;
}

/// The daemon's own transport, told of the link as CdpService tells it.
class BridgeRig : public Rig, public browser::CdpEvents {
 public:
  cdp::Transport& transport() override { return *bridge_; }
  void settle() override {
    io_.restart();
    while (io_.poll() > 0) {
    }
  }
  void link_up(browser::Info const& info) override { bridge_->link_up(service::cdp_facts(info)); }
  void link_down(std::string const&, std::string_view why) override {
    on_loss(why);
    bridge_->link_down(why);
  }
  void changed(browser::Info const&) override {}
  void debugger_event(std::string const&, std::string_view) override {}
  void chrome_event(std::string const&, std::string_view) override {}

 protected:
  void make_bridge(browser::Browsers& browsers, std::string const& id) {
    bridge_ = std::make_shared<CdpBridge>(
        id, io_.get_executor(), clock_, browsers, files_, [] {}, cdp::Limits{}, CdpBridge::Times{});
  }
  static Error as_told(cdp::Failure const& failure) {
    Error error{ErrorName::InternalError, "Chrome refused."};
    error.extra["cdp"] = {{"code", failure.code}, {"message", failure.message}, {"data", failure.data}};
    return error;
  }

  boost::asio::io_context io_{1};
  SystemClock clock_;

 private:
  async::Pool pool_{io_.get_executor()};
  service::FileMover files_{pool_};

 protected:
  std::shared_ptr<CdpBridge> bridge_;
};

class BrowsersRig final : public BridgeRig {
 public:
  BrowsersRig() {
    browsers_.infos.resize(1);
    browsers_.infos[0].id = "b";
    browsers_.tell(*this);
    make_bridge(browsers_, "b");
    BrowsersRig::come_back();
  }
  void answer(std::string value) override { browsers_.reply("b", std::string_view(R"({"value":)" + value + "}")); }
  void refuse(cdp::Failure failure) override { browsers_.reply("b", as_told(failure)); }
  void lose(std::string why) override {
    lost_ = browsers_.asked.size();
    browsers_.lose(browsers_.infos[0], why);
  }
  void come_back() override { browsers_.link(browsers_.infos[0]); }
  std::set<std::string> subscribed() override {
    return subscribed_by({browsers_.asked.begin() + static_cast<std::ptrdiff_t>(lost_), browsers_.asked.end()});
  }

 private:
  service::FakeBrowsers browsers_{io_};
  std::size_t lost_ = 0;
};

class LinkRig final : public BridgeRig {
 public:
  LinkRig() {
    make_bridge(bench_.registry, extension_.id());
    extension_.link();
  }
  void settle() override { extension_.settle(); }
  void answer(std::string value) override { extension_.answer(R"({"value":)" + value + "}"); }
  void refuse(cdp::Failure failure) override { extension_.refuse(as_told(failure)); }
  void lose(std::string) override {
    extension_.cut();
    lost_ = extension_.all().size();
  }
  void come_back() override { extension_.link(); }
  std::set<std::string> subscribed() override {
    extension_.settle();
    auto const& all = extension_.all();
    return subscribed_by({all.begin() + static_cast<std::ptrdiff_t>(lost_), all.end()});
  }

 private:
  RegistryBench bench_{io_, *this};
  PlayedExtension extension_{bench_};
  std::size_t lost_ = 0;
};

template <class Made>
class Transport : public testing::Test {
 protected:
  Transport() {
    rig.on_loss = [this](std::string_view) { heard.emplace_back("the link is lost"); };
  }
  cdp::Answered note(std::string name) {
    return [this, name = std::move(name)](cdp::Answer const& answer) {
      heard.push_back(name + ": " + (answer ? std::string(*answer) : std::to_string(answer.error().code)));
      if (!answer) failures.push_back(answer.error());
    };
  }
  void ask(std::string name) { rig.transport().send({.tab = 1}, "", "Runtime.evaluate", "{}", note(std::move(name))); }
  void ask_each_kind() {
    rig.transport().attach({.tab = 1}, note("attach"));
    ask("send");
    rig.transport().chrome("tabs.query", "[{}]", note("chrome"));
    rig.transport().sandbox("sandbox.open", "{}", note("sandbox"));
  }

  std::vector<std::string> heard;
  std::vector<cdp::Failure> failures;
  Made rig;
};

class Name {
 public:
  template <class Made>
  static std::string GetName(int) {
    if (std::is_same_v<Made, DoubleRig>) return "double";
    if (std::is_same_v<Made, SimulatedRig>) return "simulated";
    return std::is_same_v<Made, BrowsersRig> ? "browsers" : "link";
  }
};
using Transports = testing::Types<DoubleRig, SimulatedRig, BrowsersRig, LinkRig>;
TYPED_TEST_SUITE(Transport, Transports, Name);

/// Those whose browser answers what the test says.
template <class Made>
class PlayedTransport : public Transport<Made> {};
using PlayedTransports = testing::Types<DoubleRig, BrowsersRig, LinkRig>;
TYPED_TEST_SUITE(PlayedTransport, PlayedTransports, Name);

std::string const lost = std::to_string(cdp::link_lost);

TYPED_TEST(PlayedTransport, answers_come_as_the_browser_gave_them) {
  this->ask("a");
  this->ask("b");
  this->rig.settle();
  this->rig.answer(R"({"b":1, "a":1.50})");
  this->rig.answer("null");
  EXPECT_THAT(this->heard, ElementsAre(R"(a: {"b":1, "a":1.50})", "b: null"));
}

TYPED_TEST(PlayedTransport, an_error_of_chromes_keeps_its_code_its_words_and_its_data) {
  this->ask("a");
  this->rig.settle();
  this->rig.refuse({-32602, "Invalid parameters", "nodeId: integer expected"});
  ASSERT_EQ(this->failures.size(), 1U);
  EXPECT_EQ(this->failures[0].code, -32602);
  EXPECT_EQ(this->failures[0].message, "Invalid parameters");
  EXPECT_EQ(this->failures[0].data, "nodeId: integer expected");
}

TYPED_TEST(Transport, at_a_loss_the_gateway_hears_of_it_first_then_each_call_under_way_fails_once) {
  this->ask_each_kind();
  this->rig.settle();
  this->rig.lose("cut");
  this->rig.settle();
  EXPECT_THAT(this->heard, ElementsAre("the link is lost", "attach: " + lost, "send: " + lost, "chrome: " + lost,
                                       "sandbox: " + lost));
  for (auto const& failure : this->failures)
    EXPECT_THAT(failure.message, HasSubstr("may or may not have been carried out"));
}

TYPED_TEST(Transport, a_call_while_the_link_is_down_fails_after_it_has_returned_and_was_not_carried_out) {
  this->rig.lose("cut");
  this->rig.settle();
  this->heard.clear();
  this->ask_each_kind();
  EXPECT_THAT(this->heard, IsEmpty());
  this->rig.settle();
  EXPECT_THAT(this->heard, ElementsAre("attach: " + lost, "send: " + lost, "chrome: " + lost, "sandbox: " + lost));
  for (auto const& failure : this->failures) EXPECT_THAT(failure.message, Not(HasSubstr("may or may not")));
}

TYPED_TEST(Transport, a_call_that_the_loss_gives_rise_to_fails_as_one_while_the_link_is_down) {
  this->rig.on_loss = [this](std::string_view) { this->ask("from the loss"); };
  this->rig.transport().chrome("tabs.query", "[{}]", [this](cdp::Answer const&) { this->ask("from an answer"); });
  this->rig.settle();
  this->rig.lose("cut");
  this->rig.settle();
  EXPECT_THAT(this->heard, ElementsAre("from the loss: " + lost, "from an answer: " + lost));
  for (auto const& failure : this->failures) EXPECT_THAT(failure.message, Not(HasSubstr("may or may not")));
}

TYPED_TEST(Transport, once_the_link_is_back_calls_are_answered_and_those_of_before_no_more) {
  this->ask("before");
  this->rig.settle();
  this->rig.lose("cut");
  this->rig.settle();
  this->rig.come_back();
  this->ask("after");
  this->rig.settle();
  this->rig.answer("7");
  EXPECT_THAT(this->heard, ElementsAre("the link is lost", "before: " + lost, StartsWith("after: ")));
  EXPECT_NE(this->heard.back(), "after: " + lost);
}

TYPED_TEST(Transport, a_subscription_lasts_until_it_is_ended_or_the_link_is) {
  this->rig.transport().subscribe("tabs.onCreated");
  this->rig.transport().subscribe("tabs.onRemoved");
  EXPECT_THAT(this->rig.subscribed(), ElementsAre("tabs.onCreated", "tabs.onRemoved"));
  this->rig.transport().unsubscribe("tabs.onRemoved");
  EXPECT_THAT(this->rig.subscribed(), ElementsAre("tabs.onCreated"));
  this->rig.lose("cut");
  this->rig.settle();
  this->rig.come_back();
  EXPECT_THAT(this->rig.subscribed(), IsEmpty());
}

}  // namespace
}  // namespace any::contracts
