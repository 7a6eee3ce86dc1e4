// The frames that the clients have been told of, so that a new attachment can be compared with them.

#include "cdp/impl.hpp"
#include "cdp/protocol/read.hpp"

namespace any::cdp {

namespace {

Frame read_frame(json::object const& frame) {
  return {.parent = text_in(frame, "parentId"),
          .loader = text_in(frame, "loaderId"),
          .url = text_in(frame, "url"),
          .navigated = json::serialize(frame)};
}

void walk(json::object const& tree, std::vector<std::pair<std::string, Frame>>& found) {
  auto const& frame = object_in(tree, "frame");
  if (auto id = text_in(frame, "id"); !id.empty()) found.emplace_back(std::move(id), read_frame(frame));
  auto const* children = tree.if_contains("childFrames");
  if (!children || !children->is_array()) return;
  for (auto const& child : children->get_array()) {
    if (child.is_object()) walk(child.get_object(), found);
  }
}

std::vector<std::pair<std::string, Frame>> read_tree(std::string_view answer) {
  std::vector<std::pair<std::string, Frame>> found;
  auto const said = object_of(answer);
  walk(object_in(said, "frameTree"), found);
  return found;
}

}  // namespace

void Gateway::Impl::note_frames(Target& on, std::string_view answer) {
  for (auto& [id, frame] : read_tree(answer)) {
    if (frame.parent.empty()) on.main_loader = frame.loader;
    on.frames[id] = std::move(frame);
  }
}

void Gateway::Impl::frames_restored(Target& on, std::string_view answer) {
  auto const now = read_tree(answer);
  auto const before = std::exchange(on.frames, {});
  for (auto const& [id, frame] : before) {
    bool const there = std::any_of(now.begin(), now.end(), [&id = id](auto const& row) { return row.first == id; });
    if (!there && !frame.parent.empty()) {
      spread(on, "Page.frameDetached", R"({"frameId":)" + wire::quote(id) + R"(,"reason":"remove"})");
    }
  }
  bool const came = !on.committed.empty();  // since it was asked to attach
  bool another_document = false;
  for (auto const& [id, frame] : now) {
    auto const known_one = before.find(id);
    if (known_one == before.end() && !frame.parent.empty()) {
      spread(on, "Page.frameAttached",
             R"({"frameId":)" + wire::quote(id) + R"(,"parentFrameId":)" + wire::quote(frame.parent) + "}");
    }
    // The loader of a page that was not attached was of our making: its address tells whether it is still the same
    // document.
    bool const same =
        known_one != before.end() && (known_one->second.loader == frame.loader ||
                                      (known_one->second.loader.starts_with(our_loader) &&
                                       known_one->second.url == frame.url && !(came && frame.parent.empty())));
    if (frame.parent.empty() && !same) {
      on.main_loader = frame.loader;
      if (!came) on.load_event = LoadEvent::either;
      answer_navigating(on);  // it came, and let itself be attached to, before webNavigation told it
      another_document = true;
    }
    if (!same && (known_one != before.end() || !frame.parent.empty() || !before.empty())) {
      spread(on, "Page.frameNavigated", R"({"frame":)" + frame.navigated + R"(,"type":"Navigation"})");
    }
    if (frame.parent.empty()) on.main_loader = frame.loader;
    on.frames[id] = frame;
  }
  // How far the new document has come was told before the document itself: it is told again.
  if (!another_document) return;
  for (auto const& told : on.replay.lifecycle()) spread(on, told.method, told.params);
}

void Gateway::Impl::frame_event(Target& on, std::string_view method, std::string_view params) {
  if (method == "Page.frameNavigated") {
    auto const said = object_of(params);
    auto const& frame = object_in(said, "frame");
    auto read = read_frame(frame);
    if (read.parent.empty()) {
      on.main_loader = read.loader;
      on.load_event = LoadEvent::chromes;
      answer_navigating(on);
    }
    if (read.parent.empty() && ordinary(on)) on.complete = false;
    on.frames[text_in(frame, "id")] = std::move(read);
  } else if (method == "Page.frameAttached") {
    on.frames[string_in(params, "frameId")] =
        Frame{.parent = string_in(params, "parentFrameId"), .loader = {}, .url = {}, .navigated = {}};
  } else if (method == "Page.frameDetached") {
    on.frames.erase(string_in(params, "frameId"));
  } else if (method == "Page.navigatedWithinDocument") {
    auto const found = on.frames.find(string_in(params, "frameId"));
    if (found != on.frames.end()) found->second.url = string_in(params, "url");
  }
}

}  // namespace any::cdp
