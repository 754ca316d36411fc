#pragma once
/// @file
/// Where the time of a run goes: stages by batch, and what the threads of the pool did for them.

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <xsift/core/parallel.hpp>
#include <xsift/pipeline/run.hpp>

namespace xsift::pipeline {

/// Records stages from any thread. As observer of a pool it books what the pool's threads do on the stage
/// that began the loop.
class Timeline final : public PoolObserver {
  public:
    class Stage;

    /// @param keep_spans keep every stretch of work for chrome_trace(), not only the sums
    explicit Timeline(bool keep_spans);

    void around(void* work, const std::function<void()>& body) override;

    /// Sums by stage.
    std::map<std::string, StageTime> stages() const;
    /// Seconds since construction.
    double seconds() const;
    /// Processor seconds of the process since construction.
    double processor_seconds() const;
    /// All stages and stretches of work, a row a thread, as JSON in Chrome's trace event format (Perfetto
    /// reads it).
    std::string chrome_trace() const;

  private:
    struct Span {
        const char* stage;
        std::int64_t batch;
        int thread;
        std::int64_t start, end;  ///< ns since construction
        bool of_pool;             ///< stretch of a loop rather than a stage
    };
    std::int64_t now() const;
    void keep(const Span& span);

    const bool keep_spans_;
    const std::int64_t start_;
    const double processor_start_;
    mutable std::mutex mutex_;
    std::map<std::string, StageTime> stages_;
    std::vector<Span> spans_;
    std::map<int, std::size_t> last_of_thread_;  ///< index of its last stretch in spans_
    std::int64_t dropped_ = 0;
};

/// A stage of a batch (-1: of the run), from construction to destruction, on one thread.
class Timeline::Stage {
  public:
    /// @param name a string literal
    Stage(Timeline& timeline, const char* name, std::int64_t batch = -1);
    ~Stage();
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

  private:
    friend class Timeline;
    Timeline& timeline_;
    const char* name_;
    std::int64_t batch_, start_, processor_start_;
    int thread_;
    Stage* outer_;  ///< of the same thread
    /// Processor ns of other threads for this stage, less those of this stage's thread for other stages.
    std::atomic<std::int64_t> elsewhere_{0};
    WorkScope scope_;
};

}  // namespace xsift::pipeline
