#include "../../src/refine/photon_sums.hpp"

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>

namespace xsift::refine {
namespace {

TEST(PhotonSums, ProgressionsAreTheSumsAtEachFrequency) {
    EventList events;
    RandomStream random(17, 0);
    for (int j = 0; j < 5003; ++j) {
        events.time.push_back(j * 10.0 + 5.0 * random.uniform());
        events.weight.push_back(static_cast<float>(random.uniform()));
    }
    events.gti = {{0.0}, {51000.0}};
    const PhotonSums sums(events);
    for (const auto& [first, step, count] : {std::tuple{1.0 / 51000.0, 1.0 / 51000.0, 512},
                                             std::tuple{3.7, 0.00123, 300}, std::tuple{6.8, 1e-6, 1}}) {
        const auto found = timing::progression(sums.photons(), first, step, count);
        ASSERT_EQ(found.size(), static_cast<std::size_t>(count));
        for (int i = 0; i < count; i += 7) {
            const timing::Complex truth = sums.sum(first + i * step);
            EXPECT_NEAR(found[static_cast<std::size_t>(i)].re, truth.re, 1e-7) << i;
            EXPECT_NEAR(found[static_cast<std::size_t>(i)].im, truth.im, 1e-7) << i;
        }
    }
}

}  // namespace
}  // namespace xsift::refine
