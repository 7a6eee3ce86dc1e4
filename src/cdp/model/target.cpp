#include "cdp/model/target.hpp"

#include "cdp/protocol/read.hpp"

namespace any::cdp {

std::string info_json(TargetInfo const& info, bool attached) {
  std::string text = R"({"targetId":)" + wire::quote(info.id) + R"(,"type":)" + wire::quote(info.type) +
                     R"(,"title":)" + wire::quote(info.title) + R"(,"url":)" + wire::quote(info.url) +
                     R"(,"attached":)" + (attached ? "true" : "false");
  auto const put = [&text](std::string_view key, std::string const& value) {
    if (!value.empty()) text.append(",\"").append(key).append("\":").append(wire::quote(value));
  };
  put("openerId", info.opener);
  text += R"(,"canAccessOpener":)";
  text += info.opener.empty() ? "false" : "true";
  put("openerFrameId", info.opener_frame);
  put("parentFrameId", info.parent_frame);
  put("browserContextId", info.context);
  put("subtype", info.subtype);
  return text + "}";
}

TargetFilter::TargetFilter() : rows_{{"browser", true}, {"tab", true}, {"", false}} {}

boost::system::result<TargetFilter, Failure> TargetFilter::read(json::value const& filter) {
  if (!filter.is_array()) return bad_params("Failed to deserialize params.filter - BINDINGS: array expected");
  TargetFilter read;
  read.rows_.clear();
  for (auto const& row : filter.get_array()) {
    if (!row.is_object()) return bad_params("Failed to deserialize params.filter - BINDINGS: dictionary expected");
    read.rows_.push_back({text_in(row.get_object(), "type"), flag_in(row.get_object(), "exclude")});
  }
  return read;
}

bool TargetFilter::lets(std::string_view type) const {
  for (auto const& row : rows_) {
    if (row.type.empty() || row.type == type) return !row.exclude;
  }
  return false;
}

}  // namespace any::cdp
