#include "progress.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include <xsift/core/log.hpp>

namespace xsift::app {

namespace {

std::string duration(double seconds) {
    const auto s = std::lround(seconds);
    if (s < 100) return fmt::format("{} s", s);
    if (s < 6000) return fmt::format("{}:{:02} min", s / 60, s % 60);
    return fmt::format("{}:{:02} h", s / 3600, s / 60 % 60);
}

}  // namespace

Progress::Progress(std::string what)
    : what_(std::move(what)), terminal_(isatty(STDERR_FILENO) != 0), start_(Clock::now()), last_(start_) {}

Progress::~Progress() {
    finish();
}

void Progress::update(std::int64_t done, std::int64_t total) {
    const Clock::time_point now = Clock::now();
    if (first_ < 0) first_ = done;  // what was resumed does not count towards the rate
    const double since = std::chrono::duration<double>(now - last_).count();
    const bool last = done == total;
    if (terminal_ ? since < 0.2 && !last : since < 30.0) return;
    last_ = now;

    const double elapsed = std::chrono::duration<double>(now - start_).count();
    const double rate = elapsed > 0.0 ? static_cast<double>(done - first_) / elapsed : 0.0;
    const double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1.0;
    std::string text = fmt::format("{} of {} {}, {:.3g}/s", done, total, what_, rate);
    if (rate > 0.0 && !last)
        text += fmt::format(", {} left", duration(static_cast<double>(total - done) / rate));
    if (!terminal_) {
        log::info("{}", text);
        return;
    }
    constexpr int width = 30;
    const int filled = std::clamp(static_cast<int>(share * width), 0, width);
    fmt::print(stderr, "\r\033[K[{:#<{}}{:.<{}}] {}", "", filled, "", width - filled, text);
    std::fflush(stderr);
    drawn_ = true;
}

void Progress::finish() {
    if (drawn_) fmt::print(stderr, "\n");
    drawn_ = false;
}

}  // namespace xsift::app
