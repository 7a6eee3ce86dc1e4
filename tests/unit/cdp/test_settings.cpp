// What one page has once, set by several sessions: as between two sessions of a raw Chrome.

#include "unit/cdp/stage.hpp"

namespace any::cdp::test {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

class Settings : public Stage {
 protected:
  void SetUp() override {
    attach_answers();
    for (auto const* method : {"Network.setExtraHTTPHeaders", "Network.setBlockedURLs", "Runtime.releaseObjectGroup",
                               "Emulation.setDeviceMetricsOverride", "Emulation.clearDeviceMetricsOverride",
                               "Emulation.setTimezoneOverride", "Runtime.evaluate"}) {
      transport.always(method, "{}");
    }
    for (ClientId client : {1U, 2U}) {
      join(client, {.target = std::string(page_1)});
      say(client, 1, "Network.enable");
    }
    transport.all.clear();
  }
};

TEST_F(Settings, headers_of_all_are_sent_and_those_of_the_one_that_leaves_no_more) {
  say(1, 2, "Network.setExtraHTTPHeaders", R"({"headers":{"a":"1","c":"1"}})");
  say(2, 2, "Network.setExtraHTTPHeaders", R"({"headers":{"b":"2","c":"2"}})");
  EXPECT_EQ(transport.all.back(), R"(Network.setExtraHTTPHeaders {"headers":{"a":"1","c":"2","b":"2"}})");
  gateway.gone(2);
  EXPECT_THAT(transport.all, Contains(R"(Network.setExtraHTTPHeaders {"headers":{"a":"1","c":"1"}})"));
}

TEST_F(Settings, headers_are_dropped_with_the_domain_they_belong_to) {
  say(1, 2, "Network.setExtraHTTPHeaders", R"({"headers":{"a":"1"}})");
  say(1, 3, "Network.disable");
  EXPECT_EQ(transport.all.back(), R"(Network.setExtraHTTPHeaders {"headers":{}})");
}

TEST_F(Settings, addresses_that_any_session_blocks_are_blocked) {
  say(1, 2, "Network.setBlockedURLs", R"({"urls":["*a*"]})");
  say(2, 2, "Network.setBlockedURLs", R"({"urls":["*b*"]})");
  EXPECT_EQ(transport.all.back(), R"(Network.setBlockedURLs {"urls":["*a*","*b*"]})");
}

TEST_F(Settings, a_viewport_is_the_pages_own_again_when_a_client_leaves_that_had_set_it) {
  say(1, 2, "Emulation.setDeviceMetricsOverride", R"({"width":1})");
  say(2, 2, "Emulation.setDeviceMetricsOverride", R"({"width":2})");
  transport.all.clear();
  gateway.gone(1);
  EXPECT_THAT(transport.all, ElementsAre("Emulation.clearDeviceMetricsOverride {}"));
}

TEST_F(Settings, a_timezone_belongs_to_whoever_sets_it_first) {
  say(1, 2, "Emulation.setTimezoneOverride", R"({"timezoneId":"Asia/Tokyo"})");
  told(2);
  transport.all.clear();
  say(2, 2, "Emulation.setTimezoneOverride", R"({"timezoneId":"Europe/Paris"})");
  say(2, 3, "Emulation.setTimezoneOverride", R"({"timezoneId":""})");
  EXPECT_THAT(told(2), ElementsAre("id 2: error Timezone override is already in effect", "id 3: {}"));
  EXPECT_TRUE(transport.all.empty());
}

TEST_F(Settings, an_object_group_is_released_by_its_own_session_only) {
  say(1, 2, "Runtime.evaluate", R"({"expression":"1","objectGroup":"g"})");
  say(2, 2, "Runtime.evaluate", R"({"expression":"1","objectGroup":"g"})");
  EXPECT_THAT(transport.all, ElementsAre(R"(Runtime.evaluate {"expression":"1","objectGroup":"1..g"})",
                                         R"(Runtime.evaluate {"expression":"1","objectGroup":"2..g"})"));
  transport.all.clear();
  say(1, 3, "Runtime.releaseObjectGroup", R"({"objectGroup":"g"})");
  EXPECT_THAT(transport.all, ElementsAre(R"(Runtime.releaseObjectGroup {"objectGroup":"1..g"})"));
  transport.all.clear();
  gateway.gone(2);
  EXPECT_THAT(transport.all, Contains(R"(Runtime.releaseObjectGroup {"objectGroup":"2..g"})"));
}

}  // namespace any::cdp::test
