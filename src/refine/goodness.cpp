#include "goodness.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <xsift/spectral/profile.hpp>

namespace xsift::refine {

namespace {

using spectral::PreparedSpectrum;

/// Background rate of each bin (count/s in the source region): that of the profiled statistic, with the shape
/// smoothed until background_counts are behind it.
std::vector<double> background_rates(const PreparedSpectrum& s, std::span<const double> rate) {
    constexpr double enough_counts = 25.0;
    const std::ptrdiff_t n = std::ssize(s.counts);
    std::vector<double> profiled(s.n_bins()), out(s.n_bins());
    std::vector<double> channels(s.n_bins());
    for (std::size_t k = 0; k < s.n_bins(); ++k) {
        profiled[k] = spectral::profiled_background(s.counts[k], s.background_counts[k], s.source_exposure,
                                                    s.background_exposure_of(k), rate[k]);
        channels[k] = s.bin_last[k] - s.bin_first[k] + 1;
    }
    for (std::ptrdiff_t k = 0; k < n; ++k) {
        double counts = s.background_counts[k], sum = profiled[k], width = channels[k];
        for (std::ptrdiff_t reach = 1; counts < enough_counts && reach < n; ++reach)
            for (const std::ptrdiff_t j : {k - reach, k + reach}) {
                if (j < 0 || j >= n) continue;
                counts += s.background_counts[j];
                sum += profiled[j];
                width += channels[j];
            }
        out[k] = sum / width * channels[k];
    }
    return out;
}

}  // namespace

spectral::Moments expected_statistic(const PreparedSpectrum& s,
                                     const std::shared_ptr<const spectral::ModelDefinition>& model,
                                     spectral::Abundance abundance, std::span<const double> values,
                                     double factor) {
    spectral::ModelEvaluator evaluator(model, abundance,
                                       spectral::EnergyBins::from_bounds(s.energy_lo, s.energy_hi));
    const std::vector<double> photons = evaluator.photons(values);
    std::vector<double> rate(s.n_bins());
    spectral::fold<1>(s, {photons.data()}, {rate.data()});
    for (double& r : rate) r = std::fmax(factor * r, spectral::lowest_rate);
    const std::vector<double> background =
        s.has_background() ? background_rates(s, rate) : std::vector<double>{};
    spectral::Moments total;
    for (std::size_t k = 0; k < s.n_bins(); ++k) {
        spectral::Moments bin;
        if (s.has_background()) {
            bin = spectral::wstat_moments(s.source_exposure, s.background_exposure_of(k), rate[k],
                                          background[k]);
        } else {
            const double mu = s.source_exposure * rate[k];
            bin = {spectral::cstat_mean(mu), spectral::cstat_variance(mu)};
        }
        total.mean += bin.mean;
        total.variance += bin.variance;
    }
    return total;
}

}  // namespace xsift::refine
