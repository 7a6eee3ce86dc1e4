#pragma once
// What the gateway must know of a method; whatever is not in the table passes unread.

#include <string_view>

namespace any::cdp {

/// What a command does to the session it is sent to.
enum class Act : unsigned char {
  pass,       ///< nothing that outlives it
  use,        ///< as pass, though Chrome answers it without the page (a tab is not attached for it)
  enable,     ///< X.enable: counted among the sessions of a target
  disable,    ///< X.disable
  setting,    ///< something the target has once (viewport, headers); `undo` takes it back
  unset,      ///< takes the setting `undo` back
  script,     ///< Page.addScriptToEvaluateOnNewDocument
  unscript,   ///< Page.removeScriptToEvaluateOnNewDocument
  binding,    ///< Runtime.addBinding
  unbinding,  ///< Runtime.removeBinding
  intercept,  ///< Fetch.enable, Fetch.disable, and the answers to a paused request
  group,      ///< Runtime.releaseObjectGroup
  own,        ///< answered by the gateway, or by it and Chrome together
};

struct Rule {
  Act act = Act::pass;
  std::string_view undo{};         ///< setting: the method that takes it back; unset: the setting's name
  std::string_view undo_params{};  ///< setting: with these
  bool once = false;               ///< setting: Chrome takes it once in an attachment and refuses a second
  bool reads_context = false;      ///< its params name an execution context
  bool groups = false;             ///< its params may name an object group
  bool merged = false;             ///< setting: Chrome takes what all sessions have set together
  bool falls = false;              ///< setting: gone for all when a session goes that had set it
};

Rule const& rule_of(std::string_view method);

/// Whether an event of this domain goes only to sessions that have enabled the domain.
bool has_enable(std::string_view domain);

}  // namespace any::cdp
