#pragma once
/// @file
/// Progress on stderr: a bar on a terminal, a line now and then otherwise.

#include <chrono>
#include <cstdint>
#include <string>

namespace xsift::app {

/// Shows how far a long command is. Safe to call often: it draws a few times a second at most.
class Progress {
  public:
    /// @param what the noun counted, as "sources"
    explicit Progress(std::string what);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void update(std::int64_t done, std::int64_t total);
    /// Ends the bar, so that other output starts on a fresh line.
    void finish();

  private:
    using Clock = std::chrono::steady_clock;
    std::string what_;
    bool terminal_, drawn_ = false;
    Clock::time_point start_, last_;
    std::int64_t first_ = -1;
};

}  // namespace xsift::app
