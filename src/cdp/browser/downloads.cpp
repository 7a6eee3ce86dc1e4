// Browser.setDownloadBehavior and what follows from it. chrome.debugger refuses it, yet pages tell of their downloads:
// Chrome saves each where the person's settings say; once it is whole, the file is moved to where the client wants it,
// and only then the client is told that it is complete. The entry in the browser's own list stays (the person shall see
// what was downloaded), shown as moved away.

#include "cdp/browser/downloads.hpp"

#include "cdp/impl.hpp"

namespace any::cdp {

namespace {

constexpr std::size_t most_running = 1'000, most_items = 100;
constexpr std::size_t most_bytes = 240;  ///< of a file's name: 255, and a copy under way ends in ".part"
constexpr Millis ask_wait =
    3'000;  ///< Chrome gives a download its place within some milliseconds, unless it asks for it
constexpr Millis join_wait = 1'000;  ///< chrome.downloads tells of an item some milliseconds after the page

std::string one(std::int64_t id) {
  return "[" + std::to_string(id) + "]";
}

/// Cut to what file systems take, whole characters; its ending stays.
std::string short_name(std::string_view name) {
  if (name.size() <= most_bytes) return std::string(name);
  auto const dot = name.rfind('.');
  auto const ending = dot != name.npos && name.size() - dot <= most_bytes / 4 ? name.substr(dot) : "";
  auto end = most_bytes - ending.size();
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;
  return std::string(name.substr(0, end)).append(ending);
}

/// A name without a folder.
std::string plain_name(std::string_view name) {
  if (auto const slash = name.find_last_of("/\\"); slash != name.npos) name.remove_prefix(slash + 1);
  return name.empty() || name == "." || name == ".." ? "download" : short_name(name);
}

std::string in_folder(std::string_view folder, std::string_view name) {
  std::string path(folder);
  if (!path.ends_with('/') && !path.ends_with('\\')) path += '/';
  return path.append(name);
}

std::string site_pattern(std::string_view url) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) return {};
  return std::string(url.substr(0, url.find_first_of("/?#", url.find("://") + 3))) + "/*";
}

/// What keeps Chrome from saving it, in words for a person; empty: nothing does.
std::string what_holds(Download const& download, json::object const& item) {
  auto const state = text_in(item, "state"), danger = text_in(item, "danger");
  auto const name = "\"" + download.name + "\"";
  bool const given_up = state == "interrupted" && text_in(item, "error") == "USER_CANCELED";
  if (text_in(item, "filename").empty() && (state == "in_progress" || given_up)) {
    return "Chrome " + std::string(given_up ? "asked the person where to save " : "asks the person where to save ") +
           name + (given_up ? ", in vain" : ", and no extension can answer for them") +
           R"(. "Ask where to save each file before downloading" can be switched off in chrome://settings/downloads.)";
  }
  if (state == "in_progress" && !danger.empty() && danger != "safe" && danger != "accepted") {
    return "Chrome holds " + name + " back as dangerous (" + danger +
           ") until the person keeps it in chrome://downloads.";
  }
  return {};
}

bool same_url(Download const& download, DownloadItem const& item) {
  if (download.url == item.final_url || download.url == item.url) return true;
  // Long ones are told cut off.
  return download.url.starts_with("data:") && item.url.starts_with("data:");
}

}  // namespace

bool Gateway::Impl::download_method(Session& by, Command const& command) {
  auto const& method = command.method;
  Params params(command.params);
  if (method == "Browser.cancelDownload") {
    auto const guid = params.text("guid");
    auto const meant = context_meant(by, params);
    if (params.wrong() || !meant) {
      fail(command.ticket, params.wrong() ? *params.wrong() : meant.error());
      return true;
    }
    if (put_off(command)) return true;
    auto* const download = downloads.find(guid);
    if (!download) {
      fail(command.ticket, {code::bad_params, "No download item found for the given GUID"});
      return true;
    }
    if (download->id < 0) {  // cancelled as soon as its number is known
      download->cancelling = true;
      reply(command.ticket, "{}");
      return true;
    }
    transport.chrome("downloads.cancel", one(download->id), [this, ticket = command.ticket](Answer const& answer) {
      answer ? reply(ticket, "{}") : fail(ticket, answer.error());
    });
    return true;
  }
  bool const of_page = method == "Page.setDownloadBehavior";
  if (!of_page && method != "Browser.setDownloadBehavior") return false;
  auto const behavior = params.text("behavior");
  auto const path = params.maybe_text("downloadPath");
  auto const told = params.maybe_flag("eventsEnabled");
  auto const meant = context_meant(by, params);
  bool const saves = behavior == "allow" || behavior == "allowAndName";
  if (params.wrong() || !meant) {
    fail(command.ticket, params.wrong() ? *params.wrong() : meant.error());
    return true;
  }
  if (saves && (!path || path->empty())) {
    fail(command.ticket, {code::bad_params, "downloadPath not provided"});
    return true;
  }
  std::pair const whose{by.client, *meant};
  if (saves || behavior == "deny") {
    downloads.wishes[whose] = {.kind = behavior == "deny"    ? DownloadWish::Kind::deny
                                       : behavior == "allow" ? DownloadWish::Kind::allow
                                                             : DownloadWish::Kind::allow_and_name,
                               .path = path.value_or("")};
  } else {
    downloads.wishes.erase(whose);
  }
  if (!of_page) {
    if (told.value_or(false)) {
      downloads.listeners.emplace(by.client, by.id);
    } else {
      downloads.listeners.erase({by.client, by.id});
    }
  }
  hear_downloads();
  reply(command.ticket, "{}");
  return true;
}

void Gateway::Impl::hear_downloads() {
  name_downloads();
  for (auto const& [id, on] : targets) hear_downloads(*on);
}

void Gateway::Impl::name_downloads() {
  std::pair<bool, bool> wanted;
  for (auto const& [whose, wish] : downloads.wishes) {
    if (wish.kind == DownloadWish::Kind::deny) continue;
    (incognito_context(whose.second) ? wanted.second : wanted.first) = true;
  }
  if (!link.up() || wanted == downloads.naming) return;
  downloads.naming = wanted;
  transport.name_downloads(wanted.first, wanted.second);
}

void Gateway::Impl::hear_downloads(Target& on) {
  if (!on.attachment.ready() || !ordinary(on)) return;
  bool const wish = downloads.wanted() || enabled(on, "Page");
  if (wish == on.enabled.contains("Page")) return;
  if (wish) {
    on.enabled["Page"] = 1;
  } else {
    on.enabled.erase("Page");
    on.replay.forget("Page");
  }
  tell(on, wish ? "Page.enable" : "Page.disable", "{}");
}

void Gateway::Impl::download_event(Target& on, std::string_view method, std::string_view params) {
  if (!downloads.wanted()) return;
  auto const said = object_of(params);
  auto const guid = text_in(said, "guid");
  auto* known_one = downloads.find(guid);
  if (method == "Page.downloadWillBegin") {
    if (known_one) return;
    auto& download = downloads.running.emplace_back();
    download.guid = guid;
    download.target = on.info.id;
    download.url = text_in(said, "url");
    download.name = plain_name(text_in(said, "suggestedFilename"));
    download.context = on.info.context.empty() ? default_context : on.info.context;
    bool saved = false;
    for (auto const& [whose, wish] : downloads.wishes) {
      if (whose.second != download.context) continue;
      if (wish.kind == DownloadWish::Kind::deny) download.denied = true;
      if (wish.kind == DownloadWish::Kind::deny || saved) continue;
      saved = true;
      // Chrome would ask the person whether this site may download several files.
      Grant several{.client = whose.first,
                    .context = download.context,
                    .type = "automaticDownloads",
                    .pattern = site_pattern(on.info.url),
                    .setting = "allow",
                    .incognito = incognito_context(download.context)};
      if (!several.pattern.empty() && !grants.covers(several)) grant(std::move(several), [](Answer const&) {});
    }
    download.denied = download.denied && !saved;
    for (auto const& [client_id, name] : downloads.listeners) {
      if (auto const* to = session(client_id, name)) event(*to, "Browser.downloadWillBegin", params);
    }
    if (downloads.running.size() > most_running) downloads.running.pop_front();
    join(download);
    return;
  }
  if (!known_one || method != "Page.downloadProgress") return;
  auto& download = *known_one;
  auto const raw = [params](std::string_view key) {
    auto const value = raw_in(params, key);
    return value.empty() ? std::string("0") : std::string(value);
  };
  download.total = raw("totalBytes");
  download.received = raw("receivedBytes");
  auto const state = text_in(said, "state");
  if (state == "completed") {
    download.ended = true;
    finish(download);
  } else if (state == "canceled") {
    tell_what_holds(download);
    tell_download(download, "canceled", {});
    drop_download(guid);
  } else {
    tell_download(download, "inProgress", {});
  }
}

void Gateway::Impl::chrome_download(std::string_view path, json::array const& args) {
  if (!downloads.wanted() || args.empty() || !args[0].is_object()) return;
  auto const& said = args[0].get_object();
  auto const id = number_in(said, "id").value_or(-1);
  if (path == "downloads.onCreated") {
    downloads.items.push_back({id, text_in(said, "url"), text_in(said, "finalUrl")});
    if (downloads.items.size() > most_items) downloads.items.pop_front();
    for (auto& download : downloads.running) {
      if (download.id >= 0) continue;
      join(download);
      if (download.id == id) break;
    }
  } else if (path == "downloads.onChanged") {
    auto* const download = downloads.find(id);
    if (download && said.contains("danger")) tell_what_holds(*download);
    auto const state = text_in(object_in(said, "state"), "current");
    if (!download || state.empty()) return;
    if (state == "complete") {
      download->ended = true;
      finish(*download);
    } else if (state == "interrupted") {
      auto const guid = download->guid;
      tell_download(*download, "canceled", {});
      drop_download(guid);
    }
  }
}

void Gateway::Impl::join(Download& download) {
  auto const item = std::find_if(downloads.items.begin(), downloads.items.end(),
                                 [&download](DownloadItem const& told) { return same_url(download, told); });
  if (item == downloads.items.end()) return;
  download.id = item->id;
  downloads.items.erase(item);
  if (download.denied || download.cancelling) {
    transport.chrome("downloads.cancel", one(download.id), [](Answer const&) {});
  }
  if (download.ended) return finish(download);
  timers.after(ask_wait, [this, guid = download.guid] {
    if (auto* const still = downloads.find(guid); still && !still->ended) tell_what_holds(*still);
  });
}

void Gateway::Impl::tell_what_holds(Download const& download) {
  if (download.id < 0 || download.denied || download.cancelling) return;
  auto const args = json::serialize(json::array{json::object{{"id", download.id}}});
  transport.chrome("downloads.search", args, [this, copy = download](Answer const& answer) {
    if (!answer) return;
    auto read = wire::parse_strict(*answer, {256});
    if (!read || !read->is_array() || read->get_array().empty() || !read->get_array()[0].is_object()) return;
    if (auto const text = what_holds(copy, read->get_array()[0].get_object()); !text.empty()) warn_page(copy, text);
  });
}

void Gateway::Impl::warn_page(Download const& download, std::string_view text) {
  auto* const on = target(download.target);
  if (!on) return;
  spread(*on, "Log.entryAdded",
         R"({"entry":{"source":"other","level":"warning","text":)" + wire::quote("any: " + std::string(text)) +
             R"(,"timestamp":)" + std::to_string(clock.now().wall) + "}}");
}

void Gateway::Impl::finish(Download& download) {
  if (download.looking) return;
  download.looking = true;
  auto const guid = download.guid;
  if (download.id < 0) {
    // chrome.downloads has not told of it (yet).
    timers.after(join_wait, [this, guid] {
      auto* const still = downloads.find(guid);
      if (!still) return;
      still->looking = false;
      if (still->id >= 0) return finish(*still);
      tell_download(*still, "canceled", {});
      drop_download(guid);
    });
    return;
  }
  auto const args = json::serialize(json::array{json::object{{"id", download.id}}});
  transport.chrome("downloads.search", args, [this, guid](Answer const& answer) {
    auto* const still = downloads.find(guid);
    if (!still) return;
    still->looking = false;
    if (!answer) {
      if (answer.error().code == link_lost) return;  // asked again when the link is back
      tell_download(*still, "canceled", {});
      return drop_download(guid);
    }
    auto read = wire::parse_strict(*answer, {256});
    auto const item = read && read->is_array() && !read->get_array().empty() && read->get_array()[0].is_object()
                          ? read->get_array()[0].get_object()
                          : json::object();
    auto const state = text_in(item, "state");
    if (state == "in_progress") return;  // downloads.onChanged will say when
    if (state != "complete" || still->denied) {
      if (still->denied && still->id >= 0)
        transport.chrome("downloads.removeFile", one(still->id), [](Answer const&) {});
      tell_download(*still, "canceled", {});
      return drop_download(guid);
    }
    still->looking = true;
    if (auto const size = number_in(item, "fileSize"); size && *size >= 0) {
      still->total = still->received = std::to_string(*size);
    }
    deliver(guid, text_in(item, "filename"));
  });
}

void Gateway::Impl::deliver(std::string const& guid, std::string const& file) {
  auto const* download = downloads.find(guid);
  if (!download) return;
  // Each client that asked for it gets the file under its own path: the last of them the file itself.
  std::vector<std::pair<ClientId, std::string>> to;
  for (auto const& [whose, wish] : downloads.wishes) {
    if (whose.second != download->context || wish.kind == DownloadWish::Kind::deny) continue;
    bool const named = wish.kind == DownloadWish::Kind::allow_and_name;
    to.emplace_back(whose.first, in_folder(wish.path, named ? download->guid : download->name));
  }
  struct Delivery {
    std::size_t left = 0;
    std::map<ClientId, std::string> paths;  ///< empty: it could not be had
    std::string last;
  };
  auto const delivery = std::make_shared<Delivery>();
  delivery->left = to.size();
  delivery->last = file;
  auto done = [this, guid, delivery] {
    if (auto* const still = downloads.find(guid)) {
      for (auto const& [whose, name] : downloads.listeners) delivery->paths.try_emplace(whose, delivery->last);
      tell_download(*still, "completed", delivery->paths);
    }
    drop_download(guid);
  };
  if (to.empty()) return done();
  // A copy after the other, and the move at last.
  auto const step = std::make_shared<std::function<void(std::size_t)>>();
  *step = [this, guid, delivery, to, file, done, weak = std::weak_ptr(step)](std::size_t at) {
    bool const last = at + 1 == to.size();
    auto placed = [this, guid, delivery, to, at, last, done, next = weak.lock()](Answer const& answer) {
      auto const* const whose = downloads.find(guid);
      if (!answer && whose) warn_page(*whose, answer.error().message);
      delivery->paths[to[at].first] = answer ? to[at].second : std::string();
      if (answer && last) delivery->last = to[at].second;
      last ? done() : (*next)(at + 1);
    };
    last ? files.move(file, to[at].second, std::move(placed)) : files.copy(file, to[at].second, std::move(placed));
  };
  (*step)(0);
}

void Gateway::Impl::tell_download(Download const& download, std::string_view state,
                                  std::map<ClientId, std::string> const& paths) {
  for (auto const& [client_id, name] : downloads.listeners) {
    auto const* to = session(client_id, name);
    if (!to) continue;
    auto const path = paths.find(client_id);
    // What could not be brought to the client's folder must not look as if it lay there.
    bool const missing = path != paths.end() && path->second.empty();
    std::string params = R"({"guid":)" + wire::quote(download.guid) + R"(,"totalBytes":)" + download.total +
                         R"(,"receivedBytes":)" + download.received + R"(,"state":")" +
                         (missing ? "canceled" : std::string(state)) + "\"";
    if (path != paths.end() && !missing) params += R"(,"filePath":)" + wire::quote(path->second);
    event(*to, "Browser.downloadProgress", params + "}");
  }
}

void Gateway::Impl::drop_download(std::string const& guid) {
  downloads.running.remove_if([&guid](Download const& download) { return download.guid == guid; });
}

void Gateway::Impl::look_for_downloads() {
  std::vector<std::string> guids;
  for (auto const& download : downloads.running) {
    if (download.id >= 0 && !download.looking) guids.push_back(download.guid);
  }
  for (auto const& guid : guids) {
    if (auto* const download = downloads.find(guid)) finish(*download);
  }
}

}  // namespace any::cdp
