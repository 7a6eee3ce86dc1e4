#include "api/shape.hpp"
#include "task/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "wire/json.hpp"

namespace any::api {
namespace json = boost::json;

json::value time_json(Millis wall) {
  return wall == 0 ? json::value() : json::value(iso_time(wall));
}

json::object browser_json(browser::Info const& info, std::vector<std::string> const& running, cdp::Counts const& cdp) {
  json::object out;
  out["id"] = info.id;
  out["label"] = info.label;
  out["linked"] = info.linked;
  out["since"] = time_json(info.since.value_or(0));
  out["last_seen"] = time_json(info.last_seen);
  out["product"] = info.product;
  out["platform"] = info.platform;
  out["user_agent"] = info.user_agent;
  out["extension"] = info.extension;
  out["protocol"] = info.protocol;
  out["paused"] = info.paused;
  out["prototype"] = info.prototype;
  out["capabilities"] =
      json::object{{"user_scripts", info.capabilities.user_scripts}, {"debugger", info.capabilities.debugger},
                   {"incognito", info.capabilities.incognito},       {"file_urls", info.capabilities.file_urls},
                   {"all_sites", info.capabilities.all_sites},       {"javascript", info.capabilities.javascript}};
  out["ordinary_tabs"] = info.ordinary_tabs < 0 ? json::value() : json::value(info.ordinary_tabs);
  out["proxy"] = info.proxy.empty() ? json::value() : json::value(info.proxy);
  json::array tasks;
  for (auto const& id : running) tasks.emplace_back(id);
  out["running"] = std::move(tasks);
  out["cdp"] = json::object{{"clients", cdp.clients}, {"attached", cdp.attached}};
  out["address"] = info.address.empty() ? json::value() : json::value(info.address);
  out["installation"] = info.installation.empty() ? json::value() : json::value(info.installation);
  return out;
}

json::object line_json(log::Line const& line) {
  auto const or_null = [](std::string const& text) { return text.empty() ? json::value() : json::value(text); };
  json::object out;
  out["seq"] = line.seq;
  out["time"] = iso_time(line.wall);
  out["level"] = log::to_string(line.level);
  out["source"] = line.from_extension ? "extension" : "daemon";
  out["browser"] = or_null(line.browser);
  out["task"] = or_null(line.task);
  out["text"] = line.text;
  return out;
}

std::string task_event_params(std::string_view task, task::Event const& event) {
  std::string out = "{\"task\":" + wire::quote(task);
  auto const text = task::event_to_json(event);
  return out.append(text.size() > 2 ? "," : "").append(text, 1);
}

std::string error_body(Error const& error) {
  return json::serialize(json::object{{"error", to_json(error)}});
}

}  // namespace any::api
