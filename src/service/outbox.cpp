#include "service/outbox.hpp"

#include <algorithm>

#include "base/guard.hpp"

namespace any::service {

namespace {

constexpr std::size_t max_batch = 128;  // entries

std::string const& task_of(task::Write const& write) {
  struct Visitor {
    std::string const& operator()(task::AppendEvent const& append) const { return append.task; }
    std::string const& operator()(task::InsertTask const& insert) const { return insert.record.request.id; }
    std::string const& operator()(task::UpdateTask const& update) const { return update.record.request.id; }
    std::string const& operator()(task::FinishTask const& finish) const { return finish.record.request.id; }
  };
  return std::visit(Visitor{}, write);
}

/// The browser an output goes to; null where it goes to watchers.
std::string const* browser_of(task::Output const& output) {
  struct Visitor {
    std::string const* operator()(task::Publish const&) const { return nullptr; }
    std::string const* operator()(task::SendStart const& start) const { return &start.browser; }
    std::string const* operator()(task::SendCancel const& cancel) const { return &cancel.browser; }
    std::string const* operator()(task::SendForget const& forget) const { return &forget.browser; }
    std::string const* operator()(task::AckFinish const& ack) const { return &ack.browser; }
  };
  return std::visit(Visitor{}, output);
}

/// Whether the newer one makes the older one needless: both say what holds at the moment, of the same thing.
bool passing(task::Publish const& older, task::Publish const& newer) {
  return !older.event.journaled && !newer.event.journaled && older.task == newer.task &&
         older.event.kind == newer.event.kind;
}

bool speaks_of(task::Output const& output, std::string const& task) {
  struct Visitor {
    std::string const& task;
    bool operator()(task::Publish const& publish) const { return publish.task == task; }
    bool operator()(task::SendStart const& start) const { return start.run.task == task; }
    bool operator()(task::SendCancel const& cancel) const { return cancel.run.task == task; }
    bool operator()(task::SendForget const& forget) const { return forget.run.task == task; }
    bool operator()(task::AckFinish const&) const { return false; }
  };
  return std::visit(Visitor{task}, output);
}

}  // namespace

void Outbox::push(task::Step step, Written done) {
  enqueue({.step = std::move(step), .done = std::move(done)});
}

void Outbox::push_submit(std::string task, task::Step step, Written done) {
  enqueue({.step = std::move(step), .submits = std::move(task), .done = std::move(done)});
}

void Outbox::enqueue(Entry entry) {
  if (entry.step.writes.empty() && entry.step.outputs.empty() && !entry.done) return;
  if (trouble_) supersede(entry.step);
  append(std::move(entry));
  write_next();
  release();
}

void Outbox::append(Entry entry) {
  for (auto const& output : entry.step.outputs) {
    auto const* browser = browser_of(output);
    entry.links.push_back(browser ? actions_.link(*browser) : 0);
  }
  entry.written = entry.step.writes.empty();
  entries_.push_back(std::move(entry));
}

void Outbox::supersede(task::Step const& newer) {
  auto const said_anew = [&](task::Output const& output) {
    auto const* old = std::get_if<task::Publish>(&output);
    return old && std::any_of(newer.outputs.begin(), newer.outputs.end(), [&](task::Output const& each) {
             auto const* now = std::get_if<task::Publish>(&each);
             return now && passing(*old, *now);
           });
  };
  auto const written_anew = [&](task::Write const& write) {
    return std::holds_alternative<task::UpdateTask>(write) &&
           std::any_of(newer.writes.begin(), newer.writes.end(), [&](task::Write const& each) {
             return std::holds_alternative<task::UpdateTask>(each) && task_of(each) == task_of(write);
           });
  };
  for (auto& entry : entries_) {
    // A durable step may be on its way to the disk.
    if (!entry.written && !entry.step.durable) {
      std::erase_if(entry.step.writes, written_anew);
      entry.written = entry.step.writes.empty();
    }
    if (!entry.released) erase_outputs(entry, said_anew);
  }
  if (writing_ || releasing_) return;  // these count the entries
  std::erase_if(entries_, [](Entry const& entry) {
    return entry.written && !entry.step.durable && entry.step.outputs.empty() && !entry.done;
  });
}

template <class Which>
void Outbox::erase_outputs(Entry& entry, Which which) {
  auto& outputs = entry.step.outputs;
  for (std::size_t i = outputs.size(); i-- > 0;) {
    if (!which(outputs[i])) continue;
    outputs.erase(outputs.begin() + static_cast<std::ptrdiff_t>(i));
    entry.links.erase(entry.links.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void Outbox::retry() {
  waiting_ = false;
  write_next();
}

void Outbox::write_next() {
  if (writing_ || waiting_) return;
  auto const unwritten = [](Entry const& entry) { return !entry.written; };
  auto first = std::find_if(entries_.begin(), entries_.end(), unwritten);
  // Nothing waits for these, and the journal keeps the order; the durable writes behind them carry them along.
  for (; first != entries_.end() && (first->written || !first->step.durable); ++first) {
    if (first->written) continue;
    actions_.write_lazily(std::exchange(first->step.writes, {}));
    first->written = true;
  }
  if (first == entries_.end()) return;
  batch_begin_ = static_cast<std::size_t>(first - entries_.begin());
  std::size_t const most = alone_ > 0 || trouble_ ? 1 : max_batch;
  batch_end_ = std::min(batch_begin_ + most, entries_.size());
  batch_.clear();
  for (std::size_t i = batch_begin_; i < batch_end_; ++i) {
    auto& writes = entries_[i].step.writes;
    // The moved-from writes stay as places to move them back to.
    std::move(writes.begin(), writes.end(), std::back_inserter(batch_));
  }
  writing_ = true;
  actions_.write(batch_, [this](Result<void> const& result) { wrote(result); });
}

void Outbox::wrote(Result<void> const& result) {
  writing_ = false;
  if (!result) {
    failed(result.error());
  } else {
    for (std::size_t i = batch_begin_; i < batch_end_; ++i) {
      entries_[i].written = true;
      entries_[i].step.writes.clear();
    }
    if (alone_ > 0) --alone_;
    if (std::exchange(trouble_, std::nullopt)) actions_.trouble(trouble_);
    actions_.written(batch_);
    batch_.clear();
  }
  write_next();
  release();
}

void Outbox::failed(Error const& error) {
  std::size_t next = 0, with_writes = 0;
  for (std::size_t i = batch_begin_; i < batch_end_; ++i) {
    auto& writes = entries_[i].step.writes;
    with_writes += writes.empty() ? 0 : 1;
    for (auto& write : writes) write = std::move(batch_[next++]);
  }
  batch_.clear();
  if (with_writes > 1) {
    alone_ = batch_end_ - batch_begin_;
    return;
  }
  if (alone_ > 0) --alone_;
  auto& entry = entries_[batch_begin_];
  if (!entry.submits.empty()) {
    undo(entry, error);
    return;
  }
  // What has happened cannot be undone: it is written as soon as there is room, and nothing behind it leaves before.
  bool const news = !trouble_;
  trouble_ = error;
  waiting_ = true;
  if (news) actions_.trouble(trouble_);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!entries_[i].written && !entries_[i].submits.empty()) undo(entries_[i], error);
  }
  actions_.retry_later();
}

void Outbox::undo(Entry& entry, Error const& error) {
  auto const task = std::exchange(entry.submits, {});
  auto const done = std::exchange(entry.done, nullptr);
  strip(task);
  auto step = actions_.undo(task);
  if (!step.writes.empty() || !step.outputs.empty()) {
    append({.step = std::move(step), .done = nullptr});
    strip(task);
  }
  if (done) done(error);
}

void Outbox::strip(std::string const& task) {
  for (auto& entry : entries_) {
    auto& writes = entry.step.writes;
    if (!entry.written) {
      std::erase_if(writes, [&](task::Write const& write) { return task_of(write) == task; });
      entry.written = writes.empty();
    }
    if (!entry.released) erase_outputs(entry, [&](task::Output const& output) { return speaks_of(output, task); });
  }
}

void Outbox::release() {
  if (releasing_) return;  // an output led to a further step: the outer call goes on with it
  releasing_ = true;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].released) continue;
    if (entries_[i].step.durable && !entries_[i].written) break;
    entries_[i].released = true;
    auto outputs = std::exchange(entries_[i].step.outputs, {});
    auto const links = std::exchange(entries_[i].links, {});
    auto const done = std::exchange(entries_[i].done, nullptr);
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      auto const* browser = browser_of(outputs[o]);
      if (browser && (links[o] == 0 || actions_.link(*browser) != links[o])) continue;
      // A failure here must not keep back what follows.
      guarded("an output of a task's step", [&] { actions_.release(outputs[o]); });
    }
    if (done) guarded("the answer to a task's step", [&] { done(Result<void>()); });
  }
  releasing_ = false;
  while (!entries_.empty() && entries_.front().written && entries_.front().released) {
    entries_.pop_front();
    if (batch_begin_ > 0) --batch_begin_;
    if (batch_end_ > 0) --batch_end_;
  }
}

}  // namespace any::service
