#pragma once

#include <string>

#include "cdp/protocol/transport.hpp"

namespace any::cdp {

/// A content setting that a client has set through us; it is taken back when the client goes.
struct Grant {
  ClientId client = 0;
  std::string context;
  std::string type;     ///< of chrome.contentSettings
  std::string pattern;  ///< such as "https://a.example/*", or "<all_urls>"
  std::string setting;  ///< allow, block or ask
  bool incognito = false;
};

}  // namespace any::cdp
