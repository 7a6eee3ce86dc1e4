// What a task costs in the journal when it holds 1,000 ended tasks and when it holds 1,000,000, as a ratio of one run;
// and how many durable appends a second group commit makes. Usage: store_cost [FOLDER] [TASKS]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <string>

#include "base/ids.hpp"
#include "store/journal.hpp"
#include "store/store.hpp"

namespace {
using namespace any;
using Steady = std::chrono::steady_clock;

constexpr Millis begin_of_time = 1'769'850'000'000;

double micros_since(Steady::time_point start) {
  return std::chrono::duration<double, std::micro>(Steady::now() - start).count();
}

[[noreturn]] void give_up(Error const& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  std::exit(1);
}

void must(Result<void> const& done) {
  if (!done) give_up(done.error());
}

/// What the core writes for a task that goes well.
struct Cycle {
  explicit Cycle(Millis created) {
    record.request.id = make_task_id(created);
    record.request.script = "return document.querySelectorAll('.price').length";
    record.request.args = R"({"pages":3})";
    record.created = created;
  }
  std::vector<task::Write> insert() {
    record.last_seq = 1;
    return {task::InsertTask{record}, event("queued", "{}")};
  }
  std::vector<task::Write> dispatch() {
    record.request.script.clear();
    record.request.args.clear();
    record.state = task::State::dispatched;
    record.browser = "0b8f1f0e-5a0e-4d0e-9f55-1c2d3e4f5a6b";
    record.attempts = {{.number = 1, .browser = record.browser, .dispatched = record.created + 1}};
    record.last_seq = 2;
    return {task::UpdateTask{record}, event("dispatched", R"({"attempt":1})")};
  }
  std::vector<task::Write> finish() {
    record.state = task::State::completed;
    record.ended = record.created + 20;
    record.result_type = "json";
    record.last_seq = 3;
    return {task::FinishTask{.record = record, .result = R"({"prices":[1,2,3]})", .screenshot = {}},
            event("end", R"({"state":"completed","error":null})")};
  }
  task::AppendEvent event(char const* kind, char const* data) const {
    return {.task = record.request.id,
            .event = {.seq = record.last_seq, .time = record.created, .kind = kind, .data = data}};
  }

  task::Record record;
};

void fill(store::Store& store, std::size_t from, std::size_t to) {
  for (auto at = from; at < to;) {
    std::vector<task::Write> writes;
    for (auto const end = std::min(to, at + 2000); at < end; ++at) {
      Cycle cycle{begin_of_time + static_cast<Millis>(at) * 10};
      auto const add = [&](std::vector<task::Write> more) {
        std::move(more.begin(), more.end(), std::back_inserter(writes));
      };
      add(cycle.insert());
      add(cycle.finish());
    }
    must(store.apply(writes, false));
  }
}

struct Cost {
  double median, mean;
};

/// Microseconds of insert + dispatch + finish, a transaction each. `sync`: as they are in use.
Cost measure(store::Store& store, std::size_t tasks, std::size_t cycles, bool sync) {
  std::vector<double> costs;
  for (std::size_t i = 0; i < cycles; ++i) {
    Cycle cycle{begin_of_time + static_cast<Millis>(tasks) * 10 + static_cast<Millis>(i)};
    auto const insert = cycle.insert(), dispatch = cycle.dispatch(), finish = cycle.finish();
    auto const start = Steady::now();
    must(store.apply(insert, sync));
    must(store.apply(dispatch, sync));
    must(store.apply(finish, sync));
    costs.push_back(micros_since(start));
  }
  double sum = 0;
  for (auto const each : costs) sum += each;
  std::nth_element(costs.begin(), costs.begin() + static_cast<std::ptrdiff_t>(costs.size() / 2), costs.end());
  return {costs[costs.size() / 2], sum / static_cast<double>(costs.size())};
}

double appends_per_second(std::string const& folder, std::size_t count) {
  auto const start = Steady::now();
  store::Journal journal{store::open_sqlite({.folder = folder}), [](std::function<void()> const& call) { call(); }};
  std::promise<void> all;
  std::size_t done = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Cycle cycle{begin_of_time + static_cast<Millis>(i)};
    journal.append(cycle.insert(), true, [&](Result<void> const& written) {
      must(written);
      if (++done == count) all.set_value();
    });
  }
  all.get_future().wait();
  auto const rate = static_cast<double>(count) * 1e6 / micros_since(start);
  std::printf("group commit: %zu durable appends in %llu transactions, %.0f a second\n", count,
              static_cast<unsigned long long>(journal.stats().commits), rate);
  return rate;
}

double one_by_one_per_second(std::string const& folder, std::size_t count) {
  auto const store = store::open_sqlite({.folder = folder});
  auto const start = Steady::now();
  for (std::size_t i = 0; i < count; ++i)
    must(store->apply(Cycle{begin_of_time + static_cast<Millis>(i)}.insert(), true));
  return static_cast<double>(count) * 1e6 / micros_since(start);
}

}  // namespace

int main(int argc, char** argv) {
  auto const above = argc > 1 ? std::filesystem::path{argv[1]} : std::filesystem::temp_directory_path();
  std::size_t const large = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'000'000;
  constexpr std::size_t small = 1000, cycles = 4000, synced = 300;
  auto const root = above / ("store_cost-" + make_uuid());
  auto const folder = [&](char const* name) { return (root / name).string(); };

  auto few = store::open_sqlite({.folder = folder("few")}), many = store::open_sqlite({.folder = folder("many")});
  fill(*few, 0, small);
  auto const start = Steady::now();
  fill(*many, 0, large);
  std::printf("filled with %zu ended tasks in %.1f s\n", large, micros_since(start) / 1e6);

  // In turns, so that both meet the same machine.
  std::printf("\n%-26s %12zu %12zu %7s\n", "microseconds a cycle", small, large, "ratio");
  auto const table = [&](char const* name, bool sync, std::size_t count) {
    constexpr std::size_t turns = 8;
    std::vector<double> medians_few, medians_many;
    double mean_few = 0, mean_many = 0;
    for (std::size_t turn = 0; turn < turns; ++turn) {
      auto const a = measure(*few, large, count / turns, sync), b = measure(*many, large, count / turns, sync);
      medians_few.push_back(a.median);
      medians_many.push_back(b.median);
      mean_few += a.mean / turns;
      mean_many += b.mean / turns;
    }
    std::sort(medians_few.begin(), medians_few.end());
    std::sort(medians_many.begin(), medians_many.end());
    std::printf("%-20s median %11.1f %12.1f %7.2f\n", name, medians_few[turns / 2], medians_many[turns / 2],
                medians_many[turns / 2] / medians_few[turns / 2]);
    std::printf("%-20s mean   %11.1f %12.1f %7.2f\n", name, mean_few, mean_many, mean_many / mean_few);
  };
  table("without sync", false, cycles);
  table("durable", true, synced);
  auto const reopen = [&](std::unique_ptr<store::Store>& store, char const* name) {
    store.reset();
    auto const from = Steady::now();
    store = store::open_sqlite({.folder = folder(name)});
    return micros_since(from);
  };
  auto const open_few = reopen(few, "few"), open_many = reopen(many, "many");
  std::printf("%-27s %11.1f %12.1f %7.2f\n", "opening", open_few, open_many, open_many / open_few);

  std::printf("\n");
  auto const grouped = appends_per_second(folder("grouped"), 20'000);
  auto const alone = one_by_one_per_second(folder("alone"), synced);
  std::printf("one by one: %.0f durable appends a second; ratio %.1f\n", alone, grouped / alone);

  few.reset();
  many.reset();
  std::error_code ignored;
  std::filesystem::remove_all(root, ignored);
}
