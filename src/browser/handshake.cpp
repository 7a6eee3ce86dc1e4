#include "browser/handshake.hpp"

#include <charconv>

#include "base/ids.hpp"

namespace any::browser {

namespace {

constexpr std::size_t secret_bytes = 32;
constexpr std::size_t secret_text = 44;  // 32 bytes as base64

constexpr std::string_view update_extension = "write it anew with `any extension` and reload it on chrome://extensions";
constexpr std::string_view update_daemon = "install the newer `any` and restart the daemon (`any stop`, `any serve`)";

bool is_browser_id(std::string_view id) {
  if (id.size() < 8 || id.size() > 64) return false;
  return id.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
}

Error protocol_error(std::string message) {
  return {ErrorName::ProtocolError, std::move(message)};
}

}  // namespace

Result<Handshake> Handshake::begin(Begin begin, std::string known_key, std::string new_key) {
  if (begin.protocol != protocol_number) {
    bool const extension_older = begin.protocol < protocol_number;
    std::string message = "The extension (" + begin.version + ") speaks protocol " + std::to_string(begin.protocol) +
                          ", the daemon (" ANY_VERSION ") protocol " + std::to_string(protocol_number) + ": the " +
                          (extension_older ? "extension" : "daemon") + " is older; ";
    return protocol_error(message.append(extension_older ? update_extension : update_daemon).append("."));
  }
  if (!is_browser_id(begin.browser)) return protocol_error("link.begin: \"browser\" is not a UUID.");
  if (begin.nonce.size() != secret_text) return protocol_error("link.begin: \"nonce\" is not 32 bytes in base64.");

  Handshake handshake;
  handshake.tells_key_ = !begin.has_key || known_key.empty();
  handshake.key_ = known_key.empty() ? std::move(new_key) : std::move(known_key);
  handshake.nonce_ = random_base64(secret_bytes);
  handshake.begin_ = std::move(begin);
  return handshake;
}

std::string Handshake::proof() const {
  return hmac_base64(key_, "daemon|" + begin_.nonce + "|" + nonce_ + "|" + begin_.browser);
}

bool Handshake::proves(std::string_view proof) const {
  return equal_secret(proof, hmac_base64(key_, "browser|" + nonce_ + "|" + begin_.nonce + "|" + begin_.browser));
}

std::string installation_key(std::string_view secret, std::string_view browser) {
  return hmac_base64(secret, "key|" + std::string(browser));
}

int compare_versions(std::string_view a, std::string_view b) {
  auto next = [](std::string_view& text) {
    int number = 0;
    auto const end = std::from_chars(text.data(), text.data() + text.size(), number).ptr;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    auto const dot = text.find('.');
    text.remove_prefix(dot == std::string_view::npos ? text.size() : dot + 1);
    return number;
  };
  while (!a.empty() || !b.empty()) {
    int const left = next(a), right = next(b);
    if (left != right) return left < right ? -1 : 1;
  }
  return 0;
}

std::string older_side(std::string_view extension_version) {
  int const order = compare_versions(extension_version, ANY_VERSION);
  std::string const extension = "The extension (" + std::string(extension_version) + ")";
  if (order < 0) {
    return extension + " is older than the daemon (" ANY_VERSION "): " + std::string(update_extension) + ".";
  }
  if (order > 0) {
    return "The daemon (" ANY_VERSION ") is older than the extension (" + std::string(extension_version) +
           "): " + std::string(update_daemon) + ".";
  }
  return extension + " and the daemon have the same version.";
}

}  // namespace any::browser
