#pragma once
/// @file
/// Wall-clock time of stages.

#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace xsift::pipeline {

/// Seconds since construction.
class Stopwatch {
  public:
    double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point start_ = Clock::now();
};

/// Seconds by stage, added up from any thread.
class StageTimes {
  public:
    void add(const std::string& stage, const Stopwatch& watch) {
        const std::lock_guard lock(mutex_);
        seconds_[stage] += watch.seconds();
    }
    std::map<std::string, double> seconds() const {
        const std::lock_guard lock(mutex_);
        return seconds_;
    }

  private:
    mutable std::mutex mutex_;
    std::map<std::string, double> seconds_;
};

}  // namespace xsift::pipeline
