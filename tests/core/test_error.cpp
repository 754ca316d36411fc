#include <gtest/gtest.h>

#include <xsift/core/error.hpp>

namespace xsift {
namespace {

TEST(Error, SaysWhatWhyAndWhatToDo) {
    const Error error(ErrorKind::input, "NO_RESPONSE", "cannot fit a.fits", "no response",
                      "Give --response-path");
    EXPECT_STREQ(error.what(), "cannot fit a.fits (no response). Give --response-path");
    EXPECT_EQ(error.code(), "NO_RESPONSE");
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_STREQ(Error(ErrorKind::usage, "X", "what").what(), "what");
    EXPECT_STREQ(Error(ErrorKind::usage, "X", "what", "", "do").what(), "what. do");
    EXPECT_EQ(format_problem("what", "why", ""), "what (why)");
}

TEST(Error, KindsHaveTheirExitCodes) {
    EXPECT_EQ(static_cast<int>(exit_code(ErrorKind::internal)), 1);
    EXPECT_EQ(static_cast<int>(exit_code(ErrorKind::usage)), 2);
    EXPECT_EQ(static_cast<int>(exit_code(ErrorKind::input)), 3);
    EXPECT_EQ(static_cast<int>(exit_code(ErrorKind::corrupt_file)), 4);
    EXPECT_EQ(static_cast<int>(exit_code(ErrorKind::backend_unavailable)), 5);
    EXPECT_EQ(static_cast<int>(exit_code(ErrorKind::interrupted)), 75);
}

}  // namespace
}  // namespace xsift
