#pragma once
/// @file
/// Noise that is not white: the local level of the power, and probabilities that allow for it.
///
/// Powers are those of Z2_1 (mean 2 and exponentially distributed in white noise). The level L(f) is the
/// factor by which the local noise exceeds white noise: never below 1, smooth in log frequency, and known
/// only from powers at multiples of 1/T (independent of each other). What is not known of it belongs to the
/// probability of a power.

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
    double level = 1.0;        ///< of the noise over white noise, >= 1: mean of both possibilities
    double estimate = 1.0;     ///< the same if the noise is not white
    double powers = INFINITY;  ///< powers that a mean as sure as the estimate would be made from
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

/// The spectrum of the noise, by local likelihood (Fan & Kreutzberger 1998, Scandinavian Journal of
/// Statistics 25, 359; the likelihood of independent exponential powers is Whittle's).
///
/// Two explanations, as likely as each other beforehand, are weighed by how likely they make the powers
/// around f:
/// - A power law there: the level is 1 + a (f'/f)^-b; powers count by the tricube of their distance in log
///   frequency, within two octaves if these hold 64 independent powers, else three, or four where these hold
///   fewer than 12.
/// - One shape of the whole spectrum: a power law, or flat below a knee. It is judged by what the powers
///   elsewhere make of those around f.
///
/// Beforehand b is 0 to 4 and a flat in ln(1 + a/sigma) up to a = 10^6, sigma being the excess that could
/// just be seen. The distribution of ln L afterwards has the mean and the variance of that from a number of
/// exponential deviates of one mean: `estimate` and `powers`. Powers above three times a first estimate (a
/// regression of their logarithms) are only known to be above: a line does not raise the level.
///
/// `white` weighs white noise against such an excess around f, and against one over the whole spectrum: a
/// source that is red elsewhere is not white here. Even odds beforehand.
class NoiseSpectrum {
  public:
    /// @param powers ascending in frequency
    /// @param exposure s: a band holds no more independent powers than its width times this
    NoiseSpectrum(std::span<const NoisePower> powers, double exposure);

    /// Beyond the highest power the excess around that one goes on with its slope. Without a power nothing is
    /// known: `powers` and `white` are 0.5.
    NoiseLevel at(double frequency) const;

    /// Correlation of the levels at two frequencies: the share of their (narrowest) windows in common.
    static double correlation(double frequency, double other) {
        return std::fmax(0.0, 1.0 - std::fabs(std::log2(frequency / other)) / (2.0 * narrowest_window));
    }
    static constexpr double narrowest_window = 2.0;  ///< octaves to either side

    /// Neighbouring powers together.
    struct Bin {
        double x = 0.0;      ///< ln f
        double n = 0.0;      ///< powers
        double below = 0.0;  ///< of these below the limit
        double sum = 0.0;    ///< of the halves of the powers, each at most the limit
    };

    /// How an excess changes with frequency: a power law, or flat below a knee.
    struct Shape {
        double slope = 0.0, knee = -INFINITY;  ///< of the excess (positive: falls), ln f

        /// @param x ln f
        /// @param pivot ln f where a power law is 1; far below a knee the shape is 1
        double at(double x, double pivot) const;
    };
    /// An excess that the powers allow.
    struct Node {
        double log = 0.0, excess = 0.0;  ///< ln of its share; at the pivot, or below the knee
        Shape shape;
    };

  private:
    /// @param powers how many there are
    void fit_whole(double powers);
    /// ln of how likely the shape of the whole, as the powers elsewhere have it, makes those of a window over
    /// how likely white noise does.
    double log_gain_of_whole(double centre, double reach) const;

    std::vector<Bin> bins_;
    std::vector<double> whole_;  ///< ln f of fewer bins, for the shape of the whole
    std::vector<Node> nodes_;    ///< of the whole, the pivot at its first bin
    std::vector<double> gains_;  ///< ln of the likelihood of each bin for each node over that of white noise
    double lowest_ = 0.0, highest_ = 0.0, exposure_;
    double log_red_ = 0.0;  ///< ln of the odds that the whole spectrum is not white
};

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

/// log10 of weight 10^a + (1 - weight) 10^b.
XSIFT_HD inline double log10_mixture(double weight, double a, double b) {
    const double x = weight > 0.0 ? std::log10(weight) + a : -INFINITY;
    const double y = weight < 1.0 ? std::log10(1.0 - weight) + b : -INFINITY;
    const double high = std::fmax(x, y);
    if (!(high > -INFINITY)) return high;
    return high + std::log10(std::pow(10.0, x - high) + std::pow(10.0, y - high));
}

}  // namespace xsift::timing
