#include "browser/link.hpp"

#include <boost/json/serialize.hpp>
#include <charconv>

#include "async/post.hpp"
#include "base/guard.hpp"
#include "base/log.hpp"
#include "browser/messages.hpp"

namespace any::browser {

namespace json = boost::json;

namespace {

constexpr Millis frozen = 5'000;        // a timer this late: the machine or this process slept
constexpr Millis goodbye = 3'000;       // for the peer to answer a close
constexpr std::uint16_t policy = 1008;  // WebSocket close codes
constexpr std::uint16_t broken = 1002;

Hello read_hello(Fields const& params) {
  return {.instance = params.text("instance"),
          .label = params.text("label"),
          .product = params.text("product"),
          .platform = params.text("platform"),
          .user_agent = params.text("user_agent"),
          .proxy = params.text("proxy"),
          .capabilities = read_capabilities(params),
          .paused = params.flag("paused"),
          .ordinary_tabs = read_ordinary_tabs(params),
          .holds = read_holds(params)};
}

}  // namespace

Link::Link(LinkHost& host, std::unique_ptr<net::WebSocket> socket, boost::asio::any_io_executor executor,
           LinkTimes times, bool own_user)
    : host_(host),
      socket_(std::move(socket)),
      times_(times),
      own_user_(own_user),
      executor_(executor),
      timer_(std::move(executor), "the deadlines of a link"),
      born_(host.clock().now().mono),
      heard_(born_),
      pinged_(born_) {}

Link::~Link() {
  end("the daemon is shutting down");
}

std::string_view Link::name() const {
  if (!browser_.empty()) return browser_;
  return handshake_ ? std::string_view(handshake_->said().browser) : std::string_view();
}

Async<void> Link::serve() {
  arm();
  while (true) {
    auto text = co_await socket_->receive();
    if (!text) {
      if (!closing_) why_ = text.error().message;
      break;
    }
    if (closing_) continue;
    heard_ = host_.clock().now().mono;
    auto const message = wire::read_envelope(*text);
    if (!message) {
      violated(message.error().message);
      continue;
    }
    if (message->kind == wire::Envelope::Kind::invalid) {
      violated(std::string(message->problem));
      continue;
    }
    std::exception_ptr thrown;
    try {
      if (linked_) {
        take_linked(*message);
      } else {
        co_await take(*message);
      }
    } catch (...) {
      thrown = std::current_exception();
    }
    if (thrown) failed(*message, thrown);
  }
  end(why_);
}

void Link::failed(wire::Envelope const& message, std::exception_ptr const& thrown) {
  auto const what = message.method.empty() ? "an answer of the browser" : "taking " + std::string(message.method);
  log_bug(what, thrown);
  if (message.kind == wire::Envelope::Kind::request) reply_error(message.id, internal_error(what));
}

Async<void> Link::take(wire::Envelope const& message) {
  if (message.method == "link.begin" && !handshake_) {
    begin(message);
  } else if (message.method == "hello" && handshake_) {
    co_await hello(message);
  } else if (message.method == "link.ping") {
    reply(message.id, "{}");
  } else if (!message.method.empty()) {
    refuse(message, {ErrorName::ProtocolError, "A link starts with link.begin, then hello; \"" +
                                                   std::string(message.method) + "\" came instead."});
  }
}

void Link::begin(wire::Envelope const& message) {
  auto const params = Fields::read(message.params);
  if (!params) {
    refuse(message, params.error());
    return;
  }
  Begin said{static_cast<int>(params->number("protocol").value_or(0)),
             params->text("version"),
             params->text("browser"),
             params->text("nonce"),
             params->flag("has_key"),
             params->text("installation")};
  auto met = host_.begin_handshake(std::move(said), own_user_);
  if (!met) {
    refuse(message, met.error());
    return;
  }
  handshake_ = std::move(*met);
  json::object answer{{"daemon", host_.daemon_id()},
                      {"protocol", protocol_number},
                      {"version", ANY_VERSION},
                      {"nonce", handshake_->nonce()}};
  if (handshake_->tells_key()) {
    answer["key"] = handshake_->key();
  } else {
    answer["proof"] = handshake_->proof();
  }
  reply(message.id, json::serialize(answer));
}

Async<void> Link::hello(wire::Envelope const& message) {
  auto const params = Fields::read(message.params);
  if (!params) {
    refuse(message, params.error());
    co_return;
  }
  if (!handshake_->proves(params->text("proof"))) {
    refuse(message,
           {ErrorName::UnauthorizedError,
            "The extension's proof is wrong: it does not hold the key of browser " + handshake_->said().browser +
                ". Remove the daemon's address on the extension's options page and add it again."});
    co_return;
  }
  hello_ = read_hello(*params);
  if (hello_.instance.empty()) {
    refuse(message, {ErrorName::ProtocolError, "hello: \"instance\" must be a string."});
    co_return;
  }
  auto welcome = co_await host_.welcome(*handshake_, hello_, socket_->peer().address);
  if (closing_) co_return;
  if (!welcome) {
    refuse(message, welcome.error());
    co_return;
  }
  browser_ = welcome->browser;
  json::object answer{{"browser", welcome->browser}, {"label", welcome->label}};
  // The answer leaves before anything that linked() asks of the browser.
  reply(message.id, json::serialize(answer));
  linked_ = true;
  host_.linked(browser_, *this, hello_);
  hello_.holds.clear();
}

void Link::take_linked(wire::Envelope const& message) {
  if (message.method.empty()) {
    std::uint64_t id = 0;
    std::from_chars(message.id.data(), message.id.data() + message.id.size(), id);
    if (message.kind == wire::Envelope::Kind::error) {
      pending_.answer(id, wire::read_error(message.error));
    } else {
      pending_.answer(id, message.result);
    }
    return;
  }
  if (message.method == "debugger.event") return host_.cdp_events().debugger_event(browser_, message.params);
  if (message.method == "chrome.event") return host_.cdp_events().chrome_event(browser_, message.params);
  if (message.method == "task.finish") return finish(message);
  if (message.method == "link.ping") return reply(message.id, "{}");

  auto const params = Fields::read(message.params);
  if (!params) return violated(params.error().message);
  if (message.method == "task.started") return started(*params);
  if (message.method == "task.event") return event(*params);
  if (message.method == "browser.update") return update(*params);
  if (message.method == "log") return lines(message, *params);
  if (message.id.empty()) return;
  reply_error(message.id,
              {ErrorName::ProtocolError, "The daemon knows no method \"" + std::string(message.method) + "\" here. " +
                                             older_side(handshake_->said().version)},
              wire::code::unknown_method);
}

void Link::finish(wire::Envelope const& message) {
  auto read = read_finish(message.params);
  if (!read) {
    log::warn("task.finish cannot be read: " + read.error().message, {.browser = browser_});
    return reply_error(message.id, read.error());
  }
  auto const token = host_.next_token();
  if (!message.id.empty()) unacknowledged_.emplace(token, message.id);
  host_.events().finished(browser_, read->run, std::move(read->outcome), token);
}

void Link::acknowledge(std::uint64_t token) {
  auto const found = unacknowledged_.find(token);
  if (found == unacknowledged_.end()) return;
  reply(found->second, "{}");
  unacknowledged_.erase(found);
}

void Link::started(Fields const& params) {
  auto const run = read_run(params);
  if (!run) return violated("task.started: " + run.error().message);
  auto const injection = task::injection_from(params.text("injection")).value_or(task::Injection::none);
  host_.events().started(browser_, *run, read_tab(params), injection);
}

void Link::event(Fields const& params) {
  auto const run = read_run(params);
  if (!run) return violated("task.event: " + run.error().message);
  auto const kind = params.text("kind");
  if (kind == "progress") {
    host_.events().progress(browser_, *run, std::string(params.has("value") ? params.raw("value") : "null"));
  } else if (kind == "console") {
    host_.events().console(browser_, *run, read_console(params, host_.clock().now().wall));
  }
}

void Link::update(Fields const& params) {
  Update update;
  if (params.has("paused")) update.paused = params.flag("paused");
  if (params.has("label")) update.label = params.text("label");
  if (params.has("proxy")) update.proxy = params.text("proxy");
  if (params.has("capabilities")) update.capabilities = read_capabilities(params);
  if (params.has("tabs")) update.ordinary_tabs = read_ordinary_tabs(params);
  update.used = params.flag("used");
  host_.updated(browser_, update);
}

void Link::lines(wire::Envelope const& message, Fields const& params) {
  std::int64_t last = 0;
  for (auto const& line : params.objects("lines")) {
    auto const n = line.number("n").value_or(0);
    auto const wall = read_time(line, "time").value_or(host_.clock().now().wall);
    last = std::max(last, n);
    if (!host_.line(browser_, n, wall)) continue;
    log::write_extension(wall, read_level(line.text("level")), browser_, line.text("task"), line.text("text"));
  }
  reply(message.id, R"({"n":)" + std::to_string(last) + "}");
}

void Link::start(task::SendStart const& start) {
  auto answered = [this, run = start.run](Result<std::string_view> const& answer) {
    if (!answer) {
      // Of a lost link the core learns by down(): what had been asked may or may not have reached the browser.
      if (!ended_) host_.events().refused(browser_, run, answer.error());
      return;
    }
    auto const said = read_start_answer(*answer);
    if (!said) {
      host_.events().refused(browser_, run, {ErrorName::ProtocolError, said.error().message});
    } else if (said->busy) {
      host_.events().busy(browser_, run, *said->busy);
    } else {
      host_.events().accepted(browser_, run, said->tab);
    }
  };
  request("task.start", start_params(start), std::nullopt, std::move(answered));
}

void Link::cancel(task::SendCancel const& cancel) {
  auto answered = [this, task = cancel.run.task](Result<std::string_view> const& answer) {
    if (ended_) return;
    std::string const said = answer ? "stopped: " + std::string(*answer) : "not stopped: " + answer.error().message;
    log::debug(said, {.task = task, .browser = browser_});
  };
  request("task.cancel", cancel_params(cancel), std::nullopt, std::move(answered));
}

void Link::forget(task::SendForget const& forget) {
  request("task.forget", run_params(forget.run), std::nullopt, nullptr);
}

void Link::request(std::string_view method, std::string_view params, std::optional<Millis> timeout, Answered done) {
  if (ended_) {
    if (!done) return;
    auto fail = [done = std::move(done), why = why_] {
      done(Error{ErrorName::BrowserLostError, "The link to the browser has ended (" + why + ")."});
    };
    async::post(executor_, "the answer to " + std::string(method), std::move(fail));
    return;
  }
  auto const deadline = timeout ? std::optional<Millis>(host_.clock().now().mono + *timeout) : std::nullopt;
  auto const id = pending_.add(std::string(method), deadline, std::move(done));
  socket_->send(wire::request(id, method, params));
  if (deadline && *deadline < armed_) arm();
}

void Link::reply(std::string_view id, std::string_view result) {
  if (!id.empty() && !ended_) socket_->send(wire::result(id, result));
}

void Link::reply_error(std::string_view id, Error const& error, int code) {
  if (!id.empty() && !ended_) socket_->send(wire::error(id, error, code));
}

void Link::refuse(wire::Envelope const& message, Error const& error) {
  log::warn("a browser was refused: " + error.message, {.browser = name()});
  reply_error(message.id, error);
  close(policy, error.message);
}

void Link::violated(std::string const& what) {
  log::warn("ProtocolError: the link broke the protocol and was closed; nothing is lost, it will come back: " + what,
            {.browser = name()});
  close(broken, what);
}

void Link::close(std::uint16_t code, std::string_view why) {
  why_ = why;
  closing_ = true;
  heard_ = host_.clock().now().mono;
  // From here on the peer is not listened to: whoever waits for it must know at once.
  auto const reason = why.substr(0, 120);
  end(std::string(why));
  socket_->close(code, reason);
  arm();
}

void Link::drop(std::string_view why) {
  closing_ = true;
  why_ = why;
  end(std::string(why));
  socket_->abort();
}

void Link::end(std::string const& why) {
  if (ended_) return;
  ended_ = true;
  why_ = why;
  bool const was_linked = std::exchange(linked_, false);
  unacknowledged_.clear();
  // Whoever answers for a request must know of the loss before it fails.
  if (was_linked) host_.ended(browser_, *this, why_);
  pending_.fail_all(why);
}

void Link::arm() {
  auto const now = host_.clock().now().mono;
  armed_ = closing_ ? heard_ + goodbye : std::min(heard_ + times_.lost, pinged_ + times_.ping);
  if (!closing_ && !linked_) armed_ = std::min(armed_, born_ + times_.hello);
  if (auto const deadline = pending_.next_deadline()) armed_ = std::min(armed_, *deadline);
  timer_.after(std::chrono::milliseconds(std::max<Millis>(armed_ - now, 0)),
               [this, planned = armed_] { on_timer(planned); });
}

void Link::on_timer(Millis planned) {
  auto const now = host_.clock().now().mono;
  // After a sleep what the peer said meanwhile lies in the socket unread: look there before giving it up.
  if (now - planned > frozen) heard_ = std::max(heard_, now - times_.lost + frozen);
  if (closing_) {
    if (now >= heard_ + goodbye) return socket_->abort();
  } else if (!linked_ && now >= born_ + times_.hello) {
    close(policy, "no link.begin and hello within " + std::to_string(times_.hello / 1000) + " s");
    return;
  } else if (now >= heard_ + times_.lost) {
    log::warn("nothing heard for " + std::to_string(times_.lost / 1000) + " s: the link is lost", {.browser = name()});
    drop("nothing was heard from the browser for " + std::to_string(times_.lost / 1000) + " s");
    return;
  } else if (now >= pinged_ + times_.ping) {
    pinged_ = now;
    if (linked_) {
      request("link.ping", "{}", std::nullopt, nullptr);
      host_.heard(browser_);
    }
  }
  pending_.expire(now);
  arm();
}

}  // namespace any::browser
