#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/ids.hpp"

namespace {

TEST(Ids, ATaskIdHas22SignsOfTheProtocolAndNeverLooksLikeAnOption) {
  for (long long const wall : {-1LL, 0LL, 1LL, 1'769'850'000'000LL, 4'102'444'800'000LL, 1LL << 60}) {
    auto const id = any::make_task_id(wall);
    EXPECT_EQ(id.size(), 22U);
    EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(id.front()))) << id;
    EXPECT_TRUE(std::all_of(id.begin(), id.end(), [](unsigned char c) {
      return std::isalnum(c) || c == '-' || c == '_';
    })) << id;
  }
}

TEST(Ids, TaskIdsSortByTheirTime) {
  std::string last;
  for (long long wall = 1'700'000'000'000; wall < 3'000'000'000'000; wall += 977'777'777) {
    auto id = any::make_task_id(wall);
    EXPECT_LT(last, id);
    last = std::move(id);
  }
  EXPECT_LT(any::make_task_id(63).substr(0, 7), any::make_task_id(64).substr(0, 7));
}

TEST(Ids, TenThousandIdsOfOneMillisecondDiffer) {
  std::set<std::string> ids;
  for (int i = 0; i < 10'000; ++i) ids.insert(any::make_task_id(1'769'850'000'000));
  EXPECT_EQ(ids.size(), 10'000U);
}

TEST(Ids, AUuidIsOfVersionFour) {
  auto const uuid = any::make_uuid();
  ASSERT_EQ(uuid.size(), 36U);
  EXPECT_EQ(uuid[8], '-');
  EXPECT_EQ(uuid[13], '-');
  EXPECT_EQ(uuid[14], '4');
  EXPECT_EQ(uuid[18], '-');
  EXPECT_NE(std::string{"89ab"}.find(uuid[19]), std::string::npos);
  EXPECT_EQ(uuid[23], '-');
  EXPECT_NE(uuid, any::make_uuid());
}

TEST(Ids, RandomBytesAreAsManyAsAsked) {
  EXPECT_EQ(any::random_bytes(0).size(), 0U);
  EXPECT_EQ(any::random_bytes(1000).size(), 1000U);
  EXPECT_NE(any::random_bytes(32), any::random_bytes(32));
}

TEST(Ids, RandomBase64IsPadded) {
  EXPECT_EQ(any::random_base64(32).size(), 44U);
  EXPECT_EQ(any::random_base64(32).back(), '=');
  EXPECT_TRUE(any::random_base64(31).ends_with("="));
  EXPECT_TRUE(any::random_base64(1).ends_with("=="));
  EXPECT_FALSE(any::random_base64(30).ends_with("="));
}

TEST(Ids, AnHmacIsThatOfRfc4231) {
  // RFC 4231, case 2: key "Jefe".
  EXPECT_EQ(any::hmac_base64("SmVmZQ==", "what do ya want for nothing?"),
            "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
  EXPECT_EQ(any::hmac_base64("", "x"), any::hmac_base64("", "x"));
  EXPECT_FALSE(any::hmac_base64("", "x").empty());
}

TEST(Ids, AKeyThatIsNotBase64GivesNoHmac) {
  EXPECT_EQ(any::hmac_base64("abc", "x"), "");
  EXPECT_EQ(any::hmac_base64("ab*=", "x"), "");
  EXPECT_EQ(any::hmac_base64("a===", "x"), "");
}

TEST(Ids, ASha256IsThatOfFips180) {
  EXPECT_EQ(any::sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(any::sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Ids, SecretsAreEqualOnlyWhenAllOfThemIs) {
  EXPECT_TRUE(any::equal_secret("", ""));
  EXPECT_TRUE(any::equal_secret("abc", "abc"));
  EXPECT_FALSE(any::equal_secret("abc", "abd"));
  EXPECT_FALSE(any::equal_secret("abc", "abcd"));
  EXPECT_FALSE(any::equal_secret("xbc", "abc"));
}

}  // namespace
