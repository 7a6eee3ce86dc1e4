// Browser.getWindowForTarget, getWindowBounds, setWindowBounds, setContentsSize: from chrome.windows, whose ids are
// CDP's.

#include "cdp/impl.hpp"

namespace any::cdp {

namespace {

constexpr std::string_view sides[] = {"left", "top", "width", "height"};

Failure no_window(Failure const& why) {
  return why.code == link_lost ? why : Failure{code::server_error, "Browser window not found"};
}

json::object bounds_of(json::object const& window) {
  json::object bounds;
  for (auto const side : sides) {
    if (auto const* value = window.if_contains(side)) bounds[side] = *value;
  }
  auto const state = text_in(window, "state");
  bounds["windowState"] = state == "locked-fullscreen" ? "fullscreen" : state;
  return bounds;
}

std::string one(json::value first) {
  return json::serialize(json::array{std::move(first)});
}

/// Chrome's rule for a change of state; empty: it may be.
std::string_view forbidden(std::string_view now, std::string_view wanted) {
  if (wanted == "minimized" && now == "fullscreen") {
    return "To minimize a fullscreen window, restore it to normal state first.";
  }
  if (wanted == "maximized" && (now == "minimized" || now == "fullscreen")) {
    return "To maximize a minimized or fullscreen window, restore it to normal state first.";
  }
  if (wanted == "fullscreen" && now == "minimized") {
    return "To make minimized window fullscreen, restore it to normal state first.";
  }
  return {};
}

/// Changes the window; from another state than normal by way of normal, as chrome.windows would keep that state.
void change(Gateway::Impl& gateway, Ticket const& ticket, std::int64_t id, bool restore, json::object wish) {
  auto set = [&gateway, ticket, id, wish = std::move(wish)] {
    gateway.transport.chrome("windows.update", json::serialize(json::array{id, wish}),
                             [&gateway, ticket](Answer const& answer) {
                               answer ? gateway.reply(ticket, "{}") : gateway.fail(ticket, answer.error());
                             });
  };
  if (!restore) return set();
  gateway.transport.chrome("windows.update", json::serialize(json::array{id, json::object{{"state", "normal"}}}),
                           [&gateway, ticket, set = std::move(set)](Answer const& answer) {
                             answer ? set() : gateway.fail(ticket, answer.error());
                           });
}

void get_window_of(Gateway::Impl& gateway, Session const& by, Command const& command, Params& params) {
  auto const named = params.maybe_text("targetId");
  if (params.wrong()) return gateway.fail(command.ticket, *params.wrong());
  if (!named && by.kind != Session::Kind::target) {
    return gateway.fail(command.ticket, {code::server_error, "No web contents in the target"});
  }
  auto const* on = gateway.target(named ? *named : by.target);
  if (!on && named) on = gateway.target(Gateway::Impl::tab_target_id(*named));
  if (!on) return gateway.fail(command.ticket, {code::server_error, "No target with given id"});
  if (on->debuggee.tab < 0) return gateway.fail(command.ticket, {code::server_error, "No web contents in the target"});
  gateway.transport.chrome(
      "tabs.get", one(on->debuggee.tab), [&gateway, ticket = command.ticket](Answer const& answer) {
        if (!answer) return gateway.fail(ticket, no_window(answer.error()));
        auto const id = number_in(object_of(*answer), "windowId").value_or(-1);
        gateway.transport.chrome("windows.get", one(id), [&gateway, ticket, id](Answer const& window) {
          if (!window) return gateway.fail(ticket, no_window(window.error()));
          gateway.reply(ticket,
                        json::serialize(json::object{{"windowId", id}, {"bounds", bounds_of(object_of(*window))}}));
        });
      });
}

void get_bounds(Gateway::Impl& gateway, Command const& command, Params& params) {
  auto const id = params.whole("windowId");
  if (params.wrong()) return gateway.fail(command.ticket, *params.wrong());
  gateway.transport.chrome("windows.get", one(id), [&gateway, ticket = command.ticket](Answer const& answer) {
    if (!answer) return gateway.fail(ticket, no_window(answer.error()));
    gateway.reply(ticket, json::serialize(json::object{{"bounds", bounds_of(object_of(*answer))}}));
  });
}

void set_bounds(Gateway::Impl& gateway, Command const& command, Params& params) {
  auto const id = params.whole("windowId");
  auto bounds = params.object("bounds", true);
  json::object wish;
  std::string state;
  if (bounds) {
    for (auto const side : sides) {
      if (auto const value = bounds->maybe_whole(side)) wish[side] = *value;
    }
    state = bounds->maybe_text("windowState").value_or("");
    params.take_wrong(*bounds);
  }
  if (params.wrong()) return gateway.fail(command.ticket, *params.wrong());
  bool const other = state == "minimized" || state == "maximized" || state == "fullscreen";
  if (!state.empty() && !other && state != "normal") {
    return gateway.fail(command.ticket, bad_params("params.bounds.windowState - unknown window state: " + state));
  }
  if (other && !wish.empty()) {
    return gateway.fail(command.ticket,
                        {code::bad_params,
                         "The 'minimized', 'maximized' and 'fullscreen' states cannot be combined with 'left', 'top', "
                         "'width' or 'height'"});
  }
  gateway.transport.chrome("windows.get", one(id),
                           [&gateway, ticket = command.ticket, id, wish, state](Answer const& answer) {
                             if (!answer) return gateway.fail(ticket, no_window(answer.error()));
                             auto const now = text_in(object_of(*answer), "state");
                             if (auto const why = forbidden(now, state); !why.empty()) {
                               return gateway.fail(ticket, {code::server_error, std::string(why)});
                             }
                             if (wish.empty() && (state.empty() || state == now)) return gateway.reply(ticket, "{}");
                             if (wish.empty()) return change(gateway, ticket, id, false, {{"state", state}});
                             change(gateway, ticket, id, now != "normal", wish);
                           });
}

void set_contents_size(Gateway::Impl& gateway, Command const& command, Params& params) {
  auto const id = params.whole("windowId");
  auto const width = params.maybe_whole("width"), height = params.maybe_whole("height");
  if (params.wrong()) return gateway.fail(command.ticket, *params.wrong());
  auto const wrong = !width && !height       ? "At least one of 'width' or 'height' must be specified"
                     : width && *width < 1   ? "Contents 'width' must be a positive value"
                     : height && *height < 1 ? "Contents 'height' must be a positive value"
                                             : "";
  if (*wrong) return gateway.fail(command.ticket, {code::bad_params, wrong});
  auto sized = [&gateway, ticket = command.ticket, id, width, height](Answer const& answer) {
    if (!answer) return gateway.fail(ticket, no_window(answer.error()));
    auto const window = object_of(*answer);
    json::object wish;
    auto const* tabs = window.if_contains("tabs");
    for (auto const& tab : tabs && tabs->is_array() ? tabs->get_array() : json::array()) {
      if (!tab.is_object() || !flag_in(tab.get_object(), "active")) continue;
      auto const around = [&](std::string_view side, std::int64_t wanted) {
        return wanted + number_in(window, side).value_or(0) - number_in(tab.get_object(), side).value_or(0);
      };
      if (width) wish["width"] = around("width", *width);
      if (height) wish["height"] = around("height", *height);
    }
    change(gateway, ticket, id, false, std::move(wish));
  };
  auto const populated = json::serialize(json::array{id, json::object{{"populate", true}}});
  auto look = [&gateway, populated, sized] { gateway.transport.chrome("windows.get", populated, sized); };
  gateway.transport.chrome("windows.get", one(id), [&gateway, id, look, sized](Answer const& answer) {
    if (!answer) return sized(answer);
    if (text_in(object_of(*answer), "state") == "normal") return look();
    gateway.transport.chrome("windows.update", json::serialize(json::array{id, json::object{{"state", "normal"}}}),
                             [look, sized](Answer const& restored) { restored ? look() : sized(restored); });
  });
}

}  // namespace

bool Gateway::Impl::window_method(Session& by, Command const& command) {
  Params params(command.params);
  auto const& method = command.method;
  if (method != "Browser.getWindowForTarget" && method != "Browser.getWindowBounds" &&
      method != "Browser.setWindowBounds" && method != "Browser.setContentsSize") {
    return false;
  }
  if (put_off(command)) return true;
  if (method == "Browser.getWindowForTarget") {
    get_window_of(*this, by, command, params);
  } else if (method == "Browser.getWindowBounds") {
    get_bounds(*this, command, params);
  } else if (method == "Browser.setWindowBounds") {
    set_bounds(*this, command, params);
  } else {
    set_contents_size(*this, command, params);
  }
  return true;
}

}  // namespace any::cdp
