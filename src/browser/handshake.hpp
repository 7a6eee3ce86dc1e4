#pragma once
// How extension and daemon prove to each other that they met before (docs/protocol.md, "Handshake"). No I/O.

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace any::browser {

inline constexpr int protocol_number = 1;

/// What link.begin says.
struct Begin {
  int protocol = 0;
  std::string version{};  ///< the extension's
  std::string browser{};  ///< the profile's id
  std::string nonce{};    ///< base64, 32 bytes
  bool has_key = false;
  std::string installation{};  ///< id of the extension's folder; empty: none
};

/// The key of a browser that holds the secret of a folder: no key is told to it.
std::string installation_key(std::string_view secret, std::string_view browser);

/// One handshake, from link.begin to hello.
class Handshake {
 public:
  /// `known_key`: the key the daemon holds for this browser, or empty; `new_key`: the one it gets where there is none.
  /// ProtocolError where the versions cannot work together (the message names the older side) or a field breaks the
  /// protocol.
  static Result<Handshake> begin(Begin begin, std::string known_key, std::string new_key);

  Begin const& said() const { return begin_; }
  /// The extension holds no key, or one that the daemon does not know: key() is told, and there is no proof(). It is to
  /// be kept only once hello has proven it.
  bool tells_key() const { return tells_key_; }
  std::string const& key() const { return key_; }
  std::string const& nonce() const { return nonce_; }
  std::string proof() const;
  /// Whether hello's proof is that of the key's holder.
  bool proves(std::string_view proof) const;

 private:
  Begin begin_;
  std::string key_, nonce_;
  bool tells_key_ = false;
};

/// Below zero where version a ("0.10.2") is older than b, above where it is newer, 0 where they are the same.
int compare_versions(std::string_view a, std::string_view b);
/// "The extension (0.1.0) is older than the daemon (0.2.0)…", and what to do about it; for answers to unknown methods.
std::string older_side(std::string_view extension_version);

}  // namespace any::browser
