#pragma once
/// @file
/// Bounds what one step of one source may take, so that a source that stalls does not hold up the others.

namespace xsift {

/// While it lives, require_time_left() of this thread throws once the thread has spent so much processor
/// time.
class StepLimit {
  public:
    /// @param seconds of processor time of this thread from now on; 0: no limit
    explicit StepLimit(double seconds);
    ~StepLimit();
    StepLimit(const StepLimit&) = delete;
    StepLimit& operator=(const StepLimit&) = delete;

  private:
    double outer_;
};

/// Called by loops whose length nobody knows, an iteration of microseconds or more each.
/// @throws Error (internal, "TIME_LIMIT") when the limit of the step is reached.
void require_time_left();

}  // namespace xsift
