// Extensions.*, which chrome.debugger does not know. Texts of errors are Chrome's (chrome/browser/extensions).

#include "base/ids.hpp"
#include "cdp/impl.hpp"

namespace any::cdp {

namespace {

/// Of all extensions this one alone asks so little of chrome.* that its worker can do without being one.
constexpr std::string_view runtime_name = "Stagehand Runtime";
constexpr std::uint16_t gone_away = 1001;

Failure refused(std::string message, std::string why = {}) {
  return {code::server_error, std::move(message), std::move(why)};
}

/// Chrome's rule for an unpacked extension: of its folder's path, each hexadecimal digit as one of the letters a to p.
std::string extension_id(std::string_view path) {
  auto id = sha256_hex(path).substr(0, 32);
  for (auto& c : id) c = static_cast<char>('a' + (c <= '9' ? c - '0' : c - 'a' + 10));
  return id;
}

/// Chrome takes a path with slashes at its end for the one without.
std::string folder_of(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

std::vector<std::string> content_scripts(json::object const& manifest) {
  std::vector<std::string> names;
  auto const* const all = manifest.if_contains("content_scripts");
  if (!all || !all->is_array()) return names;
  for (auto const& script : all->get_array()) {
    auto const* const files = script.is_object() ? script.get_object().if_contains("js") : nullptr;
    if (!files || !files->is_array()) continue;
    for (auto const& file : files->get_array()) {
      if (file.is_string()) names.emplace_back(file.get_string());
    }
  }
  return names;
}

}  // namespace

bool Gateway::Impl::extension_method(Session&, Command const& command) {
  auto const owner = command.ticket.client;
  if (command.method == "Extensions.getExtensions") {
    // Those that the person has are not told: no client could attach to one.
    json::array list;
    for (auto const& [sandbox, extension] : extensions) {
      if (extension.owner != owner || extension.target.empty()) continue;
      list.push_back(json::object{{"id", extension.id},
                                  {"name", extension.name},
                                  {"version", extension.version},
                                  {"path", extension.path},
                                  {"enabled", true}});
    }
    reply(command.ticket, R"({"extensions":)" + json::serialize(list) + "}");
    return true;
  }
  if (command.method == "Extensions.loadUnpacked") {
    load_extension(command);
    return true;
  }
  if (command.method != "Extensions.uninstall") return false;
  Params params(command.params);
  auto const id = params.text("id");
  if (params.wrong()) {
    fail(command.ticket, *params.wrong());
    return true;
  }
  auto const* const found = extensions.find_running(owner, id);
  if (!found) {
    fail(command.ticket, refused("Uninstall failed. Reason: could not find extension."));
  } else {
    end_extension(found->sandbox, refused("Inspected target navigated or closed"));
    reply(command.ticket, "{}");
  }
  return true;
}

void Gateway::Impl::load_extension(Command const& command) {
  Params params(command.params);
  auto path = folder_of(params.text("path"));
  if (params.wrong()) return fail(command.ticket, *params.wrong());
  if (!link.up()) return fail(command.ticket, refused("The link to the browser is down: try again when it is back."));
  // A client has one at a time: loading anew begins anew.
  for (auto const before : extensions.of(command.ticket.client)) {
    end_extension(before, refused("The extension was loaded anew."));
  }
  auto id = extension_id(path);
  auto const& made = extensions.add(
      {.owner = command.ticket.client, .path = std::move(path), .id = std::move(id), .asked = command.ticket});
  files.read_text(made.path, "manifest.json", [this, sandbox = made.sandbox](Answer const& answer) {
    auto* const loading = extensions.find(sandbox);
    if (!loading) return;
    if (answer) return read_manifest(*loading, *answer);
    auto const& why = answer.error();
    end_extension(sandbox, why.code == no_folder ? refused("File path cannot be resolved.", why.data)
                                                 : refused("Manifest file is missing or unreadable", why.data));
  });
}

void Gateway::Impl::read_manifest(LoadedExtension& loading, std::string_view text) {
  auto const sandbox = loading.sandbox;
  auto const read = wire::parse_strict(text, {256});
  if (!read) return end_extension(sandbox, refused("Manifest is not valid JSON.  " + read.error().message));
  if (!read->is_object()) return end_extension(sandbox, refused("Manifest file is invalid"));
  auto const& manifest = read->get_object();
  loading.name = text_in(manifest, "name");
  loading.version = text_in(manifest, "version");
  loading.worker = text_in(object_in(manifest, "background"), "service_worker");
  for (std::string_view const needed : {"name", "version"}) {
    if (text_in(manifest, needed).empty()) {
      return end_extension(sandbox, refused("Required value '" + std::string(needed) + "' is missing or invalid."));
    }
  }
  if (loading.name != runtime_name || loading.worker.empty()) {
    return end_extension(
        sandbox, refused("any loads no extension into a person's browser over CDP, and runs only that of Stagehand 4 "
                         "beside it. Load this one by hand: chrome://extensions, Developer mode, Load unpacked."));
  }
  loading.missing = content_scripts(manifest);
  loading.missing.insert(loading.missing.begin(), loading.worker);
  read_next(sandbox);
}

void Gateway::Impl::read_next(std::uint64_t sandbox) {
  auto* const loading = extensions.find(sandbox);
  if (!loading) return;
  if (loading->missing.empty()) return open_sandbox(*loading);
  files.read_text(loading->path, loading->missing.front(), [this, sandbox](Answer const& answer) {
    auto* const still = extensions.find(sandbox);
    if (!still) return;
    auto& reading = *still;
    auto const name = reading.missing.front();
    bool const worker = reading.source.empty() && name == reading.worker;
    if (!answer) {
      return end_extension(sandbox, refused(worker ? "Could not load background script '" + name + "'."
                                                   : "Could not load javascript '" + name + "' for script.",
                                            answer.error().data));
    }
    if (worker) {
      reading.source = *answer;
    } else {
      reading.files[name] = *answer;
    }
    reading.missing.erase(reading.missing.begin());
    read_next(sandbox);
  });
}

void Gateway::Impl::open_sandbox(LoadedExtension& loading) {
  auto const sandbox = loading.sandbox;
  auto params =
      R"({"sandbox":)" + std::to_string(sandbox) + R"(,"extension":)" + wire::quote(loading.id) + R"(,"files":{)";
  for (auto const& [name, text] : std::exchange(loading.files, {})) {
    if (!params.ends_with('{')) params += ',';
    params.append(wire::quote(name)).append(":").append(wire::quote(text));
  }
  params.append(R"(},"source":)").append(wire::quote(std::exchange(loading.source, {}))).append("}");
  transport.sandbox("sandbox.open", params, [this, sandbox](Answer const& answer) { loaded(sandbox, answer); });
}

void Gateway::Impl::loaded(std::uint64_t sandbox, Answer const& answer) {
  auto* const found = extensions.find(sandbox);
  if (!found) return;
  if (!answer) return end_extension(sandbox, answer.error());
  auto& extension = *found;
  auto const url = "chrome-extension://" + extension.id + "/" + extension.worker;
  TargetInfo info{.id = make_target_id(), .type = "service_worker", .title = "Service Worker " + url, .url = url};
  info.context = default_context;
  extension.target = info.id;
  auto const asked = std::exchange(extension.asked, std::nullopt);
  auto const id = extension.id;
  make_target({.info = std::move(info), .owner = extension.owner, .sandbox = sandbox});
  reply(*asked, R"({"id":")" + id + "\"}");
}

void Gateway::Impl::end_extension(std::uint64_t sandbox, Failure const& why) {
  auto const ending = extensions.take(sandbox);
  if (!ending) return;
  if (ending->asked) fail(*ending->asked, why);
  close_worker_sockets(sandbox);
  unmake_target(ending->target);
  if (link.up())
    transport.sandbox("sandbox.close", R"({"sandbox":)" + std::to_string(sandbox) + "}", [](Answer const&) {});
}

void Gateway::Impl::extensions_of_gone(ClientId owner) {
  worker_sockets.forget(owner);
  for (auto const sandbox : extensions.of(owner)) {
    end_extension(sandbox, refused("Inspected target navigated or closed"));
  }
  for (auto const& id : made_targets.of(owner)) unmake_target(id);
}

void Gateway::Impl::sandboxes_lost() {
  for (auto const& [sandbox, extension] : extensions.take_all()) {
    auto const owner = extension.owner;
    if (extension.asked) fail(*extension.asked, refused("The link to the browser was lost."));
    close_worker_sockets(sandbox);
    unmake_target(extension.target);
    close(owner, gone_away, "the runtime of Stagehand 4 was lost with the link to the browser: connect again");
    gone(owner);
  }
}

void Gateway::Impl::sandbox_event(std::string_view path, json::object const& said) {
  auto const sandbox = static_cast<std::uint64_t>(number_in(said, "sandbox").value_or(0));
  auto const* const found = extensions.find(sandbox);
  if (!found) return;
  auto const& extension = *found;
  if (path == "sandbox.called") return binding_called(extension, text_in(said, "name"), text_in(said, "payload"));
  auto const number = number_in(said, "socket").value_or(0);
  if (path == "sandbox.dialled") return worker_dials(extension, number, text_in(said, "url"));
  auto const socket = worker_sockets.find(sandbox, number);
  if (socket == 0) return;
  if (path == "sandbox.sent") return receive(socket, text_in(said, "data"));
  if (path == "sandbox.hungup") worker_hangs_up(socket);
}

}  // namespace any::cdp
