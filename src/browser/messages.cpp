#include "browser/messages.hpp"

#include <boost/json/serialize.hpp>

#include "wire/json.hpp"

namespace any::browser {

namespace json = boost::json;

namespace {

void append_tab(std::string& out, task::SendStart const& start) {
  if (start.run.hop > 0) {
    out += R"({"hop":)";
    out += std::to_string(start.hop_tab.value_or(-1));
    out += start.opened_tab ? R"(,"opened":true})" : R"(,"opened":false})";
    return;
  }
  task::TabSpec const& tab = start.request.tab;
  switch (tab.kind) {
    case task::TabSpec::Kind::active:
      out += R"("active")";
      break;
    case task::TabSpec::Kind::id:
      out += std::to_string(tab.id);
      break;
    case task::TabSpec::Kind::url:
      out += R"({"url":)";
      out += wire::quote(tab.url);
      out += '}';
      break;
    case task::TabSpec::Kind::open:
      out += R"({"open":)";
      out += wire::quote(tab.url);
      out += tab.background ? R"(,"background":true)" : R"(,"background":false)";
      out += tab.keep ? R"(,"keep":true})" : R"(,"keep":false})";
      break;
  }
}

void append_frame(std::string& out, task::FrameSpec const& frame) {
  switch (frame.kind) {
    case task::FrameSpec::Kind::main:
      out += R"("main")";
      break;
    case task::FrameSpec::Kind::all:
      out += R"("all")";
      break;
    case task::FrameSpec::Kind::id:
      out += std::to_string(frame.id);
      break;
    case task::FrameSpec::Kind::url:
      out += R"({"url":)";
      out += wire::quote(frame.url);
      out += '}';
      break;
  }
}

void append_run(std::string& out, task::RunKey const& run) {
  out += R"({"task":)";
  out += wire::quote(run.task);
  out += R"(,"attempt":)";
  out += std::to_string(run.attempt);
  out += R"(,"hop":)";
  out += std::to_string(run.hop);
}

}  // namespace

std::string start_params(task::SendStart const& start) {
  task::Request const& request = start.request;
  std::string out;
  out.reserve(512 + request.args.size() + start.hop_state.size() + request.script.size() + request.script.size() / 16);
  append_run(out, start.run);
  out += R"(,"tab":)";
  append_tab(out, start);
  out += R"(,"frame":)";
  append_frame(out, request.frame);
  out += R"(,"world":")";
  out += to_string(request.world);
  out += R"(","timeout_ms":)";
  out += request.timeout ? std::to_string(*request.timeout) : "null";
  out += R"(,"file":)";
  out += wire::quote(request.file);
  out += R"(,"avoid":[)";
  for (std::size_t i = 0; i < start.avoid.size(); ++i) {
    if (i > 0) out += ',';
    out += std::to_string(start.avoid[i]);
  }
  out += ']';
  if (start.run.hop > 0) {
    out += R"(,"navigate":)";
    out += wire::quote(start.hop_url);
  }
  out += R"(,"args":)";
  out += request.args;
  out += R"(,"state":)";
  out += start.hop_state.empty() ? "null" : start.hop_state;
  out += R"(,"script":)";
  out += wire::quote(request.script);
  out += '}';
  return out;
}

std::string cancel_params(task::SendCancel const& cancel) {
  std::string out;
  append_run(out, cancel.run);
  out += R"(,"error":)";
  out += json::serialize(to_json(cancel.error));
  out += '}';
  return out;
}

std::string run_params(task::RunKey const& run) {
  std::string out;
  append_run(out, run);
  out += '}';
  return out;
}

std::string prototype_task(task::SendStart const& start) {
  std::string out = R"({"id":)";
  out += wire::quote(task::client_id(start.request));
  out += R"(,"script":)";
  out += wire::quote(start.request.script);
  out += R"(,"timeout":)";
  if (!start.request.timeout) {
    out += "null";
  } else if (*start.request.timeout % 1000 == 0) {
    out += std::to_string(*start.request.timeout / 1000);
  } else {
    out += json::serialize(json::value(static_cast<double>(*start.request.timeout) / 1000));
  }
  out += '}';
  return out;
}

}  // namespace any::browser
