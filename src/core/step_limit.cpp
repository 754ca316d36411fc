#include <algorithm>
#include <ctime>
#include <limits>

#include <xsift/core/error.hpp>
#include <xsift/core/step_limit.hpp>

namespace xsift {

namespace {

constexpr double never = std::numeric_limits<double>::infinity();
/// Processor time of this thread at which its step has to be over, s.
thread_local double deadline = never;

double thread_seconds() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

StepLimit::StepLimit(double seconds) : outer_(deadline) {
    if (seconds > 0.0) deadline = std::min(deadline, thread_seconds() + seconds);
}
StepLimit::~StepLimit() {
    deadline = outer_;
}

void require_time_left() {
    if (deadline == never || thread_seconds() < deadline) return;
    throw Error(ErrorKind::internal, "TIME_LIMIT", "the computation took longer than it may",
                "the limit of processor time of one step is reached",
                "Raise --source-time-limit for this source, or report it with the input.");
}

}  // namespace xsift
