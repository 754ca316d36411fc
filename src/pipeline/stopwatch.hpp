#pragma once
/// @file
/// Wall-clock time.

#include <chrono>

namespace xsift::pipeline {

/// Seconds since construction.
class Stopwatch {
  public:
    double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point start_ = Clock::now();
};

}  // namespace xsift::pipeline
