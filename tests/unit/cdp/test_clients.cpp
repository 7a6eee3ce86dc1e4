// Clients that come and go: what is heard and looked up for them, who is sent away, what is answered at once.

#include "unit/cdp/stage.hpp"

namespace any::cdp::test {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Clients : public Stage {
 protected:
  std::string targets(ClientId client) {
    told(client);
    say(client, 900, "Target.getTargets");
    auto const said = told(client);
    return said.size() == 1 ? said.front() : "not one answer but " + std::to_string(said.size());
  }
};

TEST_F(Clients, events_of_the_browser_are_heard_while_somebody_is_there_and_anew_with_each_link) {
  EXPECT_THAT(transport.subscribed, IsEmpty());
  join(1);
  auto const heard = transport.subscribed;
  EXPECT_THAT(heard, Contains("tabs.onRemoved"));
  join(2);
  gateway.gone(1);
  EXPECT_EQ(transport.subscribed, heard);
  transport.link_down(gateway);
  EXPECT_THAT(transport.subscribed, IsEmpty());
  transport.link_up(gateway, {.browser_id = "b"});
  transport.settle();
  EXPECT_EQ(transport.subscribed, heard);
  gateway.gone(2);
  EXPECT_THAT(transport.subscribed, IsEmpty());
}

TEST_F(Clients, what_happened_while_nobody_was_there_is_looked_up_for_the_next) {
  join(1);
  EXPECT_THAT(targets(1), HasSubstr("a.example"));
  gateway.gone(1);
  transport.always("tabs.query", R"([{"id":2,"windowId":9,"url":"http://b.example/","status":"complete"}])");
  join(2);
  EXPECT_THAT(targets(2), HasSubstr("b.example"));
  EXPECT_THAT(targets(2), Not(HasSubstr("a.example")));
}

TEST_F(Clients, one_that_comes_does_not_make_the_others_browser_be_looked_at_anew) {
  join(1);
  auto const looks = std::count(transport.all.begin(), transport.all.end(), "tabs.query [{}]");
  join(2);
  EXPECT_EQ(std::count(transport.all.begin(), transport.all.end(), "tabs.query [{}]"), looks);
}

TEST_F(Clients, whoever_comes_for_a_page_that_is_not_there_is_sent_away_with_the_reason) {
  join(1, {.target = "nope"});
  EXPECT_THAT(sockets.closed[1], HasSubstr("No such target id: nope"));
  EXPECT_EQ(gateway.counts().clients, 0U);
  EXPECT_TRUE(gateway.idle());
}

TEST_F(Clients, what_is_no_command_is_answered_and_the_client_is_served_on) {
  join(1);
  gateway.receive(1, "{");
  EXPECT_EQ(object(sockets.next()).at("error").at("code"), -32700);
  EXPECT_THAT(targets(1), HasSubstr("a.example"));
}

TEST_F(Clients, what_waits_for_the_browser_is_bounded_and_carried_out_in_its_order) {
  Gateway fresh{transport, sockets, files, clock, {.max_waiting = 200}};
  fresh.open(1, {});
  auto const ask = [&](int id, std::size_t filler = 0) {
    fresh.receive(1, R"({"id":)" + std::to_string(id) + R"(,"method":"Browser.getVersion","params":{"x":")" +
                         std::string(filler, 'x') + "\"}}");
  };
  ask(1);
  ask(2);
  EXPECT_THAT(told(), IsEmpty());
  ask(3, 150);
  EXPECT_THAT(told(), ::testing::ElementsAre(HasSubstr("id 3: error Too many commands wait")));
  transport.link_up(fresh, {.browser_id = "b", .product = "Chrome/156.0.0.0", .user_agent = "UA"});
  transport.settle();
  EXPECT_THAT(told(), ::testing::ElementsAre(HasSubstr("id 1: {"), HasSubstr("id 2: {")));
}

}  // namespace any::cdp::test
