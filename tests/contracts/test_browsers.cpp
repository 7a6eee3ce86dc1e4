// What whoever knows the browsers keeps (browser::Browsers): the double that the tests of the gateway's join and of the
// operations stand on, and the daemon's registry with links whose other ends are played by hand.
#include <gmock/gmock.h>

#include "contracts/played_extension.hpp"
#include "unit/service/fake_browsers.hpp"

namespace any::contracts {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Writes down what is told of links.
class HeardOfLinks final : public browser::CdpEvents {
 public:
  void link_up(browser::Info const& info) override { say("up " + info.label); }
  void link_down(std::string const&, std::string_view) override {
    say("down");
    if (on_down) on_down();
  }
  void changed(browser::Info const& info) override { say("changed " + info.label); }
  void debugger_event(std::string const&, std::string_view) override {}
  void chrome_event(std::string const&, std::string_view) override {}

  std::vector<std::string>* into = nullptr;
  std::function<void()> on_down;

 private:
  void say(std::string what) const {
    if (into) into->push_back(std::move(what));
  }
};

/// Two browsers, "one" and "two"; "one" is linked and "two" was once.
class Rig {
 public:
  virtual ~Rig() = default;
  virtual browser::Browsers& browsers() = 0;
  virtual std::string id(int which) = 0;
  virtual void link(int which) = 0;
  virtual void lose(int which) = 0;
  /// The person uses it.
  virtual void use(int which) = 0;
  /// Answers the oldest request.
  virtual void answer(int which, std::string result) = 0;
  virtual void refuse(int which, Error error) = 0;
  /// All that it was ever asked: "method params".
  virtual std::vector<std::string> asked(int which) = 0;

  void settle() {
    io.restart();
    while (io.poll() > 0) {
    }
  }
  template <class Condition>
  bool until(Condition is_so) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > end) return false;
      io.restart();
      io.run_one_for(std::chrono::milliseconds(10));
    }
    return true;
  }

  boost::asio::io_context io{1};
  HeardOfLinks links;
};

class DoubleRig final : public Rig {
 public:
  DoubleRig() {
    for (auto const* label : {"one", "two"}) {
      browser::Info info;
      info.id = std::string("id of ") + label;
      info.label = label;
      browsers_.infos.push_back(std::move(info));
    }
    browsers_.tell(links);
    DoubleRig::link(0);
  }
  browser::Browsers& browsers() override { return browsers_; }
  std::string id(int which) override { return which == 0 ? "id of one" : "id of two"; }
  void link(int which) override { browsers_.link(info(which)); }
  void lose(int which) override { browsers_.lose(info(which), "cut"); }
  void use(int which) override { info(which).used = ++used_; }
  void answer(int which, std::string result) override { browsers_.reply(id(which), std::string_view(result)); }
  void refuse(int which, Error error) override { browsers_.reply(id(which), error); }
  std::vector<std::string> asked(int) override { return browsers_.asked; }

 private:
  browser::Info& info(int which) { return browsers_.infos.at(static_cast<std::size_t>(which)); }
  service::FakeBrowsers browsers_{io};
  Millis used_ = 0;
};

class RegistryRig final : public Rig {
 public:
  RegistryRig() {
    two_.link();
    two_.cut();
    one_.link();
  }
  browser::Browsers& browsers() override { return bench_.registry; }
  std::string id(int which) override { return of(which).id(); }
  void link(int which) override { of(which).link(); }
  void lose(int which) override { of(which).cut(); }
  void use(int which) override { of(which).use(); }
  void answer(int which, std::string result) override { of(which).answer(result); }
  void refuse(int which, Error error) override { of(which).refuse(error); }
  std::vector<std::string> asked(int which) override {
    of(which).settle();
    return of(which).all();
  }

 private:
  PlayedExtension& of(int which) { return which == 0 ? one_ : two_; }
  RegistryBench bench_{io, links};
  PlayedExtension one_{bench_, "one"}, two_{bench_, "two"};
};

template <class Made>
class Browsers : public testing::Test {
 protected:
  Browsers() { rig.links.into = &heard; }
  browser::Browsers& browsers() { return rig.browsers(); }
  static std::string text(Result<std::string_view> const& said) {
    return said ? std::string(*said) : std::string(to_string(said.error().name));
  }
  void ask(std::string name, int which = 0, std::optional<Millis> timeout = std::nullopt) {
    browsers().request(rig.id(which), "chrome.call", R"({"n":")" + name + "\"}", timeout,
                       [this, name](Result<std::string_view> const& said) {
                         heard.push_back(name + ": " + text(said));
                         if (!said) failures.push_back(said.error().message);
                       });
  }
  template <class T>
  static Async<void> fill(Async<Result<T>> work, std::optional<Result<T>>& into) {
    into.emplace(co_await std::move(work));
  }
  template <class T>
  Result<T> get(Async<Result<T>> work) {
    std::optional<Result<T>> result;
    boost::asio::co_spawn(rig.io, fill(std::move(work), result), boost::asio::detached);
    if (!rig.until([&] { return result.has_value(); })) throw std::runtime_error("it has not ended");
    return std::move(*result);
  }
  std::string found(std::string_view name) {
    auto const info = browsers().find(name);
    return info ? info->label + (info->linked ? " linked" : " not linked") : std::string(to_string(info.error().name));
  }

  std::vector<std::string> heard, failures;
  Made rig;
};

using Made = testing::Types<DoubleRig, RegistryRig>;
class Name {
 public:
  template <class Rig>
  static std::string GetName(int) {
    return std::is_same_v<Rig, DoubleRig> ? "double" : "registry";
  }
};
TYPED_TEST_SUITE(Browsers, Made, Name);

TYPED_TEST(Browsers, those_that_are_not_linked_are_known_too_by_their_id_and_by_their_label) {
  EXPECT_EQ(this->browsers().list().size(), 2U);
  EXPECT_EQ(this->found("one"), "one linked");
  EXPECT_EQ(this->found(this->rig.id(0)), "one linked");
  EXPECT_EQ(this->found(this->rig.id(1)), "two not linked");
  EXPECT_EQ(this->found("three"), "NotFoundError");
}

TYPED_TEST(Browsers, the_answers_are_the_browsers_own_to_the_letter_and_come_once_and_after_the_return) {
  this->ask("a");
  this->ask("b");
  EXPECT_THAT(this->heard, IsEmpty());
  EXPECT_THAT(this->rig.asked(0), ElementsAre(R"(chrome.call {"n":"a"})", R"(chrome.call {"n":"b"})"));
  this->rig.answer(0, R"({"b":1, "a":1.50})");
  this->rig.refuse(0, {ErrorName::ScriptError, "no"});
  this->rig.lose(0);
  EXPECT_THAT(this->heard, ElementsAre(R"(a: {"b":1, "a":1.50})", "b: ScriptError", "down"));
  EXPECT_THAT(this->failures, ElementsAre("no"));
}

TYPED_TEST(Browsers, at_a_loss_it_is_told_of_first_then_each_request_under_way_fails_once_in_their_order) {
  this->rig.link(1);
  this->heard.clear();
  this->ask("a");
  this->ask("other", 1);
  this->ask("b", 0, 60'000);
  this->rig.settle();
  this->rig.lose(0);
  EXPECT_THAT(this->heard, ElementsAre("down", "a: BrowserLostError", "b: BrowserLostError"));
  EXPECT_THAT(this->failures, testing::Each(HasSubstr("may or may not have been carried out")));
  this->rig.answer(1, "7");
  EXPECT_EQ(this->heard.back(), "other: 7");
}

TYPED_TEST(Browsers, a_request_to_one_that_is_not_linked_fails_after_it_has_returned_and_was_not_carried_out) {
  this->ask("a", 1);
  this->browsers().request("nobody", "chrome.call", "{}", std::nullopt, [this](Result<std::string_view> const& said) {
    this->heard.push_back("nobody: " + this->text(said));
  });
  EXPECT_THAT(this->heard, IsEmpty());
  this->rig.settle();
  EXPECT_THAT(this->heard, ElementsAre("a: BrowserLostError", "nobody: BrowserLostError"));
  EXPECT_THAT(this->failures, ElementsAre(Not(HasSubstr("may or may not"))));
}

TYPED_TEST(Browsers, what_the_loss_gives_rise_to_fails_as_a_request_to_one_that_is_not_linked) {
  this->rig.links.on_down = [this] {
    EXPECT_EQ(this->found(this->rig.id(0)), "one not linked");
    this->ask("from the loss");
  };
  this->browsers().request(this->rig.id(0), "chrome.call", "{}", std::nullopt,
                           [this](Result<std::string_view> const&) { this->ask("from an answer"); });
  this->rig.settle();
  this->rig.lose(0);
  this->rig.settle();
  EXPECT_THAT(this->heard, ElementsAre("down", "from the loss: BrowserLostError", "from an answer: BrowserLostError"));
  EXPECT_THAT(this->failures, testing::Each(Not(HasSubstr("may or may not"))));
}

TYPED_TEST(Browsers, an_answer_that_cannot_be_taken_keeps_no_other_back) {
  this->browsers().request(this->rig.id(0), "chrome.call", "{}", std::nullopt,
                           [](Result<std::string_view> const&) { throw std::runtime_error("it broke"); });
  this->ask("b");
  this->rig.settle();
  this->rig.lose(0);
  EXPECT_THAT(this->heard, ElementsAre("down", "b: BrowserLostError"));
}

TYPED_TEST(Browsers, once_it_is_linked_again_requests_are_answered_and_those_of_before_no_more) {
  this->ask("before");
  this->rig.settle();
  this->rig.lose(0);
  this->rig.link(0);
  this->ask("after");
  this->rig.settle();
  this->rig.answer(0, "7");
  EXPECT_THAT(this->heard, ElementsAre("down", "before: BrowserLostError", "up one", "after: 7"));
}

TYPED_TEST(Browsers, a_request_with_a_limit_ends_with_it_and_its_late_answer_counts_no_more) {
  this->ask("a", 0, 20);
  this->ask("b");
  ASSERT_TRUE(this->rig.until([this] { return !this->heard.empty(); }));
  EXPECT_THAT(this->heard, ElementsAre("a: TimeoutError"));
  this->rig.lose(0);
  EXPECT_THAT(this->heard, ElementsAre("a: TimeoutError", "down", "b: BrowserLostError"));
}

TYPED_TEST(Browsers, a_call_is_a_request_with_an_answer_of_its_own) {
  std::optional<Result<std::string>> said;
  boost::asio::co_spawn(this->rig.io, this->fill(this->browsers().call("one", "chrome.call", "{}", 60'000), said),
                        boost::asio::detached);
  this->rig.settle();
  this->rig.answer(0, R"({"b":1, "a":1.50})");
  ASSERT_TRUE(this->rig.until([&] { return said.has_value(); }));
  EXPECT_EQ(said->value(), R"({"b":1, "a":1.50})");
  EXPECT_EQ(this->get(this->browsers().call(this->rig.id(0), "chrome.call", "{}", 20)).error().name,
            ErrorName::TimeoutError);
  EXPECT_EQ(this->get(this->browsers().call("two", "chrome.call", "{}", 20)).error().name, ErrorName::NoBrowserError);
  EXPECT_EQ(this->get(this->browsers().call("three", "chrome.call", "{}", 20)).error().name, ErrorName::NotFoundError);
}

TYPED_TEST(Browsers, of_those_that_are_linked_the_one_used_last_is_had_at_once_and_else_the_first_that_comes) {
  this->rig.use(0);
  EXPECT_EQ(this->get(this->browsers().wait_for_any(0))->label, "one");
  this->rig.link(1);
  this->rig.use(1);
  EXPECT_EQ(this->get(this->browsers().wait_for_any(0))->label, "two");
  this->rig.lose(0);
  this->rig.lose(1);
  EXPECT_EQ(this->get(this->browsers().wait_for_any(0)).error().name, ErrorName::NoBrowserError);
  EXPECT_EQ(this->get(this->browsers().wait_for_any(20)).error().name, ErrorName::NoBrowserError);
  std::optional<Result<browser::Info>> came;
  boost::asio::co_spawn(this->rig.io, this->fill(this->browsers().wait_for_any(60'000), came), boost::asio::detached);
  this->rig.settle();
  this->rig.link(0);
  ASSERT_TRUE(this->rig.until([&] { return came.has_value(); }));
  EXPECT_EQ(came->value().label, "one");
}

TYPED_TEST(Browsers, a_label_is_one_browsers_alone_and_without_one_it_has_its_own_again) {
  auto const label = [this](std::string name, std::string label) {
    auto const info = this->get(this->browsers().set_label(std::move(name), std::move(label)));
    return info ? info->label : std::string(to_string(info.error().name));
  };
  EXPECT_EQ(label("one", "work"), "work");
  EXPECT_EQ(this->found("work"), "work linked");
  EXPECT_EQ(this->found("one"), "NotFoundError");
  EXPECT_EQ(label("two", "work"), "ConflictError");
  EXPECT_EQ(label(this->rig.id(1), "home"), "home");
  EXPECT_EQ(label("work", "work"), "work");
  EXPECT_EQ(label("work", ""), "one");
  EXPECT_EQ(label("three", "four"), "NotFoundError");
  EXPECT_THAT(this->heard, ElementsAre("changed work", "changed work", "changed one")) << "only while it is linked";
}

TYPED_TEST(Browsers, only_one_that_is_gone_can_be_forgotten) {
  EXPECT_EQ(this->get(this->browsers().forget("one")).error().name, ErrorName::ConflictError);
  EXPECT_TRUE(this->get(this->browsers().forget("two")));
  EXPECT_EQ(this->found("two"), "NotFoundError");
  EXPECT_EQ(this->get(this->browsers().forget("two")).error().name, ErrorName::NotFoundError);
  EXPECT_EQ(this->browsers().list().size(), 1U);
}

}  // namespace
}  // namespace any::contracts
