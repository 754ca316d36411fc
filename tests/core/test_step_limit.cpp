#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/core/step_limit.hpp>

namespace xsift {
namespace {

/// Whether an endless loop that asks for time is ended.
bool endless_loop_ends() {
    try {
        for (;;) require_time_left();
    } catch (const Error& error) {
        return error.code() == "TIME_LIMIT";
    }
}

TEST(StepLimit, EndsALoopThatWouldNotEnd) {
    const StepLimit limit(0.01);
    EXPECT_TRUE(endless_loop_ends());
}

TEST(StepLimit, EndsWithItsScopeAndIsThatOfItsThread) {
    {
        const StepLimit limit(1e-9);
        EXPECT_THROW(require_time_left(), Error);
        std::thread([] { EXPECT_NO_THROW(require_time_left()); }).join();
        {
            const StepLimit inner(1e6);  // does not lengthen the outer one
            EXPECT_THROW(require_time_left(), Error);
        }
    }
    EXPECT_NO_THROW(require_time_left());
    const StepLimit none(0.0);
    EXPECT_NO_THROW(require_time_left());
}

}  // namespace
}  // namespace xsift
