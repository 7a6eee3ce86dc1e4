// The states of an attachment: every event in every state.

#include "cdp/attach/attachment.hpp"

#include <gtest/gtest.h>

namespace any::cdp::test {

using State = Attachment::State;
using Event = Attachment::Event;

constexpr State states[] = {State::detached, State::attaching, State::restoring, State::attached, State::lost};
constexpr Event events[] = {Event::attach,   Event::granted, Event::refused,   Event::announced, Event::come_back,
                            Event::restored, Event::ended,   Event::link_lost, Event::not_wanted};

TEST(Attachment, each_event_leads_where_the_table_says_and_changes_nothing_where_it_does_not_belong) {
  constexpr auto stays = std::optional<State>();
  constexpr std::optional<State> table[std::size(states)][std::size(events)] = {
      // attach, granted, refused, announced, come_back, restored, ended, link_lost, not_wanted
      {State::attaching, stays, stays, State::attached, State::restoring, stays, stays, stays, stays},
      {stays, State::restoring, State::detached, stays, stays, stays, State::detached, State::lost, stays},
      {stays, stays, stays, stays, stays, State::attached, State::detached, State::lost, stays},
      {stays, stays, stays, stays, stays, stays, State::detached, State::lost, stays},
      {State::attaching, stays, stays, State::attached, State::restoring, stays, stays, stays, State::detached},
  };
  for (std::size_t from = 0; from < std::size(states); ++from) {
    for (std::size_t event = 0; event < std::size(events); ++event) {
      EXPECT_EQ(Attachment::next(states[from], events[event]), table[from][event])
          << "state " << from << ", event " << event;
    }
  }
}

TEST(Attachment, an_answer_to_an_earlier_attachment_is_known_by_its_number) {
  std::uint64_t numbers = 0;
  Attachment one(numbers), other(numbers);
  EXPECT_TRUE(one.on(Event::attach));
  auto const first = one.number();
  EXPECT_TRUE(one.on(Event::granted));
  EXPECT_EQ(one.number(), first);
  EXPECT_TRUE(other.on(Event::announced));
  EXPECT_NE(other.number(), first);
  EXPECT_TRUE(one.on(Event::link_lost));
  EXPECT_NE(one.number(), first);
  EXPECT_FALSE(one.on(Event::restored));
  EXPECT_EQ(one.state(), State::lost);
}

TEST(Attachment, it_is_restored_when_the_last_question_is_answered) {
  std::uint64_t numbers = 0;
  Attachment attachment(numbers);
  attachment.on(Event::attach);
  attachment.on(Event::granted);
  attachment.asked();
  attachment.asked();
  EXPECT_FALSE(attachment.answered());
  EXPECT_FALSE(attachment.ready());
  EXPECT_TRUE(attachment.answered());
  EXPECT_TRUE(attachment.on(Event::restored));
  EXPECT_TRUE(attachment.ready());
}

TEST(Attachment, a_discarded_page_is_revived_once_and_only_while_it_is_attached_to) {
  std::uint64_t numbers = 0;
  Attachment attachment(numbers);
  attachment.revive();
  EXPECT_FALSE(attachment.revived());
  attachment.on(Event::attach);
  attachment.revive();
  EXPECT_TRUE(attachment.revived());
  EXPECT_FALSE(attachment.revived());
  attachment.revive();
  attachment.on(Event::ended);
  EXPECT_FALSE(attachment.revived());
}

}  // namespace any::cdp::test
