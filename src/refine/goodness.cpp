#include "goodness.hpp"

#include "two_scales.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <vector>

#include <xsift/core/random.hpp>
#include <xsift/refine/spectra.hpp>
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

/// Source rate of each bin (count/s) at the values of all parameters and an instrument's factor.
std::vector<double> fitted_rates(const PreparedSpectrum& s,
                                 const std::shared_ptr<const spectral::ModelDefinition>& model,
                                 spectral::Abundance abundance, std::span<const double> values,
                                 double factor) {
    spectral::ModelEvaluator evaluator(model, abundance,
                                       spectral::EnergyBins::from_bounds(s.energy_lo, s.energy_hi));
    const std::vector<double> photons = evaluator.photons(values);
    std::vector<double> rate(s.n_bins());
    spectral::fold<1>(s, {photons.data()}, {rate.data()});
    for (double& r : rate) r = std::fmax(factor * r, spectral::lowest_rate);
    return rate;
}

}  // namespace

spectral::Moments expected_statistic(const PreparedSpectrum& s,
                                     const std::shared_ptr<const spectral::ModelDefinition>& model,
                                     spectral::Abundance abundance, std::span<const double> values,
                                     double factor) {
    const std::vector<double> rate = fitted_rates(s, model, abundance, values, factor);
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

namespace {

/// A spectrum with what is expected in its bins under a fit.
struct Expected {
    PreparedSpectrum spectrum;
    std::vector<double> counts, background;  ///< of the source region, of the background region

    /// Draws the counts anew.
    void draw(RandomStream& random) {
        for (std::size_t k = 0; k < counts.size(); ++k) {
            spectrum.counts[k] = static_cast<double>(random.poisson(counts[k]));
            if (spectrum.has_background())
                spectrum.background_counts[k] = static_cast<double>(random.poisson(background[k]));
        }
    }
};

Expected expect(const PreparedSpectrum& s, const std::shared_ptr<const spectral::ModelDefinition>& model,
                spectral::Abundance abundance, std::span<const double> values, double factor) {
    Expected out{s, {}, {}};
    const std::vector<double> rate = fitted_rates(s, model, abundance, values, factor);
    std::vector<double> background(s.n_bins(), 0.0);
    if (s.has_background()) background = background_rates(s, rate);
    for (std::size_t k = 0; k < s.n_bins(); ++k) {
        out.counts.push_back(s.source_exposure * (rate[k] + background[k]));
        if (s.has_background()) out.background.push_back(s.background_exposure_of(k) * background[k]);
    }
    return out;
}

}  // namespace

double simulated_goodness(std::span<const FitInput> spectra,
                          const std::shared_ptr<const spectral::ModelDefinition>& model,
                          const SpectralFit& fit, const spectral::FitOptions& options, int simulations,
                          std::uint64_t seed) {
    if (fit.statistic.starts_with("chi2")) return not_measured;
    std::vector<double> values;
    for (const FittedParameter& p : fit.parameters) values.push_back(p.estimate.value);
    const std::size_t n_parameters = model->parameters.size();
    std::vector<Expected> expected;
    for (std::size_t d = 0; d < spectra.size(); ++d)
        expected.push_back(expect(*spectra[d].prepared, model, options.abundance,
                                  std::span(values).first(n_parameters),
                                  d == 0 ? 1.0 : values[n_parameters + d - 1]));
    int as_large = 0;
    for (int i = 0; i < simulations; ++i) {
        RandomStream random(seed, static_cast<std::uint64_t>(i));
        std::deque<FitData> data;
        std::vector<const FitData*> pointers;
        for (Expected& e : expected) {
            e.draw(random);
            pointers.push_back(&data.emplace_back(e.spectrum));
        }
        TwoScales scales(pointers, model, options.abundance);
        Point best = scales.merged().make_point();
        scales.merged().evaluate(scales.merged().start(fit), best);
        scales.settle(best);
        as_large += best.stat >= fit.stat ? 1 : 0;
    }
    return (as_large + 1.0) / (simulations + 1.0);
}

}  // namespace xsift::refine
