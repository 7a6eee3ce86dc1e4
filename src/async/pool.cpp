#include "async/pool.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "async/post.hpp"

namespace any::async {

struct Pool::Impl {
  boost::asio::thread_pool threads{1};
};

Pool::Pool(boost::asio::any_io_executor io) : io_{std::move(io)} {}

Pool::~Pool() {
  stop();
}

void Pool::stop() {
  stopped_ = true;
  if (!impl_) return;
  impl_->threads.stop();
  impl_->threads.join();
}

void Pool::start(std::string what, Job job) {
  if (stopped_) return;
  if (!impl_) impl_ = std::make_unique<Impl>();
  boost::asio::post(impl_->threads, [io = io_, what = std::move(what), job = std::move(job)] {
    guarded(what, [&] { post(io, "the answer of " + what, job()); });
  });
}

}  // namespace any::async
