#pragma once
// The extension of one browser, played by hand at the other end of a link of the daemon's own registry.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/serialize.hpp>

#include "base/ids.hpp"
#include "browser/registry.hpp"
#include "store/memory_store.hpp"
#include "unit/browser/played_socket.hpp"
#include "wire/envelope.hpp"

namespace any::contracts {

class NoTasks final : public browser::LinkEvents {
 public:
  void up(task::BrowserState, std::string const&, std::vector<task::Hold> const&) override {}
  void down(std::string const&) override {}
  void changed(task::BrowserState) override {}
  void accepted(std::string const&, task::RunKey const&, task::TabInfo) override {}
  void busy(std::string const&, task::RunKey const&, std::int64_t) override {}
  void refused(std::string const&, task::RunKey const&, Error) override {}
  void started(std::string const&, task::RunKey const&, std::optional<task::TabInfo>, task::Injection) override {}
  void progress(std::string const&, task::RunKey const&, std::string) override {}
  void console(std::string const&, task::RunKey const&, task::ConsoleLine) override {}
  void finished(std::string const&, task::RunKey const&, task::Outcome, std::uint64_t) override {}
};

/// The daemon's registry on an io context that the test turns. It ends before what it tells of does.
class RegistryBench {
 public:
  RegistryBench(boost::asio::io_context& io, browser::CdpEvents& events) : io_(io) {
    registry.tell(static_cast<browser::LinkEvents&>(tasks_));
    registry.tell(events);
  }
  ~RegistryBench() {
    registry.stop();
    turn();
    journal_.close();
    turn();
  }
  RegistryBench(RegistryBench const&) = delete;
  RegistryBench& operator=(RegistryBench const&) = delete;

  /// Lets what is on its way arrive.
  void turn() {
    io_.restart();
    while (io_.poll() > 0) {
    }
  }
  /// Runs until it is so; false where it is not within ten seconds.
  template <class Condition>
  bool until(Condition is_so) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > end) return false;
      io_.restart();
      io_.run_one_for(std::chrono::milliseconds(10));
    }
    return true;
  }
  boost::asio::io_context& io() { return io_; }

 private:
  boost::asio::io_context& io_;
  SystemClock clock_;
  store::Journal journal_{std::make_unique<store::MemoryStore>(),
                          [this](std::function<void()> call) { boost::asio::post(io_, std::move(call)); }};
  NoTasks tasks_;

 public:
  browser::Registry registry{io_, clock_, journal_, {.daemon_id = "d"}, {}};
};

class PlayedExtension {
 public:
  explicit PlayedExtension(RegistryBench& bench, std::string label = {}) : bench_(bench), label_(std::move(label)) {}
  ~PlayedExtension() {
    if (wire_) cut();
  }
  PlayedExtension(PlayedExtension const&) = delete;
  PlayedExtension& operator=(PlayedExtension const&) = delete;

  std::string const& id() const { return id_; }
  void link() {
    asked_.clear();
    wire_ = std::make_unique<browser::Wire>(bench_.io());
    auto socket = std::make_unique<browser::FakeSocket>(*wire_);
    boost::asio::co_spawn(bench_.io(), bench_.registry.serve_link(std::move(socket), {.origin = "extension"}),
                          boost::asio::detached);
    bench_.turn();
    wire_->say(R"({"jsonrpc":"2.0","id":1,"method":"link.begin","params":{"protocol":1,"version":"0.1.0","browser":")" +
               id_ + R"(","nonce":")" + nonce_ + R"(","has_key":)" + (key_.empty() ? "false" : "true") + "}}");
    bench_.turn();
    auto const& met = wire_->said.at(0).at("result").as_object();
    if (auto const* key = met.if_contains("key")) key_ = key->as_string();
    auto const proof =
        hmac_base64(key_, "browser|" + std::string(met.at("nonce").as_string()) + "|" + nonce_ + "|" + id_);
    wire_->say(R"({"jsonrpc":"2.0","id":2,"method":"hello","params":{"instance":"i","label":")" + label_ +
               R"(","proof":")" + proof + "\"}}");
    auto const linked = [this] {
      auto const info = bench_.registry.find(id_);
      return info && info->linked;
    };
    bench_.until(linked);  // its key is written first
    settle();
  }
  void cut() {
    wire_->end();
    settle();
  }
  /// The person uses it.
  void use() {
    wire_->say(R"({"jsonrpc":"2.0","method":"browser.update","params":{"used":true}})");
    settle();
  }
  /// Lets what is on its way arrive.
  void settle() {
    bench_.turn();
    for (auto& message : std::exchange(wire_->said, {})) {
      if (!message.contains("method") || message.at("method") == "link.ping") continue;
      all_.push_back(std::string(message.at("method").as_string()) + " " +
                     boost::json::serialize(message.at("params")));
      asked_.push_back(std::move(message));
    }
  }
  /// The oldest request that is not answered: "method params".
  std::string oldest() const { return all_.at(all_.size() - asked_.size()); }
  /// All that it was ever asked.
  std::vector<std::string> const& all() const { return all_; }
  void answer(std::string_view result) {
    wire_->say(wire::result(take(), result));
    settle();
  }
  void refuse(Error const& error) {
    wire_->say(wire::error(take(), error));
    settle();
  }
  /// The number of the oldest request, which the test answers itself by say().
  std::string take() {
    settle();
    auto id = boost::json::serialize(asked_.at(0).at("id"));
    asked_.pop_front();
    return id;
  }
  void say(std::string text) {
    wire_->say(std::move(text));
    settle();
  }

 private:
  RegistryBench& bench_;
  std::string label_;
  std::string id_ = make_uuid(), nonce_ = random_base64(32), key_;
  std::unique_ptr<browser::Wire> wire_;
  std::deque<boost::json::object> asked_;
  std::vector<std::string> all_;
};

}  // namespace any::contracts
