#include "fit_report.hpp"

#include <algorithm>
#include <cmath>

namespace xsift::refine {

using spectral::ModelDefinition;
using spectral::ModelParameter;

namespace {

enum class Role { shape, norm, factor };

/// What an unconstrained parameter or one at a limit means for the fit.
void flag_parameter(SpectralFit& fit, const FittedParameter& p, Role role) {
    const bool unconstrained = (p.flags & parameter_unconstrained) != 0,
               bound = (p.flags & parameter_at_bound) != 0;
    if (role == Role::norm) {
        flag(fit, unconstrained, fit_norm_unconstrained);
    } else if (role == Role::factor) {
        flag(fit, unconstrained, fit_factor_unconstrained);
    } else if (p.name == "nH") {
        flag(fit, unconstrained, fit_nh_unconstrained);
        flag(fit, bound, fit_nh_at_bound);
    } else {
        flag(fit, unconstrained, fit_parameter_unconstrained);
        flag(fit, bound, fit_parameter_at_bound);
    }
}

/// The interval of one coordinate, in the units of its parameter.
FittedParameter estimate(const Coordinates& c, const Vector& x, int i, const Covariance& covariance,
                         const ProfileEnds& ends, spectral::Limits limits) {
    FittedParameter out;
    Estimate& e = out.estimate;
    const auto value_at = [&](double coordinate) {
        Vector moved = x;
        moved[i] = coordinate;
        return c.value(moved, i);
    };
    e.value = c.value(x, i);
    e.lo = ends.lo ? std::max(limits.lo, value_at(*ends.lo)) : limits.lo;
    e.hi = ends.hi ? std::min(limits.hi, value_at(*ends.hi)) : limits.hi;
    out.error = covariance.half_width(i, 1.0) * c.scale(x, i);
    const bool both = e.lo > limits.lo && e.hi < limits.hi;
    // further minima are further answers, not a larger error of this one
    const double own_lo = ends.own_lo ? value_at(*ends.own_lo) : e.lo,
                 own_hi = ends.own_hi ? value_at(*ends.own_hi) : e.hi;
    if (!both || 0.5 * (own_hi - own_lo) > std::fabs(e.value)) out.flags |= parameter_unconstrained;
    if (!(e.lo > limits.lo)) out.flags |= parameter_no_lower_end;
    if (!(e.hi < limits.hi)) out.flags |= parameter_no_upper_end;
    if (c.at_lo(x, i) || c.at_hi(x, i)) out.flags |= parameter_at_bound;
    if (!ends.found || ends.from_covariance) out.flags |= parameter_not_profiled;
    if (ends.several_minima) out.flags |= parameter_several_minima;
    if (ends.credible) out.flags |= parameter_credible;
    return out;
}

/// Marks coordinates that follow each other: their uncertainties are those of the pair.
std::vector<bool> degenerate_coordinates(const Coordinates& c, const Covariance& covariance) {
    constexpr double nearly_one = 0.99;
    std::vector<bool> out(static_cast<std::size_t>(c.n), false);
    for (int i = 0; i < c.n; ++i)
        for (int j = 0; j < i; ++j)
            if (std::fabs(covariance.correlation(i, j)) > nearly_one)
                out[static_cast<std::size_t>(i)] = out[static_cast<std::size_t>(j)] = true;
    return out;
}

}  // namespace

void fill_information_criteria(SpectralFit& fit, int n_free) {
    const double n = fit.n_bins, k = n_free;
    fit.dof = fit.n_bins - n_free;
    if (fit.dof > 0) fit.reduced = fit.stat / fit.dof;
    flag(fit, fit.dof <= 0, fit_no_degrees_of_freedom);
    if (n - k - 1.0 > 0.0) fit.aicc = fit.stat + 2.0 * k * (1.0 + (k + 1.0) / (n - k - 1.0));
    fit.bic = fit.stat + k * std::log(n);
    fit.gof_rough = (fit.stat - n) / std::sqrt(2.0 * n);
}

void fill_parameters(SpectralFit& fit, const Objective& objective, const Point& p,
                     const Covariance& covariance, const std::vector<ProfileEnds>& ends) {
    const Coordinates& c = objective.coordinates();
    const ModelDefinition& model = objective.model();
    const std::vector<double> values = objective.values(p.x);
    const std::vector<bool> degenerate = degenerate_coordinates(c, covariance);
    for (std::size_t k = 0; k < model.parameters.size(); ++k) {
        const ModelParameter& of = model.parameters[k];
        FittedParameter out;
        const auto at = std::find(c.parameter.begin(), c.parameter.end(),
                                  of.tied_to >= 0 ? of.tied_to : static_cast<int>(k));
        if (at != c.parameter.end()) {
            const int i = static_cast<int>(at - c.parameter.begin());
            out = estimate(c, p.x, i, covariance, ends[static_cast<std::size_t>(i)], {of.lo, of.hi});
            if (degenerate[static_cast<std::size_t>(i)]) out.flags |= parameter_degenerate;
            flag(fit, std::isnan(out.error), fit_covariance_singular);
            flag(fit, degenerate[static_cast<std::size_t>(i)], fit_degenerate);
            flag(fit, ends[static_cast<std::size_t>(i)].several_minima, fit_several_minima);
        } else {
            out.estimate.value = values[k];
            out.flags = parameter_frozen;
        }
        if (of.tied_to >= 0) out.flags |= parameter_tied;
        out.component = of.component;
        out.name = of.name;
        out.unit = of.unit;
        if (of.free()) flag_parameter(fit, out, of.is_norm ? Role::norm : Role::shape);
        fit.parameters.push_back(std::move(out));
    }
    for (int i = c.first_factor(); i < c.first_norm(); ++i) {
        FittedParameter out = estimate(c, p.x, i, covariance, ends[static_cast<std::size_t>(i)],
                                       {std::exp(c.lo[i]), std::exp(c.hi[i])});
        out.component = "constant" + std::to_string(i - c.first_factor() + 2);
        out.name = "factor";
        flag_parameter(fit, out, Role::factor);
        fit.parameters.push_back(std::move(out));
    }
}

void fill_columns(SpectralFit& fit, const ModelDefinition& model) {
    int n_kt = 0, n_norm = 0;
    for (std::size_t k = 0; k < model.parameters.size(); ++k) {
        const ModelParameter& of = model.parameters[k];
        const Estimate& e = fit.parameters[k].estimate;
        Estimate* to = nullptr;
        if (of.name == "nH" && std::isnan(fit.nh.value)) to = &fit.nh;
        if (of.name == "kT") to = ++n_kt == 1 ? &fit.kt : n_kt == 2 ? &fit.kt2 : nullptr;
        if (of.name == "PhoIndex" && std::isnan(fit.gamma.value)) to = &fit.gamma;
        if (of.name == "Abundanc" && std::isnan(fit.abundance.value)) to = &fit.abundance;
        if (of.is_norm) to = ++n_norm == 1 ? &fit.norm : n_norm == 2 ? &fit.norm2 : nullptr;
        if (to != nullptr) *to = e;
    }
}

void fill_fluxes(SpectralFit& fit, std::vector<FluxEstimate> fluxes, const ModelDefinition& model,
                 const spectral::FitOptions& options) {
    fit.fluxes = std::move(fluxes);
    const FluxEstimate& main = fit.fluxes.front();
    fit.flux = main.absorbed;
    fit.flux_unabsorbed = main.unabsorbed;
    const bool ends = (main.flags & (flux_no_lower_end | flux_no_upper_end)) == 0;
    flag(fit, !(ends && fit.flux.hi - fit.flux.lo <= 2.0 * fit.flux.value), fit_flux_unconstrained);
    flag(fit,
         !model.covers(std::min(options.energy_lo, options.flux_lo),
                       std::max(options.energy_hi, options.flux_hi)),
         fit_beyond_table);
}

}  // namespace xsift::refine
