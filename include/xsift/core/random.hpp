#pragma once
/// @file
/// Counter-based random numbers: Philox 4x32-10 (Salmon et al. 2011, SC'11).
///
/// The n-th number of stream (seed, stream) does not depend on what was drawn before, on threads or on the
/// device, so simulations are the same everywhere.

#include <cmath>
#include <cstdint>

#include <xsift/core/constants.hpp>
#include <xsift/core/host_device.hpp>

namespace xsift {

/// Four 32-bit words of Philox 4x32-10.
struct PhiloxBlock {
    std::uint32_t word[4];
};

/// Philox 4x32-10 of a 128-bit counter under a 64-bit key.
XSIFT_HD inline PhiloxBlock philox(std::uint64_t key, std::uint64_t counter_high, std::uint64_t counter_low) {
    std::uint32_t c0 = static_cast<std::uint32_t>(counter_low),
                  c1 = static_cast<std::uint32_t>(counter_low >> 32);
    std::uint32_t c2 = static_cast<std::uint32_t>(counter_high),
                  c3 = static_cast<std::uint32_t>(counter_high >> 32);
    std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = static_cast<std::uint64_t>(0xD2511F53u) * c0;
        const std::uint64_t p1 = static_cast<std::uint64_t>(0xCD9E8D57u) * c2;
        c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
        c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
        c1 = static_cast<std::uint32_t>(p1);
        c3 = static_cast<std::uint32_t>(p0);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return {{c0, c1, c2, c3}};
}

/// A stream of random numbers with its own counter. Copy it to branch.
class RandomStream {
  public:
    XSIFT_HD RandomStream(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}
    /// From its number `first` on (0: from the beginning), counted in calls of bits().
    XSIFT_HD RandomStream(std::uint64_t seed, std::uint64_t stream, std::uint64_t first)
        : seed_(seed), stream_(stream), counter_(first / 2) {
        if (first % 2 == 1) static_cast<void>(bits());
    }

    /// 64 random bits.
    XSIFT_HD std::uint64_t bits() {
        if (!half_) {
            block_ = philox(seed_, stream_, counter_++);
            half_ = true;
            return (static_cast<std::uint64_t>(block_.word[0]) << 32) | block_.word[1];
        }
        half_ = false;
        return (static_cast<std::uint64_t>(block_.word[2]) << 32) | block_.word[3];
    }
    /// Uniform in (0, 1): never 0, never 1.
    XSIFT_HD double uniform() { return (static_cast<double>(bits() >> 11) + 0.5) * 0x1p-53; }
    /// Standard normal deviate (Box-Muller; one of the pair is used, so that the counter stays simple).
    XSIFT_HD double normal() {
        const double radius = std::sqrt(-2.0 * std::log(uniform()));
        return radius * std::cos(constants::two_pi * uniform());
    }
    /// Exponential deviate of mean 1.
    XSIFT_HD double exponential() { return -std::log(uniform()); }
    /// Poisson deviate: inversion by products below 30, PTRS rejection (Hörmann 1993) above.
    XSIFT_HD std::int64_t poisson(double mean) {
        if (!(mean > 0.0)) return 0;
        if (mean < 30.0) {
            const double limit = std::exp(-mean);
            double product = uniform();
            std::int64_t count = 0;
            while (product > limit) {
                product *= uniform();
                ++count;
            }
            return count;
        }
        const double b = 0.931 + 2.53 * std::sqrt(mean), a = -0.059 + 0.02483 * b;
        const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2.0);
        for (;;) {
            const double u = uniform() - 0.5, v = uniform(), us = 0.5 - std::fabs(u);
            const double k = std::floor((2.0 * a / us + b) * u + mean + 0.43);
            if (us >= 0.07 && v <= v_r) return static_cast<std::int64_t>(k);
            if (k < 0.0 || (us < 0.013 && v > us)) continue;
            if (std::log(v * inverse_alpha / (a / (us * us) + b)) <=
                k * std::log(mean) - mean - std::lgamma(k + 1.0))
                return static_cast<std::int64_t>(k);
        }
    }

  private:
    std::uint64_t seed_, stream_, counter_ = 0;
    PhiloxBlock block_{};
    bool half_ = false;
};

}  // namespace xsift
