#include "rate_slopes.hpp"

#include <cmath>

#include <xsift/spectral/profile.hpp>

namespace xsift::refine {

namespace {

/// Folds any number of model spectra, three in a pass over the matrix; one row of n_bins each.
std::vector<double> fold_all(const spectral::PreparedSpectrum& s, const std::vector<const double*>& photons) {
    const std::size_t n = s.n_bins();
    std::vector<double> out(photons.size() * n);
    const auto row = [&](std::size_t k) { return out.data() + k * n; };
    std::size_t k = 0;
    for (; k + 3 <= photons.size(); k += 3)
        spectral::fold<3>(s, {photons[k], photons[k + 1], photons[k + 2]}, {row(k), row(k + 1), row(k + 2)});
    for (; k < photons.size(); ++k) spectral::fold<1>(s, {photons[k]}, {row(k)});
    return out;
}

}  // namespace

RateSlopes::RateSlopes(std::span<const FitInput> spectra,
                       std::shared_ptr<const spectral::ModelDefinition> model, spectral::Abundance abundance,
                       const Coordinates& coordinates)
    : spectra_(spectra), n_parameters_(model->parameters.size()), coordinates_(coordinates) {
    for (const FitInput& s : spectra)
        evaluators_.emplace_back(
            model, abundance,
            spectral::EnergyBins::from_bounds(s.prepared->energy_lo, s.prepared->energy_hi));
    const spectral::ModelFreedom& freedom = evaluators_.front().freedom();
    for (std::size_t g = 0; g < freedom.groups.size(); ++g) {
        rows_.push_back({g, -1});
        for (int i = 0; i < coordinates.n_shape; ++i)
            if (freedom.depends(g, static_cast<std::size_t>(i))) rows_.push_back({g, i});
    }
}

RateSlopes::Slopes RateSlopes::at(std::size_t spectrum, std::span<const double> values) {
    const spectral::PreparedSpectrum& s = *spectra_[spectrum].prepared;
    spectral::ModelEvaluator& evaluator = evaluators_[spectrum];
    const Coordinates& c = coordinates_;
    evaluator.evaluate(values.first(n_parameters_), true);
    const double factor = spectrum == 0 ? 1.0 : values[n_parameters_ + spectrum - 1];
    const auto& groups = evaluator.freedom().groups;
    std::vector<const double*> photons;
    for (const auto& [group, shape] : rows_)
        photons.push_back(shape < 0 ? evaluator.unit(group).data()
                                    : evaluator.by_shape(group, static_cast<std::size_t>(shape)).data());
    const std::vector<double> folded = fold_all(s, photons);
    const std::size_t n = s.n_bins();
    Slopes out{std::vector<double>(n), std::vector<Vector>(n)};
    for (std::size_t r = 0; r < rows_.size(); ++r) {
        const double* const from = folded.data() + r * n;
        const auto add = [&](double scale, int coordinate) {
            for (std::size_t k = 0; k < n; ++k) out.by[k][coordinate] += scale * from[k];
        };
        const auto [g, shape] = rows_[r];
        const double norm = factor * values[static_cast<std::size_t>(groups[g].norm)];
        if (shape >= 0) {
            add(norm, shape);
            continue;
        }
        for (std::size_t k = 0; k < n; ++k) out.rate[k] += norm * from[k];
        if (groups[g].free) add(factor, c.first_norm() + static_cast<int>(g));
    }
    for (double& rate : out.rate) rate = std::fmax(rate, spectral::lowest_rate);
    if (spectrum > 0)
        for (std::size_t k = 0; k < n; ++k)
            out.by[k][c.first_factor() + static_cast<int>(spectrum) - 1] = out.rate[k] / factor;
    return out;
}

}  // namespace xsift::refine
