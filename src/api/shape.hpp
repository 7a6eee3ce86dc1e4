#pragma once
// How the daemon's things look as JSON (docs/protocol.md), where task/json.hpp does not say it.

#include <boost/json/object.hpp>
#include <string>

#include "base/log.hpp"
#include "browser/browsers.hpp"
#include "cdp/gateway.hpp"
#include "task/types.hpp"

namespace any::api {

boost::json::object browser_json(browser::Info const& info, std::vector<std::string> const& running,
                                 cdp::Counts const& cdp);
boost::json::object line_json(log::Line const& line);
/// An ISO time, or null for 0.
boost::json::value time_json(Millis wall);

/// {"task", "seq", "time", "kind", …}: the params of the notification task.event.
std::string task_event_params(std::string_view task, task::Event const& event);

/// {"error": {…}}
std::string error_body(Error const& error);

}  // namespace any::api
