#include "backend.hpp"

#include <cstdlib>

#include <xsift/cuda/factory.hpp>

namespace xsift::test {

/// Without a device the case is skipped; with XSIFT_REQUIRE_GPU=1 it fails, so that a machine that should
/// have a device cannot look green without one.
void BackendTest::SetUp() {
    const cuda::Availability here = cuda::availability();
    if (here.usable) {
        engines = cuda::make_engines();
        return;
    }
    const char* required = std::getenv("XSIFT_REQUIRE_GPU");
    if (required != nullptr && std::string(required) == "1") FAIL() << here.reason;
    GTEST_SKIP() << here.reason;
}

namespace {

using Device = BackendTest;

TEST_F(Device, IsUsable) {
    ASSERT_TRUE(engines.search && engines.grid);
    EXPECT_EQ(engines.backend, "cuda");
}

}  // namespace
}  // namespace xsift::test
