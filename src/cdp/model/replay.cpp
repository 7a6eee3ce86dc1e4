#include "cdp/model/replay.hpp"

#include <algorithm>
#include <charconv>

#include "wire/json.hpp"

namespace any::cdp {

namespace {

/// What follows `"key":`. Inside a string its quotes would be escaped, so that nothing but a key is found.
std::string_view after(std::string_view params, std::string_view quoted_key) {
  auto const at = params.find(quoted_key);
  if (at == std::string_view::npos) return {};
  auto rest = params.substr(at + quoted_key.size());
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  return rest;
}

std::string text_after(std::string_view params, std::string_view quoted_key) {
  auto const rest = after(params, quoted_key);
  if (!rest.starts_with('"')) return {};
  auto end = rest.find('"', 1);
  while (end != std::string_view::npos && rest[end - 1] == '\\') end = rest.find('"', end + 1);
  if (end == std::string_view::npos) return {};
  auto text = wire::string_value(rest.substr(0, end + 1));
  return text ? std::move(*text) : std::string();
}

std::int64_t number_after(std::string_view params, std::string_view quoted_key) {
  auto const rest = after(params, quoted_key);
  std::int64_t number = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), number);
  return number;
}

std::size_t size_of(std::string const& method, std::string const& params) {
  return method.size() + params.size() + 128;
}

}  // namespace

void Replay::Shelf::put(Kept kept) {
  bytes += size_of(kept.told.method, kept.told.params);
  rows.push_back(std::move(kept));
  while (!rows.empty() && (rows.size() > most || bytes > most_bytes)) {
    bytes -= size_of(rows.front().told.method, rows.front().told.params);
    rows.pop_front();
  }
}

template <class Gone>
void Replay::Shelf::drop(Gone gone) {
  std::erase_if(rows, [this, &gone](Kept const& kept) {
    bool const goes = gone(kept);
    if (goes) bytes -= size_of(kept.told.method, kept.told.params);
    return goes;
  });
}

void Replay::Shelf::clear() {
  rows.clear();
  bytes = 0;
}

void Replay::note(std::string_view method, std::string_view params) {
  auto const told = [&] { return Told{std::string(method), std::string(params)}; };
  // Most events are of domains that nothing is kept of.
  switch (method.empty() ? '\0' : method.front()) {
    case 'R':
      if (method == "Runtime.consoleAPICalled") {
        console_.put({.told = told()});
      } else if (method == "Runtime.exceptionThrown") {
        console_.put({.told = told(), .number = number_after(params, R"("exceptionId":)")});
      } else if (method == "Runtime.exceptionRevoked") {
        auto const id = number_after(params, R"("exceptionId":)");
        console_.drop([id](Kept const& kept) { return kept.number == id && id != 0; });
      } else if (method == "Runtime.executionContextDestroyed") {
        auto const id = number_after(params, R"("executionContextId":)");
        scripts_.drop([id](Kept const& kept) { return kept.number == id; });
      } else if (method == "Runtime.executionContextsCleared") {
        cleared_ = true;
        console_.clear();
        scripts_.clear();
      } else if (method == "Runtime.discardConsoleEntries") {
        console_.clear();
      }
      return;
    case 'L':
      if (method == "Log.entryAdded") log_.put({.told = told()});
      if (method == "Log.clear") log_.clear();
      return;
    case 'D':
      if (method == "Debugger.scriptParsed" || method == "Debugger.scriptFailedToParse") {
        scripts_.put({.told = told(), .number = number_after(params, R"("executionContextId":)")});
      }
      return;
    case 'C':
      if (method == "CSS.styleSheetAdded") {
        sheets_.put({.told = told(),
                     .key = text_after(params, R"("styleSheetId":)"),
                     .frame = text_after(params, R"("frameId":)")});
      } else if (method == "CSS.styleSheetRemoved") {
        auto const id = text_after(params, R"("styleSheetId":)");
        sheets_.drop([&id](Kept const& kept) { return kept.key == id; });
      }
      return;
    case 'P':
      if (method == "Page.lifecycleEvent") {
        auto const frame = text_after(params, R"("frameId":)");
        auto const loader = text_after(params, R"("loaderId":)");
        bool const begins = text_after(params, R"("name":)") == "init";
        lifecycle_.drop([&](Kept const& kept) { return kept.frame == frame && (begins || kept.key != loader); });
        // Chrome does not tell of "init" to whoever asks later.
        if (!begins) lifecycle_.put({.told = told(), .key = loader, .frame = frame});
      } else if (method == "Page.frameNavigated") {
        navigated(params);
      } else if (method == "Page.frameDetached") {
        drop_frame(text_after(params, R"("frameId":)"));
      }
      return;
    default:
      return;
  }
}

void Replay::navigated(std::string_view params) {
  if (!after(params, R"("parentId":)").empty()) {
    auto const frame = text_after(params, R"("id":)");
    sheets_.drop([&frame](Kept const& kept) { return kept.frame == frame; });
    return;
  }
  // Without Runtime this alone tells that all before it is void; with it, what has come since is already the new
  // page's.
  if (!std::exchange(cleared_, false)) {
    console_.clear();
    scripts_.clear();
  }
  log_.clear();
  sheets_.clear();
}

void Replay::drop_frame(std::string_view frame) {
  auto const its = [frame](Kept const& kept) { return kept.frame == frame; };
  sheets_.drop(its);
  lifecycle_.drop(its);
}

std::vector<Replay::Told> Replay::for_domain(std::string_view domain) const {
  auto const* shelf = domain == "Runtime"    ? &console_
                      : domain == "Log"      ? &log_
                      : domain == "Debugger" ? &scripts_
                      : domain == "CSS"      ? &sheets_
                                             : nullptr;
  std::vector<Told> all;
  if (!shelf) return all;
  all.reserve(shelf->rows.size());
  for (auto const& kept : shelf->rows) all.push_back(kept.told);
  return all;
}

std::vector<Replay::Told> Replay::lifecycle() const {
  std::vector<Told> all;
  for (auto const& kept : lifecycle_.rows) all.push_back(kept.told);
  return all;
}

void Replay::forget(std::string_view domain) {
  if (domain == "Runtime") console_.clear();
  if (domain == "Log") log_.clear();
  if (domain == "Debugger") scripts_.clear();
  if (domain == "CSS") sheets_.clear();
  if (domain == "Page") lifecycle_.clear();
}

void Replay::clear() {
  *this = Replay();
}

}  // namespace any::cdp
