#include "goodness.hpp"

#include <algorithm>
#include <cmath>

#include <xsift/core/chi2.hpp>
#include <xsift/spectral/goodness.hpp>
#include <xsift/spectral/profile.hpp>

namespace xsift::refine {

namespace {

using spectral::ModelEvaluator;
using spectral::PreparedSpectrum;

ModelEvaluator evaluator_for(const PreparedSpectrum& s,
                             const std::shared_ptr<const spectral::ModelDefinition>& model,
                             spectral::Abundance abundance) {
    return {model, abundance, spectral::EnergyBins::from_bounds(s.energy_lo, s.energy_hi)};
}

/// Derivatives of the rates of each bin by the parameters behind the fit's coordinates.
std::vector<Vector> rate_slopes(const PreparedSpectrum& s,
                                const std::shared_ptr<const spectral::ModelDefinition>& model,
                                spectral::Abundance abundance, std::span<const double> values,
                                std::size_t spectrum, const Coordinates& c, std::span<const double> rate) {
    ModelEvaluator evaluator = evaluator_for(s, model, abundance);
    evaluator.evaluate(values.first(model->parameters.size()), true);
    const double factor = spectrum == 0 ? 1.0 : values[model->parameters.size() + spectrum - 1];
    std::vector<Vector> by(s.n_bins());
    std::vector<double> folded(s.n_bins());
    const auto add = [&](std::span<const double> photons, double scale, int coordinate) {
        spectral::fold<1>(s, {photons.data()}, {folded.data()});
        for (std::size_t k = 0; k < by.size(); ++k) by[k][coordinate] += scale * folded[k];
    };
    const auto& groups = evaluator.freedom().groups;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        const double norm = values[static_cast<std::size_t>(groups[g].norm)];
        if (groups[g].free) add(evaluator.unit(g), factor, c.first_norm() + static_cast<int>(g));
        for (int i = 0; i < c.n_shape; ++i)
            if (evaluator.freedom().depends(g, static_cast<std::size_t>(i)))
                add(evaluator.by_shape(g, static_cast<std::size_t>(i)), factor * norm, i);
    }
    if (spectrum > 0)
        for (std::size_t k = 0; k < by.size(); ++k)
            by[k][c.first_factor() + static_cast<int>(spectrum) - 1] = rate[k] / factor;
    return by;
}

struct Term {
    spectral::Moments moments;
    Vector by;
};

std::vector<Term> terms_of(const PreparedSpectrum& s, std::span<const double> rate,
                           const std::vector<Vector>& by) {
    const std::vector<double> background =
        s.has_background() ? background_rates(s, rate) : std::vector<double>{};
    std::vector<Term> out;
    for (std::size_t k = 0; k < s.n_bins(); ++k)
        out.push_back({s.has_background()
                           ? spectral::wstat_moments(s.source_exposure, s.background_exposure_of(k), rate[k],
                                                     background[k])
                           : spectral::cstat_moments(s.source_exposure, rate[k]),
                       by[k]});
    return out;
}

}  // namespace

std::vector<double> fitted_rates(const PreparedSpectrum& s,
                                 const std::shared_ptr<const spectral::ModelDefinition>& model,
                                 spectral::Abundance abundance, std::span<const double> values,
                                 double factor) {
    const std::vector<double> photons =
        evaluator_for(s, model, abundance).photons(values.first(model->parameters.size()));
    std::vector<double> rate(s.n_bins());
    spectral::fold<1>(s, {photons.data()}, {rate.data()});
    for (double& r : rate) r = std::fmax(factor * r, spectral::lowest_rate);
    return rate;
}

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
        // a stretch that ends once it holds so many counts holds one more than its rate would have
        const double unbiased = counts > 1.0 ? 1.0 - 1.0 / counts : 1.0;
        out[k] = unbiased * sum / width * channels[k];
    }
    return out;
}

double ExpectedStatistic::deviations(double stat) const {
    return (stat - mean) / std::sqrt(variance);
}

double ExpectedStatistic::probability_above(double stat) const {
    constexpr double nearly_normal = 0.01;
    const double skewness = third / std::pow(variance, 1.5), z = deviations(stat);
    if (std::fabs(skewness) < nearly_normal) return 0.5 * std::erfc(z / std::sqrt(2.0));
    // a gamma variate of this shape, its mean and deviation being shape and its root
    const double shape = 4.0 / (skewness * skewness), side = skewness > 0.0 ? 1.0 : -1.0;
    const double above =
        std::pow(10.0, log10_chi2_survival(2.0 * (shape + side * z * std::sqrt(shape)), 2.0 * shape));
    return skewness > 0.0 ? above : 1.0 - above;
}

ExpectedStatistic expected_statistic(std::span<const FitInput> spectra,
                                     const std::shared_ptr<const spectral::ModelDefinition>& model,
                                     spectral::Abundance abundance, std::span<const double> values,
                                     const Coordinates& c, const Mask& counted) {
    std::vector<Term> terms;
    for (std::size_t d = 0; d < spectra.size(); ++d) {
        const PreparedSpectrum& s = *spectra[d].prepared;
        const double factor = d == 0 ? 1.0 : values[model->parameters.size() + d - 1];
        const std::vector<double> rate = fitted_rates(s, model, abundance, values, factor);
        const std::vector<Term> more =
            terms_of(s, rate, rate_slopes(s, model, abundance, values, d, c, rate));
        terms.insert(terms.end(), more.begin(), more.end());
    }
    Vector common{};  // of the statistic and the scores of the parameters
    Matrix information{}, inverse{};
    for (const Term& t : terms)
        for (int i = 0; i < c.n; ++i) {
            common[i] += t.moments.vg * t.by[i];
            for (int j = 0; j < c.n; ++j) information[i][j] += t.moments.gg * t.by[i] * t.by[j];
        }
    Mask felt{};
    for (int i = 0; i < c.n; ++i) {
        felt[i] = counted[i] && information[i][i] > 0.0;
        information[i][i] *= 1.0 + 1e-9;  // parameters that follow each other
    }
    for (int i = 0; i < c.n; ++i) {
        Vector unit{};
        unit[i] = 1.0;
        if (felt[i]) inverse[i] = solve(information, unit, felt, c.n).value_or(Vector{});
    }
    const Vector along = product(inverse, common, c.n);
    ExpectedStatistic out;
    double taken = 0.0;
    for (const Term& t : terms) {
        const spectral::Moments& m = t.moments;
        const double a = dot(along, t.by, c.n), leverage = dot(t.by, product(inverse, t.by, c.n), c.n);
        out.mean += m.mean;
        out.variance += m.variance - 2.0 * a * m.vg + a * a * m.gg;
        out.third += m.vvv - 3.0 * a * m.vvg + 3.0 * a * a * m.vgg - a * a * a * m.ggg;
        taken += 0.5 * leverage * (m.vgg - a * m.ggg);
    }
    out.mean -= taken;
    out.variance -= 2.0 * taken;
    out.third -= 8.0 * taken;
    return out;
}

}  // namespace xsift::refine
