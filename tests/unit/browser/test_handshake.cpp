#include "browser/handshake.hpp"

#include <gtest/gtest.h>

#include "base/ids.hpp"

namespace any::browser {
namespace {

Begin begin() {
  return {protocol_number, ANY_VERSION, make_uuid(), random_base64(32), false};
}

TEST(Handshake, TheFirstTimeANewKeyIsToldAndProvedByItsHolder) {
  auto const said = begin();
  auto const key = random_base64(32);
  auto const met = Handshake::begin(said, "", key);
  ASSERT_TRUE(met);
  EXPECT_TRUE(met->tells_key());
  EXPECT_EQ(met->key(), key);
  EXPECT_TRUE(met->proves(hmac_base64(met->key(), "browser|" + met->nonce() + "|" + said.nonce + "|" + said.browser)));
}

TEST(Handshake, TheNextTimeBothProveTheKeyAndNobodyTellsIt) {
  auto said = begin();
  said.has_key = true;
  auto const key = random_base64(32);
  auto const met = Handshake::begin(said, key, random_base64(32));
  ASSERT_TRUE(met);
  EXPECT_FALSE(met->tells_key());
  EXPECT_EQ(met->proof(), hmac_base64(key, "daemon|" + said.nonce + "|" + met->nonce() + "|" + said.browser));
}

TEST(Handshake, AProofByAnotherKeyIsNone) {
  auto said = begin();
  said.has_key = true;
  auto const met = Handshake::begin(said, random_base64(32), random_base64(32));
  ASSERT_TRUE(met);
  auto const text = "browser|" + met->nonce() + "|" + said.nonce + "|" + said.browser;
  EXPECT_FALSE(met->proves(hmac_base64(random_base64(32), text)));
  EXPECT_FALSE(met->proves(""));
  EXPECT_FALSE(met->proves(met->proof())) << "the daemon's own proof, sent back";
}

TEST(Handshake, AnExtensionWithoutAKeyIsToldTheOneItsBrowserHas) {
  auto const key = random_base64(32);
  auto const met = Handshake::begin(begin(), key, random_base64(32));
  ASSERT_TRUE(met);
  EXPECT_TRUE(met->tells_key());
  EXPECT_EQ(met->key(), key);
}

TEST(Handshake, AKeyThatTheDaemonNeverGaveIsNotTaken) {
  auto said = begin();
  said.has_key = true;
  auto const key = random_base64(32);
  auto const met = Handshake::begin(said, "", key);
  ASSERT_TRUE(met);
  EXPECT_TRUE(met->tells_key());
  EXPECT_EQ(met->key(), key);
}

TEST(Handshake, AnotherProtocolIsRefusedAndTheOlderSideNamed) {
  auto said = begin();
  said.protocol = protocol_number + 1;
  auto const newer = Handshake::begin(said, "", random_base64(32));
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().name, ErrorName::ProtocolError);
  EXPECT_NE(newer.error().message.find("the daemon is older"), std::string::npos) << newer.error().message;
  said.protocol = protocol_number - 1;
  EXPECT_NE(Handshake::begin(said, "", random_base64(32)).error().message.find("the extension is older"),
            std::string::npos);
}

TEST(Handshake, ABrowserOrNonceOfTheWrongFormIsRefused) {
  auto said = begin();
  said.browser = "../x";
  EXPECT_FALSE(Handshake::begin(said, "", random_base64(32)));
  said = begin();
  said.nonce = "short";
  EXPECT_FALSE(Handshake::begin(said, "", random_base64(32)));
}

TEST(Versions, AreComparedByTheirNumbers) {
  EXPECT_LT(compare_versions("0.9.0", "0.10.0"), 0);
  EXPECT_GT(compare_versions("1.0", "0.99.99"), 0);
  EXPECT_EQ(compare_versions("0.1", "0.1.0"), 0);
  EXPECT_LT(compare_versions("", "0.0.1"), 0);
  EXPECT_EQ(compare_versions("junk", "0"), 0);
}

}  // namespace
}  // namespace any::browser
