#pragma once
/// @file
/// Noise that is not white: the local level of the power, and probabilities that allow for it.
///
/// Powers are those of Z2_1 (mean 2 and exponentially distributed in white noise). The level L(f) is the
/// factor by which the local noise exceeds white noise. It is found by a running median in log frequency,
/// from powers at multiples of 1/T (independent of each other), and it is never below 1.

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include <xsift/core/constants.hpp>
#include <xsift/core/host_device.hpp>
#include <xsift/timing/search.hpp>

namespace xsift::timing {

/// The noise around a frequency.
///
/// A strong signal must not be taken for noise: the caller leaves out the powers next to it and next to its
/// family, the multiples of half its frequency (a profile of two unequal peaks has power at all of them).
struct NoiseLevel {
    double level = 1.0;        ///< of the noise over white noise, >= 1
    double estimate = 1.0;     ///< the same without the limit
    double powers = INFINITY;  ///< independent powers that a mean as sure as this level would be made from
    double white = 1.0;        ///< probability that the noise is white here
};

/// Grid indices (multiples of df) at which the noise is sampled: the trials nearest to r `resolution`
/// for r = 1, 2, ... 256 and then 128 an octave, as far as they lie in the grid. Ascending. Empty without a
/// resolution.
std::vector<std::int64_t> noise_indices(const FrequencyGrid& grid, double resolution);

/// A power of the noise, with everything that is known to be a signal taken out.
struct NoisePower {
    double frequency = 0.0, power = 0.0;
};

/// Orders of the family of a signal: k f/2 for k = 1 .. this.
inline constexpr int family_orders = 8;

/// The level at a frequency from the powers around it, which ascend in frequency: 1 + a (f'/f)^-b, with a
/// such that half of the powers lie above their medians, powers weighted by the root of their step in log f'
/// (equal weights would leave the level to the higher frequencies, weights equal to the step to a few of the
/// lowest). b is 0 to 4: the level is the mean over b, each as likely as the sum d of |log(power/median)| of
/// so many independent powers makes it, exp(-d) in units of the mean distance of noise; the best b alone
/// would be too low where few powers lie beside a slow candidate and it is the flat one by chance. The window
/// is an octave to either side and grows to three octaves while it holds fewer than 64 independent powers,
/// (sum w)^2 / sum w^2 of them.
/// @param exposure s: a band holds no more independent powers than its width times this
///
/// The scatter of the level is that of a median, 2.08/n in (ln L)^2, enlarged where the powers lie to one
/// side of f. It gives `powers` (its inverse) and `white`: even odds beforehand between white noise and a
/// level anywhere between 1 and 30 (flat in its logarithm; a wider range makes slightly red noise white,
/// which is told from it last). Without a power nothing is known: `powers` and `white` are 0.5.
NoiseLevel local_noise_level(double frequency, std::span<const NoisePower> powers, double exposure);

/// log10 P(> z) of Z2_n divided by a noise level that is the mean of `powers` exponential deviates: 2n and
/// 2 `powers` degrees of freedom (Fisher's F), log10 of (1 + y/k)^-k sum_{j<n} C(k+j-1, j) (y/(k+y))^j with
/// y = z/2. Tends to the chi2 of 2n degrees of freedom for many powers.
XSIFT_HD inline double log10_chi2_survival_local(double z, int n, double powers) {
    if (!(z > 0.0)) return 0.0;
    const double y = 0.5 * z, q = y / (powers + y);
    double sum = 1.0, term = 1.0;
    for (int j = 1; j < n; ++j) {
        term *= q * ((powers + j - 1) / j);
        sum += term;
    }
    const double result = std::log10(sum) - powers * std::log1p(y / powers) / constants::ln10;
    return result < 0.0 ? result : 0.0;
}

/// The same for H, whose survival is exp(-0.4 h).
XSIFT_HD inline double log10_h_survival_local(double h, double powers) {
    return h > 0.0 ? -powers * std::log1p(0.4 * h / powers) / constants::ln10 : 0.0;
}

/// log10 of weight 10^a + (1 - weight) 10^b.
XSIFT_HD inline double log10_mixture(double weight, double a, double b) {
    const double x = weight > 0.0 ? std::log10(weight) + a : -INFINITY;
    const double y = weight < 1.0 ? std::log10(1.0 - weight) + b : -INFINITY;
    const double high = std::fmax(x, y);
    if (!(high > -INFINITY)) return high;
    return high + std::log10(std::pow(10.0, x - high) + std::pow(10.0, y - high));
}

}  // namespace xsift::timing
