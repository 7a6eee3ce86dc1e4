#pragma once
// The extensions that wanted to link and may not: they cannot say so themselves.

#include <algorithm>
#include <string>
#include <vector>

namespace any::api {

class RefusedExtensions {
 public:
  /// True where this id is a new one. So many are kept that a person finds theirs, and no more: an id can be made up.
  bool add(std::string const& id) {
    if (ids_.size() >= most || std::ranges::find(ids_, id) != ids_.end()) return false;
    ids_.push_back(id);
    return true;
  }
  std::vector<std::string> const& ids() const { return ids_; }

 private:
  static constexpr std::size_t most = 8;
  std::vector<std::string> ids_;
};

}  // namespace any::api
