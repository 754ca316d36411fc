#pragma once
/// @file
/// How large C-stat and W-stat are expected to be when the model is right, for host and device.

#include <cmath>

#include <xsift/core/host_device.hpp>
#include <xsift/spectral/statistics.hpp>

namespace xsift::spectral {

/// Moments of a bin's term v of a statistic, and together with its score g = -(dv/dm)/2 by the source rate m.
/// All but the mean are about the means.
struct Moments {
    double mean = 0.0, variance = 0.0;
    double vg = 0.0, gg = 0.0;
    double vvv = 0.0, vvg = 0.0, vgg = 0.0, ggg = 0.0;
};

/// Sums up moments over draws of known probability.
class MomentSums {
  public:
    XSIFT_HD void add(double weight, double v, double g) {
        total_ += weight;
        v_ += weight * v;
        g_ += weight * g;
        vv_ += weight * v * v;
        vg_ += weight * v * g;
        gg_ += weight * g * g;
        vvv_ += weight * v * v * v;
        vvg_ += weight * v * v * g;
        vgg_ += weight * v * g * g;
        ggg_ += weight * g * g * g;
    }
    XSIFT_HD Moments moments() const {
        const double v = v_ / total_, g = g_ / total_, vv = vv_ / total_ - v * v, vg = vg_ / total_ - v * g,
                     gg = gg_ / total_ - g * g;
        return {v,
                std::fmax(0.0, vv),
                vg,
                std::fmax(0.0, gg),
                vvv_ / total_ - 3.0 * v * vv - v * v * v,
                vvg_ / total_ - 2.0 * v * vg - g * vv - v * v * g,
                vgg_ / total_ - 2.0 * g * vg - v * gg - v * g * g,
                ggg_ / total_ - 3.0 * g * gg - g * g * g};
    }

  private:
    double total_ = 0.0, v_ = 0.0, g_ = 0.0, vv_ = 0.0, vg_ = 0.0, gg_ = 0.0, vvv_ = 0.0, vvg_ = 0.0,
           vgg_ = 0.0, ggg_ = 0.0;
};

/// Expected C-stat of a bin with mu expected counts (Kaastra 2017, A&A 605, A51, table 1, 1e-3 relative).
XSIFT_HD inline double cstat_mean(double mu) {
    if (!(mu > 0.0)) return 0.0;
    const double log_mu = std::log(mu);
    if (mu <= 0.5) return ((-0.25 * mu + 1.38) * mu - 2.0 * log_mu) * mu;
    if (mu <= 2.0)
        return ((((-0.00335 * mu + 0.04259) * mu - 0.27331) * mu + 1.381) * mu - 2.0 * log_mu) * mu;
    if (mu <= 5.0) return 1.019275 + 0.1345 * std::pow(mu, 0.461 - 0.9 * log_mu);
    if (mu <= 10.0) return 1.00624 + 0.604 * std::pow(mu, -1.68);
    return 1.0 + (0.1649 + 0.226 / mu) / mu;
}

/// Variance of the C-stat of a bin with mu expected counts (Kaastra 2017, table 1).
XSIFT_HD inline double cstat_variance(double mu) {
    if (!(mu > 0.0)) return 0.0;
    const double m = mu;
    if (m <= 0.1) {
        double sum = 0.0, probability = std::exp(-m);
        for (int k = 0; k <= 4; ++k) {
            const double term = m - k + (k > 0 ? k * std::log(k / m) : 0.0);
            sum += probability * term * term;
            probability *= m / (k + 1);
        }
        const double mean = cstat_mean(m);
        return 4.0 * sum - mean * mean;
    }
    if (m <= 0.2) return (((-262.0 * m + 195.0) * m - 51.24) * m + 4.34) * m + 0.77005;
    if (m <= 0.3) return (4.23 * m - 2.8254) * m + 1.12522;
    if (m <= 0.5) return ((-3.7 * m + 7.328) * m - 3.6926) * m + 1.20641;
    if (m <= 1.0) return (((1.28 * m - 5.191) * m + 7.666) * m - 3.5446) * m + 1.15431;
    if (m <= 2.0) return (((0.1125 * m - 0.641) * m + 0.859) * m + 1.0914) * m - 0.05748;
    if (m <= 3.0) return ((0.089 * m - 0.872) * m + 2.8422) * m - 0.67539;
    if (m <= 5.0) return 2.12336 + 0.012202 * std::pow(m, 5.717 - 2.6 * std::log(m));
    if (m <= 10.0) return 2.05159 + 0.331 * std::pow(m, 1.343 - std::log(m));
    return 2.0 + (0.6747 + (0.79 + 12.0 / m) / m) / m;
}

/// Points and weights that stand for a Poisson distribution: every count where the distribution is narrow
/// (below 20: the terms of a statistic are not smooth at 0), every n-th one where it is wide. At 3/2 points a
/// standard deviation the sum of a function as smooth as a normal distribution is exact to 1e-9.
class PoissonPoints {
  public:
    XSIFT_HD explicit PoissonPoints(double mean, double a_deviation = 1.5) : mean_(mean) {
        constexpr double deviations = 6.5, not_smooth = 20.0;
        const double sigma = std::sqrt(mean);
        step_ = mean < not_smooth ? 1.0 : std::fmax(1.0, std::floor(sigma / a_deviation));
        first_ = std::fmax(0.0, std::floor(mean - deviations * sigma));
        n_ = static_cast<int>(std::floor((mean + deviations * sigma + 5.0 - first_) / step_)) + 1;
        n_ = n_ < most ? n_ : most;
        double total = 0.0;
        for (int i = 0; i < n_; ++i)
            total += weight_[i] = step_ > 1.0 ? raw(i) : i == 0 ? 1.0 : weight_[i - 1] * mean / count(i);
        for (int i = 0; i < n_; ++i) weight_[i] /= total;
    }
    XSIFT_HD int size() const { return n_; }
    XSIFT_HD double count(int i) const { return first_ + step_ * i; }
    XSIFT_HD double weight(int i) const { return weight_[i]; }

  private:
    static constexpr int most = 128;  // of 4 a deviation: 13 deviations of 8 counts, and 5 counts
    XSIFT_HD double raw(int i) const {
        const double k = count(i);
        return std::exp(k * std::log(mean_) - mean_ - std::lgamma(k + 1.0));
    }
    double mean_, step_ = 1.0, first_ = 0.0;
    int n_ = 0;
    double weight_[most];
};

/// Moments of the C-stat of a bin at the true source rate (count/s): mean and variance by Kaastra's formulas,
/// the others as sums over the Poisson distribution.
XSIFT_HD inline Moments cstat_moments(double exposure, double rate) {
    const double mu = exposure * rate;
    const PoissonPoints counts(mu);
    MomentSums sums;
    for (int i = 0; i < counts.size(); ++i)
        sums.add(counts.weight(i), cstat(counts.count(i), exposure, rate),
                 -0.5 * cstat_derivatives(counts.count(i), exposure, rate).first);
    Moments out = sums.moments();
    out.mean = cstat_mean(mu);
    out.variance = cstat_variance(mu);
    return out;
}

inline constexpr double rare_draw = 1e-12;  ///< probability of a draw that moments leave out

/// Moments of the W-stat of a bin at the true source rate and background rate (count/s), the background
/// profiled: sums over the Poisson distributions of both counts, less what is rarer than rare_draw. Points
/// lie close: without background counts the term has a kink at some source counts.
XSIFT_HD inline Moments wstat_moments(double source_exposure, double background_exposure, double rate,
                                      double background_rate) {
    constexpr double a_deviation = 4.0;
    const PoissonPoints source(source_exposure * (rate + background_rate), a_deviation),
        background(background_exposure * background_rate, a_deviation);
    MomentSums sums;
    for (int i = 0; i < source.size(); ++i)
        for (int j = 0; j < background.size(); ++j) {
            const double weight = source.weight(i) * background.weight(j);
            if (weight < rare_draw) continue;
            const double s = source.count(i), b = background.count(j);
            sums.add(weight, wstat(s, b, source_exposure, background_exposure, rate),
                     -0.5 * wstat_derivatives(s, b, source_exposure, background_exposure, rate).first);
        }
    return sums.moments();
}

}  // namespace xsift::spectral
