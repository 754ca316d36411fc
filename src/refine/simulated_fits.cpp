#include "goodness.hpp"
#include "two_scales.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <vector>

#include <xsift/core/random.hpp>
#include <xsift/refine/spectra.hpp>

namespace xsift::refine {

namespace {

using spectral::PreparedSpectrum;

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

/// Value below which a share of the sorted values lies, linear between them.
double quantile(std::span<const double> sorted, double share) {
    const double at = share * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const double next = sorted[std::min(below + 1, sorted.size() - 1)];
    return sorted[below] + (at - static_cast<double>(below)) * (next - sorted[below]);
}

}  // namespace

SimulatedFits simulate_fits(std::span<const FitInput> spectra,
                            const std::shared_ptr<const spectral::ModelDefinition>& model,
                            const SpectralFit& fit, const spectral::FitOptions& options, std::uint64_t seed) {
    const bool chi2 = fit.statistic.starts_with("chi2");
    const auto statistic = chi2 ? spectral::parse_statistic(fit.statistic) : spectral::FitStatistic::poisson;
    const int for_goodness = chi2 ? 0 : options.goodness_simulations,
              for_bootstrap = options.bootstrap_simulations;
    std::vector<double> values;
    for (const FittedParameter& p : fit.parameters) values.push_back(p.estimate.value);
    const std::size_t n_parameters = model->parameters.size();
    std::vector<Expected> expected;
    for (std::size_t d = 0; d < spectra.size(); ++d)
        expected.push_back(expect(*spectra[d].prepared, model, options.abundance, values,
                                  d == 0 ? 1.0 : values[n_parameters + d - 1]));
    int as_large = 0;
    std::vector<std::vector<double>> drawn(fit.parameters.size());
    for (int i = 0; i < std::max(for_goodness, for_bootstrap); ++i) {
        RandomStream random(seed, static_cast<std::uint64_t>(i));
        std::deque<FitData> data;
        std::vector<const FitData*> pointers;
        for (Expected& e : expected) {
            e.draw(random);
            pointers.push_back(&data.emplace_back(e.spectrum));
        }
        TwoScales scales(pointers, model, options.abundance, statistic);
        const Objective& objective = scales.merged();
        Point best = objective.make_point();
        scales.merged().evaluate(objective.start(fit), best);
        scales.settle(best);
        if (i < for_goodness) as_large += best.stat >= fit.stat ? 1 : 0;
        if (i >= for_bootstrap) continue;
        std::vector<double> refitted = objective.values(best.x);
        const Coordinates& c = objective.coordinates();
        for (int f = c.first_factor(); f < c.first_norm(); ++f) refitted.push_back(c.value(best.x, f));
        for (std::size_t k = 0; k < drawn.size(); ++k) drawn[k].push_back(refitted[k]);
    }
    SimulatedFits out;
    if (for_goodness > 0) out.gof_pvalue = (as_large + 1.0) / (for_goodness + 1.0);
    out.parameters.resize(drawn.size());
    if (for_bootstrap == 0) return out;
    const double tail = 0.5 * std::erfc(std::sqrt(0.5 * options.confidence_delta));
    for (std::size_t k = 0; k < drawn.size(); ++k) {
        if ((fit.parameters[k].flags & parameter_frozen) != 0) continue;
        std::sort(drawn[k].begin(), drawn[k].end());
        out.parameters[k] = {quantile(drawn[k], 0.5), quantile(drawn[k], tail),
                             quantile(drawn[k], 1.0 - tail)};
    }
    return out;
}

}  // namespace xsift::refine
