#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/cuda/factory.hpp>

namespace xsift::cuda {
namespace {

TEST(CudaFactory, SaysInOneSentenceWhetherItCanBeUsed) {
    const Availability here = availability();
    EXPECT_EQ(here.usable, here.reason.empty());
    EXPECT_EQ(here.usable, !here.device.empty());
    EXPECT_EQ(here.reason.find('\n'), std::string::npos);
    EXPECT_EQ(availability().reason, here.reason) << "asking twice gives another answer";
}

TEST(CudaFactory, GivesBothEnginesOrRefusesWithTheReason) {
    const Availability here = availability();
    if (here.usable) {
        const engine::Engines engines = make_engines();
        EXPECT_EQ(engines.backend, "cuda");
        EXPECT_NE(engines.description.find(here.device), std::string::npos);
        ASSERT_TRUE(engines.search && engines.grid);
        EXPECT_EQ(engines.search->name(), "cuda");
        EXPECT_EQ(engines.grid->name(), "cuda");
        return;
    }
    try {
        make_engines();
        FAIL() << "made engines although: " << here.reason;
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::backend_unavailable);
        EXPECT_EQ(static_cast<int>(exit_code(error.kind())), 5);
        EXPECT_NE(std::string(error.what()).find(here.reason), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace xsift::cuda
