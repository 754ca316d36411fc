#include "goodness.hpp"

#include "rate_slopes.hpp"
#include "statistic_lanes.hpp"

#include <algorithm>
#include <cmath>

#include <xsift/core/chi2.hpp>
#include <xsift/spectral/profile.hpp>

namespace xsift::refine {

namespace {

using spectral::PreparedSpectrum;

struct Term {
    spectral::Moments moments;
    Vector by;
};

std::vector<Term> terms_of(const PreparedSpectrum& s, const RateSlopes::Slopes& at) {
    const std::vector<double> background =
        s.has_background() ? background_rates(s, at.rate) : std::vector<double>{};
    WstatMoments wstat_moments;
    std::vector<Term> out;
    for (std::size_t k = 0; k < s.n_bins(); ++k)
        out.push_back({s.has_background() ? wstat_moments(s.source_exposure, s.background_exposure_of(k),
                                                          at.rate[k], background[k])
                                          : spectral::cstat_moments(s.source_exposure, at.rate[k]),
                       at.by[k]});
    return out;
}

}  // namespace

/// The counts of the source region and of the background that stand for all.
void WstatMoments::set_draws(double source_exposure, double background_exposure, double rate,
                             double background_rate) {
    const double source = source_exposure * (rate + background_rate),
                 background = background_exposure * background_rate;
    // variance of the background's estimate in the source region over that of the source's counts; below one
    // count the first of them tells the most
    const double scale = source_exposure / background_exposure,
                 share = scale * scale * background / (source * std::fmin(source, 1.0));
    // without background counts its profiled rate leaves 0 with a kink at so many source counts
    const double kink = (source_exposure + background_exposure) * rate;
    constexpr double likely_empty = 9.0, deviations = 6.0;
    const bool kinked =
        background < likely_empty && std::fabs(kink - source) < deviations * std::sqrt(source);
    source_.set(source, 1.0, kinked);
    background_draws_.set(background, share, false);
}

spectral::Moments WstatMoments::operator()(double source_exposure, double background_exposure, double rate,
                                           double background_rate) {
    constexpr double rare = 1e-8;  // probability of a draw that is left out
    set_draws(source_exposure, background_exposure, rate, background_rate);
    const auto most = static_cast<std::size_t>(source_.size() * background_draws_.size());
    for (std::vector<double>* column : {&counts_, &background_, &source_scale_, &background_scale_})
        column->resize(padded_bins(most));
    weight_.resize(most);
    std::size_t n = 0;
    for (int i = 0; i < source_.size(); ++i) {
        const double counts = source_.count(i), source_scale = bin_scale(source_exposure, counts);
        for (int j = 0; j < background_draws_.size(); ++j) {
            const double weight = source_.weight(i) * background_draws_.weight(j);
            if (weight < rare) continue;
            weight_[n] = weight;
            counts_[n] = counts;
            background_[n] = background_draws_.count(j);
            source_scale_[n] = source_scale;
            background_scale_[n] = bin_scale(background_exposure, background_draws_.count(j));
            ++n;
        }
    }
    source_exposure_.assign(padded_bins(n), source_exposure);
    background_exposure_.assign(padded_bins(n), background_exposure);
    rate_.assign(n, rate);
    for (std::vector<double>* column : {&value_, &first_, &second_}) column->resize(n);
    best_statistic_lanes().terms({source_exposure_.data(), background_exposure_.data(), counts_.data(),
                                  background_.data(), source_scale_.data(), background_scale_.data()},
                                 rate_.data(), n, {value_.data(), first_.data(), second_.data(), nullptr});
    spectral::MomentSums sums;
    for (std::size_t i = 0; i < n; ++i) sums.add(weight_[i], value_[i], -0.5 * first_[i]);
    return sums.moments();
}

std::vector<double> fitted_rates(const PreparedSpectrum& s,
                                 const std::shared_ptr<const spectral::ModelDefinition>& model,
                                 spectral::Abundance abundance, std::span<const double> values,
                                 double factor) {
    spectral::ModelEvaluator evaluator(model, abundance,
                                       spectral::EnergyBins::from_bounds(s.energy_lo, s.energy_hi));
    const std::vector<double> photons = evaluator.photons(values.first(model->parameters.size()));
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
    RateSlopes slopes(spectra, model, abundance, c);
    for (std::size_t d = 0; d < spectra.size(); ++d) {
        const std::vector<Term> more = terms_of(*spectra[d].prepared, slopes.at(d, values));
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
