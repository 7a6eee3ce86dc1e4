#pragma once
// A store behind another one: passes everything on. Tests override what they disturb.

#include "store/store.hpp"

namespace any::store_test {

class WrappedStore : public store::Store {
 public:
  explicit WrappedStore(std::unique_ptr<store::Store> inner) : inner_{std::move(inner)} {}
  Result<void> apply(std::vector<task::Write> const& writes, bool sync) override { return inner_->apply(writes, sync); }
  Result<std::vector<task::Record>> load_live() override { return inner_->load_live(); }
  Result<store::Stored> get(std::string_view id) override { return inner_->get(id); }
  Result<std::vector<task::Record>> list(store::ListQuery const& query) override { return inner_->list(query); }
  Result<std::vector<task::Event>> events(std::string_view id, std::uint64_t after) override {
    return inner_->events(id, after);
  }
  Result<std::string> screenshot(std::string_view id) override { return inner_->screenshot(id); }
  Result<store::Totals> totals() override { return inner_->totals(); }
  Result<std::vector<store::BrowserRow>> browsers() override { return inner_->browsers(); }
  Result<void> put_browser(store::BrowserRow const& row) override { return inner_->put_browser(row); }
  Result<void> forget_browser(std::string_view id) override { return inner_->forget_browser(id); }
  Result<std::string> meta(std::string_view name) override { return inner_->meta(name); }
  Result<void> put_meta(std::string_view name, std::string_view value) override {
    return inner_->put_meta(name, value);
  }
  Result<bool> prune(Millis wall, std::uint64_t bytes) override { return inner_->prune(wall, bytes); }

 protected:
  std::unique_ptr<store::Store> inner_;
};

}  // namespace any::store_test
