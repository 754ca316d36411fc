#include "backend.hpp"

#include <cstdlib>

#include <xsift/cuda/factory.hpp>

namespace xsift::test {

static bool asked_for(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr && std::string(value) == "1";
}

/// Without a device the case is skipped; with XSIFT_REQUIRE_GPU=1 it fails, so that a machine that should
/// have a device cannot look green without one. XSIFT_WARPGROUPS=1: products by groups of warps.
void BackendTest::SetUp() {
    const cuda::Availability here = cuda::availability();
    if (here.usable) {
        cuda::DeviceOptions options;
        options.warpgroups = asked_for("XSIFT_WARPGROUPS");
        engines = cuda::make_engines(options);
        return;
    }
    if (asked_for("XSIFT_REQUIRE_GPU")) FAIL() << here.reason;
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
