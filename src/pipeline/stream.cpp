#include "stream.hpp"

#include "background.hpp"

#include <condition_variable>
#include <exception>
#include <future>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include <xsift/core/error.hpp>
#include <xsift/core/log.hpp>

namespace xsift::pipeline {

namespace {

/// The state that lanes share.
class Stream {
  public:
    Stream(const StreamStages& stages, int lanes, const std::atomic<bool>& stop, Timeline& timeline)
        : stages_(stages), ahead_(lanes + 1), stop_(stop), timeline_(timeline) {}

    void run(int lanes) {
        prefetch();
        {
            std::vector<std::jthread> further;
            for (int i = 1; i < lanes; ++i) {
                try {
                    further.emplace_back([this] { run_lane(); });
                } catch (const std::system_error& error) {
                    log::warning("no thread for another batch beside the first ({})", error.what());
                    break;
                }
            }
            run_lane();
        }
        if (reading_.valid()) reading_.wait();
        if (writing_.valid()) attempt([&] { writing_.get(); });
        if (failure_) std::rethrow_exception(failure_);
    }

  private:
    struct Batch {
        std::int64_t number = 0;
        std::vector<SourceData> sources;  ///< none: nothing is left to do
    };

    void prefetch() {
        reading_ = reader_.submit([this] { return stages_.read(); });
    }
    template <typename Step>
    void attempt(const Step& step) {
        try {
            step();
        } catch (...) {
            const std::lock_guard lock(mutex_);
            if (!failure_) failure_ = std::current_exception();
            ended_ = true;
            room_.notify_all();
        }
    }
    void run_lane() {
        attempt([&] {
            for (Batch batch = take(); !batch.sources.empty(); batch = take()) {
                std::vector<SourceResult> results = stages_.compute(batch.number, batch.sources);
                batch.sources = {};
                hand_over(batch.number, std::move(results));
            }
        });
    }
    /// The next batch, once it is read and not too far ahead of what is written. None at the end, and none
    /// after a failure, which is on record before another lane has its turn: what was read can be taken once
    /// only.
    Batch take() {
        const Timeline::Stage waiting(timeline_, "wait");
        const std::lock_guard turn(taking_);
        Batch batch;
        attempt([&] { batch = next(); });
        return batch;
    }
    Batch next() {
        {
            std::unique_lock lock(mutex_);
            room_.wait(lock, [&] { return ended_ || taken_ < written_ + ahead_; });
            if (ended_ || stop_.load()) return {};
        }
        Batch batch{taken_, reading_.get()};
        const std::lock_guard lock(mutex_);
        if (batch.sources.empty() || stop_.load()) {
            ended_ = true;
            return {};
        }
        ++taken_;
        prefetch();
        return batch;
    }
    /// Gives the writer all that is next in order. Nothing follows a batch that could not be written.
    void hand_over(std::int64_t number, std::vector<SourceResult> results) {
        const std::lock_guard turn(writing_turn_);
        finished_.emplace(number, std::move(results));
        for (auto next = finished_.find(handed_); next != finished_.end(); next = finished_.find(handed_)) {
            std::vector<SourceResult> ready = std::move(next->second);
            finished_.erase(next);
            if (writing_.valid()) writing_.get();
            writing_ =
                writer_.submit([this, k = handed_, ready = std::move(ready)] { stages_.write(k, ready); });
            ++handed_;
            const std::lock_guard lock(mutex_);
            written_ = handed_;
            room_.notify_all();
        }
    }

    const StreamStages& stages_;
    const std::int64_t ahead_;  ///< batches taken and not handed over, at most
    const std::atomic<bool>& stop_;
    Timeline& timeline_;

    std::mutex mutex_;  ///< of the next four
    std::condition_variable room_;
    std::exception_ptr failure_;
    bool ended_ = false;
    std::int64_t taken_ = 0, written_ = 0;

    std::mutex taking_, writing_turn_;
    std::map<std::int64_t, std::vector<SourceResult>> finished_;  ///< waiting for one before them
    std::int64_t handed_ = 0;
    std::future<std::vector<SourceData>> reading_;
    std::future<void> writing_;
    BackgroundThread reader_, writer_;
};

}  // namespace

void stream_batches(const StreamStages& stages, int lanes, const std::atomic<bool>& stop,
                    Timeline& timeline) {
    Stream(stages, lanes, stop, timeline).run(lanes);
}

std::vector<SourceResult> compute_in_parts(
    std::span<const SourceData> batch,
    const std::function<std::vector<SourceResult>(std::span<const SourceData>)>& compute) {
    try {
        return compute(batch);
    } catch (const std::bad_alloc&) {
        if (batch.size() < 2) throw;
    } catch (const Error& error) {
        if (batch.size() < 2 || error.code() != "DEVICE_OUT_OF_MEMORY") throw;
    }
    log::warning("memory is exhausted by a batch of {} sources: it is computed in two halves", batch.size());
    const std::size_t half = batch.size() / 2;
    std::vector<SourceResult> results = compute_in_parts(batch.first(half), compute);
    std::vector<SourceResult> rest = compute_in_parts(batch.subspan(half), compute);
    std::move(rest.begin(), rest.end(), std::back_inserter(results));
    return results;
}

}  // namespace xsift::pipeline
