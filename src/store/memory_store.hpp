#pragma once
// A journal that is gone with its process: for tests and simulated use.

#include <map>

#include "store/store.hpp"

namespace any::store {

class MemoryStore final : public Store {
 public:
  Result<void> apply(std::vector<task::Write> const& writes, bool sync) override;
  Result<std::vector<task::Record>> load_live() override;
  Result<Stored> get(std::string_view id) override;
  Result<std::vector<task::Record>> list(ListQuery const& query) override;
  Result<std::vector<task::Event>> events(std::string_view id, std::uint64_t after) override;
  Result<std::string> screenshot(std::string_view id) override;
  Result<Totals> totals() override;
  Result<std::vector<BrowserRow>> browsers() override;
  Result<void> put_browser(BrowserRow const& row) override;
  Result<void> forget_browser(std::string_view id) override;
  Result<std::string> meta(std::string_view name) override;
  Result<void> put_meta(std::string_view name, std::string_view value) override;
  Result<bool> prune(Millis wall, std::uint64_t bytes) override;

 private:
  struct Entry {
    task::Record record;
    std::optional<std::string> result{};
    std::string screenshot{};
    std::map<std::uint64_t, task::Event> events{};
    std::uint64_t order = 0;  // of insertion
    std::size_t bytes() const;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  /// The entries as a transaction sees them: those it has changed, before those of the store.
  struct Changes {
    Entries changed{};
    Totals totals{};
    void count_end(task::State state) {
      totals.completed += state == task::State::completed;
      totals.failed += state == task::State::failed;
      totals.cancelled += state == task::State::cancelled;
    }
  };
  Result<void> write(task::InsertTask const& write, Changes& changes);
  Result<void> write(task::UpdateTask const& write, Changes& changes);
  Result<void> write(task::FinishTask const& write, Changes& changes);
  Result<void> write(task::AppendEvent const& write, Changes& changes);
  Entry* changed(std::string_view id, Changes& changes);
  Result<Entry*> update(task::Record const& record, Changes& changes);
  Result<Entry const*> find(std::string_view id) const;
  static task::Record whole_record(Entry const& entry);

  Entries entries_;
  std::map<std::string, BrowserRow, std::less<>> browsers_;
  std::map<std::string, std::string, std::less<>> meta_;
  Totals totals_;
  std::uint64_t inserted_ = 0;
};

}  // namespace any::store
