#pragma once
/// @file
/// One thread beside the computation. It lives as long as the run: a thread for each task would leave an
/// allocator arena behind each time.

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

namespace xsift::pipeline {

/// Runs tasks one after the other on a thread of its own. The destructor waits for the task in hand.
class BackgroundThread {
  public:
    BackgroundThread() : thread_([this](const std::stop_token& stop) { work(stop); }) {}

    /// The future carries the task's result or exception.
    template <typename Task>
    auto submit(Task task) {
        auto packaged = std::make_shared<std::packaged_task<decltype(task())()>>(std::move(task));
        auto future = packaged->get_future();
        {
            const std::lock_guard lock(mutex_);
            tasks_.emplace_back([packaged] { (*packaged)(); });
        }
        wake_.notify_one();
        return future;
    }

  private:
    void work(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (wake_.wait(lock, stop, [this] { return !tasks_.empty(); })) {
            const std::function<void()> task = std::move(tasks_.front());
            tasks_.pop_front();
            lock.unlock();
            task();
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::deque<std::function<void()>> tasks_;
    std::jthread thread_;  // last: it starts when everything it uses is there
};

}  // namespace xsift::pipeline
