#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/constants.hpp>
#include <xsift/core/random.hpp>
#include <xsift/timing/phase.hpp>
#include <xsift/timing/photon_moments.hpp>

namespace xsift::timing {
namespace {

struct Photons {
    alignas(64) double time[64], turn_re[64], turn_im[64], re[64], im[64];

    Photons() {
        RandomStream random(31, 0);
        for (int j = 0; j < 64; ++j) {
            const double phase = constants::two_pi * random.uniform();
            time[j] = 100.0 * (random.uniform() - 0.5);
            re[j] = turn_re[j] = std::cos(phase);
            im[j] = turn_im[j] = std::sin(phase);
        }
    }
};

struct Moments {
    alignas(64) double value[5][moment_rows][moment_lanes] = {};
};

Moments moments_by(const MomentKernels& kernels) {
    Photons p;
    Moments m;
    kernels.add({p.time, p.turn_re, p.turn_im, p.re, p.im, 64}, 5, &m.value[0][0][0]);
    return m;
}

TEST(PhotonMoments, AreThoseOfTheDefinition) {
    const Moments m = moments_by(moments_baseline);
    const Photons p;
    for (int k = 1; k <= 5; ++k)
        for (int power = 0; power < 3; ++power) {
            double re = 0.0, im = 0.0, found_re = 0.0, found_im = 0.0;
            for (int j = 0; j < 64; ++j) {
                const double phase = k * std::atan2(p.turn_im[j], p.turn_re[j]);
                re += std::pow(p.time[j], power) * std::cos(phase);
                im += std::pow(p.time[j], power) * std::sin(phase);
            }
            for (std::size_t l = 0; l < moment_lanes; ++l) {
                found_re += m.value[k - 1][2 * power][l];
                found_im += m.value[k - 1][2 * power + 1][l];
            }
            EXPECT_NEAR(found_re, re, 1e-10 * std::pow(50.0, power) * 64);
            EXPECT_NEAR(found_im, im, 1e-10 * std::pow(50.0, power) * 64);
        }
}

TEST(PhotonMoments, AreTheSameToTheLastBitInEveryInstructionSet) {
    const Moments a = moments_by(moments_baseline), b = moments_by(best_moments());
    for (int k = 0; k < 5; ++k)
        for (std::size_t row = 0; row < moment_rows; ++row)
            for (std::size_t l = 0; l < moment_lanes; ++l) EXPECT_EQ(a.value[k][row][l], b.value[k][row][l]);
}

TEST(PhotonMoments, SumsAloneAreTheZerothMomentsToTheLastBit) {
    const Moments truth = moments_by(moments_baseline);
    for (const MomentKernels* kernels : {&moments_baseline, &best_moments()}) {
        Photons p;
        alignas(64) double sums[5][sum_rows][moment_lanes] = {};
        kernels->add_sums({p.time, p.turn_re, p.turn_im, p.re, p.im, 64}, 5, &sums[0][0][0]);
        for (int k = 0; k < 5; ++k)
            for (std::size_t row = 0; row < sum_rows; ++row)
                for (std::size_t l = 0; l < moment_lanes; ++l)
                    EXPECT_EQ(sums[k][row][l], truth.value[k][row][l]);
    }
}

struct Phasors {
    alignas(64) double time[64], cosine[64], sine[64];

    Phasors(const MomentKernels& kernels, double frequency, double span) {
        RandomStream random(32, 0);
        for (double& t : time) t = span * (random.uniform() - 0.5);
        time[0] = 0.0;
        for (int j = 1; j < 9; ++j) time[j] = 0.125 * (j - 4) / frequency;  // where quarters meet
        kernels.phasors(frequency, time, cosine, sine, 64);
    }
};

TEST(PhotonMoments, PhasorsAreThoseOfTheExactPhaseInEveryInstructionSet) {
    for (const double frequency : {1e-6, 0.013, 0.1432825, 7.3e2, 9.9e5})
        for (const double span : {3.0, 1e5, 8e8}) {
            const Phasors a(moments_baseline, frequency, span), b(best_moments(), frequency, span);
            for (int j = 0; j < 64; ++j) {
                EXPECT_EQ(a.cosine[j], b.cosine[j]);
                EXPECT_EQ(a.sine[j], b.sine[j]);
                const Phasor truth = phasor(fixed_phase(frequency, a.time[j]));
                EXPECT_NEAR(a.cosine[j], truth.cosine, 1e-15) << frequency << " " << a.time[j];
                EXPECT_NEAR(a.sine[j], truth.sine, 1e-15) << frequency << " " << a.time[j];
            }
        }
}

}  // namespace
}  // namespace xsift::timing
