#include "goodness.hpp"
#include "shape_lattice.hpp"
#include "two_scales.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>
#include <vector>

#include <xsift/core/random.hpp>
#include <xsift/refine/simulations.hpp>

namespace xsift::refine {

namespace {

using spectral::PreparedSpectrum;

bool by_chi2(const SpectralFit& fit) {
    return fit.statistic.starts_with("chi2");
}

std::vector<double> values_of(const SpectralFit& fit) {
    std::vector<double> values;
    for (const FittedParameter& p : fit.parameters) values.push_back(p.estimate.value);
    return values;
}

/// Value below which a share of the sorted values lies, linear between them.
double quantile(std::span<const double> sorted, double share) {
    const double at = share * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const double next = sorted[std::min(below + 1, sorted.size() - 1)];
    return sorted[below] + (at - static_cast<double>(below)) * (next - sorted[below]);
}

}  // namespace

Simulations::Simulations(std::span<const FitInput> spectra,
                         std::shared_ptr<const spectral::ModelDefinition> model, const SpectralFit& fit,
                         const spectral::FitOptions& options, std::uint64_t seed, bool on_lattice)
    : spectra_(spectra.begin(), spectra.end()),
      model_(std::move(model)),
      fit_(&fit),
      options_(&options),
      seed_(seed) {
    const std::vector<double> values = values_of(fit);
    const std::size_t n_parameters = model_->parameters.size();
    std::vector<std::vector<double>> source;
    for (std::size_t d = 0; d < spectra_.size(); ++d) {
        const PreparedSpectrum& s = *spectra_[d].prepared;
        const std::vector<double> rate =
            fitted_rates(s, model_, options.abundance, values, d == 0 ? 1.0 : values[n_parameters + d - 1]);
        std::vector<double> background(s.n_bins(), 0.0);
        if (s.has_background()) background = background_rates(s, rate);
        std::vector<double>& own = source.emplace_back();
        for (std::size_t k = 0; k < s.n_bins(); ++k) {
            own.push_back(s.source_exposure * rate[k]);
            counts_.push_back(own.back() + s.source_exposure * background[k]);
            background_.push_back(s.has_background() ? s.background_exposure_of(k) * background[k] : 0.0);
        }
    }
    if (!on_lattice || spectra_.size() > spectral::most_lattice_spectra || by_chi2(fit) || n_draws() == 0)
        return;
    std::vector<PreparedSpectrum> mean;
    auto counts = counts_.begin(), background = background_.begin();
    for (const FitInput& spectrum : spectra_) {
        PreparedSpectrum& s = mean.emplace_back(*spectrum.prepared);
        if (!s.bin_background_exposure.empty()) return;
        std::copy_n(counts, s.n_bins(), s.counts.begin());
        if (s.has_background()) std::copy_n(background, s.n_bins(), s.background_counts.begin());
        counts += std::ssize(s.counts);
        background += std::ssize(s.counts);
    }
    auto lattice = make_shape_lattice(mean, source, model_, options.abundance, fit);
    if (lattice) lattice_ = std::make_unique<const ShapeLattice>(std::move(*lattice));
}

Simulations::~Simulations() = default;
Simulations::Simulations(Simulations&&) noexcept = default;
Simulations& Simulations::operator=(Simulations&&) noexcept = default;

int Simulations::n_draws() const {
    return std::max(by_chi2(*fit_) ? 0 : options_->goodness_simulations, options_->bootstrap_simulations);
}

std::optional<spectral::SimulationTask> Simulations::task() const {
    if (!lattice_) return std::nullopt;
    const Coordinates& c = lattice_->coordinates;
    spectral::SimulationTask out;
    out.rows = lattice_->rows;
    out.columns = lattice_->columns;
    out.tabulated = lattice_->tabulated >= 0;
    for (std::size_t d = 0; d < spectra_.size(); ++d) {
        const PreparedSpectrum& s = *spectra_[d].prepared;
        const int i = lattice_->scale(d);
        const double fitted = lattice_->log_scale[d];
        out.spectra.push_back({std::ssize(s.counts),
                               s.has_background() ? s.background_exposure / s.source_exposure : 0.0,
                               std::exp(c.lo[i] - fitted), std::exp(c.hi[i] - fitted)});
    }
    out.log_counts = lattice_->log_counts;
    out.expected = counts_;
    if (std::any_of(out.spectra.begin(), out.spectra.end(), [](const auto& s) { return s.ratio > 0.0; }))
        out.expected_background = background_;
    out.seed = seed_;
    out.n_draws = n_draws();
    return out;
}

std::vector<PreparedSpectrum> Simulations::drawn(int draw) const {
    RandomStream random(seed_, static_cast<std::uint64_t>(draw));
    std::vector<PreparedSpectrum> out;
    std::size_t bin = 0;
    for (const FitInput& spectrum : spectra_) {
        PreparedSpectrum& s = out.emplace_back(*spectrum.prepared);
        for (std::size_t k = 0; k < s.n_bins(); ++k, ++bin) {
            s.counts[k] = static_cast<double>(random.poisson(counts_[bin]));
            if (s.has_background())
                s.background_counts[k] = static_cast<double>(random.poisson(background_[bin]));
        }
    }
    return out;
}

DrawnFit Simulations::refit(int draw) const {
    std::deque<FitData> data;
    std::vector<const FitData*> pointers;
    for (const PreparedSpectrum& s : drawn(draw)) pointers.push_back(&data.emplace_back(s));
    TwoScales scales(
        pointers, model_, options_->abundance,
        by_chi2(*fit_) ? spectral::parse_statistic(fit_->statistic) : spectral::FitStatistic::poisson);
    const Objective& objective = scales.merged();
    Point best = objective.make_point();
    scales.merged().evaluate(objective.start(*fit_), best);
    scales.settle(best);
    return {best.stat, objective.fitted_values(best.x), true};
}

std::vector<DrawnFit> Simulations::fits(std::span<const spectral::LatticeMinimum> found) const {
    const auto held = [&](const spectral::LatticeMinimum& minimum) {
        return minimum.converged && lattice_->holds(minimum.at);
    };
    // Where many leave the lattice those that stay are no sample of them all.
    constexpr double most_beyond = 0.15;
    const auto beyond = std::ssize(found) - std::count_if(found.begin(), found.end(), held);
    const bool on_lattice =
        !found.empty() && static_cast<double>(beyond) <= most_beyond * static_cast<double>(found.size());
    std::vector<DrawnFit> out;
    for (int draw = 0; draw < n_draws(); ++draw) {
        if (!on_lattice || !held(found[draw])) {
            out.push_back(refit(draw));
            continue;
        }
        const Vector x = lattice_->coordinates_at(found[draw].at);
        out.push_back({found[draw].stat, fitted_values_at(*model_, lattice_->coordinates, x), false});
    }
    return out;
}

SimulatedFits Simulations::summarise(const std::vector<DrawnFit>& fits) const {
    SimulatedFits out;
    out.parameters.resize(fit_->parameters.size());
    const int for_goodness = by_chi2(*fit_) ? 0 : options_->goodness_simulations;
    const auto as_large = std::count_if(fits.begin(), fits.begin() + for_goodness,
                                        [&](const DrawnFit& f) { return f.stat >= fit_->stat; });
    if (for_goodness > 0) out.gof_pvalue = (static_cast<double>(as_large) + 1.0) / (for_goodness + 1.0);
    if (options_->bootstrap_simulations == 0) return out;
    const double tail = 0.5 * std::erfc(std::sqrt(0.5 * options_->confidence_delta));
    for (std::size_t k = 0; k < fit_->parameters.size(); ++k) {
        if ((fit_->parameters[k].flags & parameter_frozen) != 0) continue;
        std::vector<double> drawn;
        for (int i = 0; i < options_->bootstrap_simulations; ++i) drawn.push_back(fits[i].values[k]);
        std::sort(drawn.begin(), drawn.end());
        out.parameters[k] = {quantile(drawn, 0.5), quantile(drawn, tail), quantile(drawn, 1.0 - tail)};
    }
    return out;
}

SimulatedFits simulate_fits(std::span<const FitInput> spectra,
                            const std::shared_ptr<const spectral::ModelDefinition>& model,
                            const SpectralFit& fit, const spectral::FitOptions& options, std::uint64_t seed) {
    const Simulations simulations(spectra, model, fit, options, seed, false);
    return simulations.summarise(simulations.fits({}));
}

}  // namespace xsift::refine
