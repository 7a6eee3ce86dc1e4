#include "store/journal.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <set>
#include <span>
#include <thread>
#include <utility>
#include <variant>

#include "base/guard.hpp"
#include "base/log.hpp"

namespace any::store {
namespace {

using Clock = std::chrono::steady_clock;
using Calls = std::vector<std::function<void()>>;

struct Append {
  std::vector<task::Write> writes;
  bool durable = false;
  Done<void> done;
};

/// What the store gives; where it throws, InternalError.
template <class T, class Ask>
Result<T> asked(Ask const& ask) {
  constexpr std::string_view what = "a call of the journal's store";
  auto result = Result<T>(internal_error(what));
  guarded(what, [&] { result = ask(); });
  return result;
}

/// Anything else: runs on the store, and gives what is to be posted.
struct Operation {
  std::function<std::function<void()>(Store&)> run;
  bool writes = false;  // ends a group: what was appended before it is committed before it
  bool lazy = false;
};

struct Item {
  std::variant<Append, Operation> what;
  Clock::time_point due;  // when it must be looked after
};

std::string_view task_of(task::Write const& write) {
  struct Id {
    std::string_view operator()(task::AppendEvent const& each) const { return each.task; }
    std::string_view operator()(task::InsertTask const& each) const { return each.record.request.id; }
    std::string_view operator()(task::UpdateTask const& each) const { return each.record.request.id; }
    std::string_view operator()(task::FinishTask const& each) const { return each.record.request.id; }
  };
  return std::visit(Id{}, write);
}

template <class T>
std::function<void()> call(Done<T> done, Result<T> result) {
  if (!done) return {};
  return [done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); };
}

Error closed() {
  return {ErrorName::UnavailableError, "The journal is closed: the daemon is shutting down."};
}

constexpr int max_tries = 64;  // of writes that are kept, one by one, in one round

bool may_pass(Error const& error) {
  return error.name == ErrorName::DiskFullError;
}

}  // namespace

struct Journal::Impl {
  Impl(std::unique_ptr<Store> the_store, Post the_post, JournalOptions the_options)
      : store{std::move(the_store)}, post{std::move(the_post)}, options{the_options}, thread{[this] { work(); }} {}

  template <class T>
  void read(Done<T> done, std::function<Result<T>(Store&)> ask) {
    run<T>({.run = {}, .writes = false, .lazy = false}, std::move(done), std::move(ask));
  }

  template <class T>
  void run(Operation operation, Done<T> done, std::function<Result<T>(Store&)> ask) {
    auto refuse = [done] { return call<T>(done, closed()); };
    operation.run = [done = std::move(done), ask = std::move(ask)](Store& on) {
      return call<T>(done, asked<T>([&] { return ask(on); }));
    };
    auto const lazy = operation.lazy;
    push({.what = std::move(operation), .due = due(lazy)}, refuse);
  }

  Clock::time_point due(bool lazy) const { return lazy ? Clock::now() + options.lazy : Clock::time_point::min(); }

  /// `refuse` makes the call that says that the journal is closed.
  template <class Refuse>
  void push(Item item, Refuse const& refuse) {
    {
      std::lock_guard const lock{mutex};
      if (!closing) {
        queue.push_back(std::move(item));
        // A lazy one behind another changes nothing that the thread waits for.
        if (queue.back().due != Clock::time_point::min() && queue.size() > 1) return;
        wake.notify_one();
        return;
      }
    }
    if (auto refusal = refuse()) post(std::move(refusal));
  }

  void work() noexcept;
  /// Does what waits; false after the last.
  bool round();
  std::deque<Item> take(std::unique_lock<std::mutex>& lock);
  void commit(std::vector<Append> group, Calls& calls);
  void commit_one_by_one(std::vector<Append> group, Error const& first, Calls& calls);
  Result<void> apply(std::span<Append> group);
  void keep(Append append, Error const& error, Calls& calls);
  void finish_kept(Calls& calls);

  std::unique_ptr<Store> store;
  Post post;
  JournalOptions const options;
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Item> queue;
  bool closing = false;
  std::atomic<std::uint64_t> commits{0}, appends{0}, failures{0};

  // The thread's own.
  std::deque<Append> kept;  // not durable, and the disk was full
  std::size_t kept_writes = 0;
  Clock::time_point retry_at{};

  std::thread thread;  // the last member: it uses the others
};

std::deque<Item> Journal::Impl::take(std::unique_lock<std::mutex>& lock) {
  for (;;) {
    auto const now = Clock::now();
    auto next = kept.empty() ? Clock::time_point::max() : retry_at;
    for (auto const& item : queue) {
      next = std::min(next, item.due);
      if (next <= now) break;
    }
    if (closing || next <= now) return std::exchange(queue, {});
    if (next == Clock::time_point::max()) {
      wake.wait(lock);
    } else {
      wake.wait_until(lock, next);
    }
  }
}

// Without this thread nobody would ever be answered again; what it has answered is on disk, and the next start goes on
// from there.
void Journal::Impl::work() noexcept {
  try {
    while (round()) {
    }
  } catch (...) {
    log_bug("the journal's thread", std::current_exception());
    log::error("The daemon ends: it cannot go on without its journal.");
    std::abort();
  }
}

bool Journal::Impl::round() {
  std::unique_lock lock{mutex};
  auto items = take(lock);
  auto const last = closing && items.empty();
  lock.unlock();

  // Rounds of: appends up to the bound in one transaction, then the reads that stood among them.
  std::vector<Append> group;
  std::vector<std::function<std::function<void()>(Store&)>> reads;
  std::size_t writes = 0;
  auto const flush = [&] {
    Calls calls;
    if (!group.empty() || !kept.empty()) commit(std::exchange(group, {}), calls);
    for (auto const& read : reads) calls.push_back(read(*store));
    reads.clear();
    writes = 0;
    std::erase_if(calls, [](auto const& each) { return !each; });
    if (calls.empty()) return;
    post([calls = std::move(calls)] {
      // One that fails must not keep the others from their answers.
      for (auto const& each : calls) guarded("an answer of the journal", each);
    });
  };
  for (auto& item : items) {
    if (auto* append = std::get_if<Append>(&item.what)) {
      if (writes > 0 && writes + append->writes.size() > options.max_batch) flush();
      writes += append->writes.size();
      group.push_back(std::move(*append));
    } else {
      auto& operation = std::get<Operation>(item.what);
      if (operation.writes) flush();
      reads.push_back(std::move(operation.run));
      if (operation.writes) flush();
    }
  }
  flush();
  if (!last) return true;
  Calls calls;
  finish_kept(calls);
  for (auto& each : calls) post(std::move(each));
  store.reset();
  return false;
}

Result<void> Journal::Impl::apply(std::span<Append> group) {
  std::vector<task::Write> writes;
  auto durable = false;
  for (auto& each : group) {
    durable = durable || each.durable;
    std::move(each.writes.begin(), each.writes.end(), std::back_inserter(writes));
  }
  auto const done = asked<void>([&] { return store->apply(writes, durable); });
  if (done) {
    ++commits;
    appends += group.size();
    return done;
  }
  ++failures;
  auto from = writes.begin();
  for (auto& each : group) {
    auto const to = from + static_cast<std::ptrdiff_t>(each.writes.size());
    std::move(from, to, each.writes.begin());
    from = to;
  }
  return done;
}

void Journal::Impl::commit(std::vector<Append> group, Calls& calls) {
  if (!kept.empty()) {
    group.insert(group.begin(), std::make_move_iterator(kept.begin()), std::make_move_iterator(kept.end()));
    kept.clear();
    kept_writes = 0;
  }
  auto const done = apply(group);
  if (!done) return commit_one_by_one(std::move(group), done.error(), calls);
  for (auto& each : group) calls.push_back(call<void>(std::move(each.done), {}));
}

void Journal::Impl::commit_one_by_one(std::vector<Append> group, Error const& first, Calls& calls) {
  auto const alone = group.size() == 1;
  auto full = first;
  std::set<std::string, std::less<>> waiting;  // tasks with writes that are kept: later ones may not overtake them
  int kept_now = 0;
  for (auto& each : group) {
    auto const must_wait = std::any_of(each.writes.begin(), each.writes.end(),
                                       [&](auto const& write) { return waiting.contains(task_of(write)); });
    auto const skip = must_wait || (!each.durable && kept_now >= max_tries);
    auto const done = alone ? Result<void>{first} : skip ? Result<void>{full} : apply({&each, 1});
    if (done) {
      calls.push_back(call<void>(std::move(each.done), {}));
    } else if (each.durable || !may_pass(done.error())) {
      calls.push_back(call<void>(std::move(each.done), done.error()));
    } else {
      full = done.error();
      for (auto const& write : each.writes) waiting.emplace(task_of(write));
      ++kept_now;
      keep(std::move(each), full, calls);
    }
  }
}

void Journal::Impl::keep(Append append, Error const& error, Calls& calls) {
  kept_writes += append.writes.size();
  kept.push_back(std::move(append));
  retry_at = Clock::now() + options.retry;
  while (kept_writes > options.max_kept) {
    kept_writes -= kept.front().writes.size();
    calls.push_back(call<void>(std::move(kept.front().done), error));
    kept.pop_front();
  }
}

void Journal::Impl::finish_kept(Calls& calls) {
  for (auto& each : kept) {
    calls.push_back(call<void>(
        std::move(each.done),
        Error{ErrorName::DiskFullError, "The disk stayed full until the daemon's end; this was not written."}));
  }
  kept.clear();
  std::erase_if(calls, [](auto const& each) { return !each; });
}

Journal::Journal(std::unique_ptr<Store> store, Post post, JournalOptions options)
    : impl_{std::make_unique<Impl>(std::move(store), std::move(post), options)} {}

Journal::~Journal() {
  close();
}

void Journal::close() {
  {
    std::lock_guard const lock{impl_->mutex};
    impl_->closing = true;
  }
  impl_->wake.notify_one();
  if (impl_->thread.joinable()) impl_->thread.join();
}

void Journal::append(std::vector<task::Write> writes, bool durable, Done<void> done) {
  auto refuse = [done] { return call<void>(done, closed()); };
  impl_->push({.what = Append{std::move(writes), durable, std::move(done)}, .due = impl_->due(!durable)}, refuse);
}

void Journal::load_live(Done<std::vector<task::Record>> done) {
  impl_->read<std::vector<task::Record>>(std::move(done), [](Store& store) { return store.load_live(); });
}

void Journal::get(std::string id, Done<Stored> done) {
  impl_->read<Stored>(std::move(done), [id = std::move(id)](Store& store) { return store.get(id); });
}

void Journal::list(ListQuery query, Done<std::vector<task::Record>> done) {
  impl_->read<std::vector<task::Record>>(std::move(done),
                                         [query = std::move(query)](Store& store) { return store.list(query); });
}

void Journal::events(std::string id, std::uint64_t after, Done<std::vector<task::Event>> done) {
  impl_->read<std::vector<task::Event>>(std::move(done),
                                        [id = std::move(id), after](Store& store) { return store.events(id, after); });
}

void Journal::screenshot(std::string id, Done<std::string> done) {
  impl_->read<std::string>(std::move(done), [id = std::move(id)](Store& store) { return store.screenshot(id); });
}

void Journal::totals(Done<Totals> done) {
  impl_->read<Totals>(std::move(done), [](Store& store) { return store.totals(); });
}

void Journal::browsers(Done<std::vector<BrowserRow>> done) {
  impl_->read<std::vector<BrowserRow>>(std::move(done), [](Store& store) { return store.browsers(); });
}

void Journal::meta(std::string name, Done<std::string> done) {
  impl_->read<std::string>(std::move(done), [name = std::move(name)](Store& store) { return store.meta(name); });
}

void Journal::put_browser(BrowserRow row, bool durable, Done<void> done) {
  impl_->run<void>({.run = {}, .writes = true, .lazy = !durable}, std::move(done),
                   [row = std::move(row)](Store& store) { return store.put_browser(row); });
}

void Journal::forget_browser(std::string id, Done<void> done) {
  impl_->run<void>({.run = {}, .writes = true, .lazy = false}, std::move(done),
                   [id = std::move(id)](Store& store) { return store.forget_browser(id); });
}

void Journal::put_meta(std::string name, std::string value, Done<void> done) {
  impl_->run<void>(
      {.run = {}, .writes = true, .lazy = false}, std::move(done),
      [name = std::move(name), value = std::move(value)](Store& store) { return store.put_meta(name, value); });
}

void Journal::prune(Millis wall, std::uint64_t bytes, Done<bool> done) {
  impl_->run<bool>({.run = {}, .writes = true, .lazy = false}, std::move(done),
                   [wall, bytes](Store& store) { return store.prune(wall, bytes); });
}

Journal::Stats Journal::stats() const noexcept {
  return {impl_->commits, impl_->appends, impl_->failures};
}

}  // namespace any::store
