#pragma once
// A client's params read as Chrome reads them: the first that is missing or of the wrong type is remembered, in the
// words of Chrome's own dispatcher (third_party/inspector_protocol/crdtp).

#include "cdp/protocol/command.hpp"
#include "cdp/protocol/read.hpp"

namespace any::cdp {

class Params {
 public:
  explicit Params(std::string_view raw) {
    auto read = wire::parse_strict(raw, {256});
    if (!read) {
      wrong_ = bad_params(read.error().message);
    } else if (read->is_object()) {
      members_ = std::move(read->get_object());
    }
  }
  /// `path`: how errors name it, such as "params.cookies".
  Params(json::object members, std::string path) : members_(std::move(members)), path_(std::move(path)) {}

  std::string text(std::string_view key) { return must(key) ? maybe_text(key).value_or("") : std::string(); }
  std::optional<std::string> maybe_text(std::string_view key) {
    auto const* value = members_.if_contains(key);
    if (!value) return std::nullopt;
    if (value->is_string()) return std::string(value->get_string());
    expected(key, "BINDINGS: string value expected");
    return std::nullopt;
  }
  std::int64_t whole(std::string_view key) { return must(key) ? maybe_whole(key).value_or(0) : 0; }
  std::optional<std::int64_t> maybe_whole(std::string_view key) {
    if (!members_.contains(key)) return std::nullopt;
    auto const number = number_in(members_, key);
    if (!number) expected(key, "BINDINGS: int32 value expected");
    return number;
  }
  std::optional<double> maybe_number(std::string_view key) {
    auto const* value = members_.if_contains(key);
    if (!value) return std::nullopt;
    if (value->is_number()) return value->to_number<double>();
    expected(key, "BINDINGS: double value expected");
    return std::nullopt;
  }
  bool flag(std::string_view key) { return maybe_flag(key).value_or(false); }
  std::optional<bool> maybe_flag(std::string_view key) {
    auto const* value = members_.if_contains(key);
    if (!value) return std::nullopt;
    if (value->is_bool()) return value->get_bool();
    expected(key, "BINDINGS: bool value expected");
    return std::nullopt;
  }
  json::array const& list(std::string_view key) {
    static json::array const none;
    if (!must(key)) return none;
    auto const& value = members_.at(key);
    if (value.is_array()) return value.get_array();
    expected(key, "CBOR: array start expected");
    return none;
  }
  /// An object; nullopt where it is missing (an error only where `needed`).
  std::optional<Params> object(std::string_view key, bool needed) {
    auto const* value = members_.if_contains(key);
    if (!value) {
      if (needed) must(key);
      return std::nullopt;
    }
    if (value->is_object()) return Params(value->get_object(), path_ + "." + std::string(key));
    expected(key, "CBOR: map start expected");
    return std::nullopt;
  }
  bool has(std::string_view key) const { return members_.contains(key); }
  /// What is wrong with what has been read so far.
  std::optional<Failure> const& wrong() const { return wrong_; }
  void take_wrong(Params const& inner) {
    if (!wrong_) wrong_ = inner.wrong_;
  }

 private:
  bool must(std::string_view key) {
    if (members_.contains(key)) return true;
    expected(key, "BINDINGS: mandatory field missing");
    return false;
  }
  void expected(std::string_view key, std::string_view what) {
    if (!wrong_) {
      wrong_ = bad_params("Failed to deserialize " + path_ + "." + std::string(key) + " - " + std::string(what));
    }
  }

  json::object members_;
  std::string path_ = "params";
  std::optional<Failure> wrong_;
};

}  // namespace any::cdp
