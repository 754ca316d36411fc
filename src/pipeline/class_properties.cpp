#include "class_properties.hpp"

#include <cmath>
#include <memory>

#include <xsift/characterise/sky.hpp>
#include <xsift/spectral/model.hpp>

namespace xsift::pipeline {

namespace {

/// Absorbed flux of a fitted model in a band, erg/cm2/s.
double band_flux(const std::shared_ptr<const spectral::ModelDefinition>& model,
                 const std::vector<double>& values, const spectral::ModelFreedom& freedom,
                 spectral::Abundance abundance, double lo, double hi) {
    const spectral::BandFlux flux = spectral::FluxBand(model, abundance, lo, hi).absorbed(values, false);
    double sum = 0.0;
    for (std::size_t g = 0; g < flux.unit.size(); ++g)
        sum += flux.unit[g] * values[static_cast<std::size_t>(freedom.groups[g].norm)];
    return sum;
}

void set_fluxes(const SpectralFit& fit, const spectral::FitOptions& options, characterise::Observables& o) {
    if (fit.flags & fit_flux_unconstrained) return;
    const auto model =
        std::make_shared<const spectral::ModelDefinition>(spectral::define_model(fit.model, options));
    std::vector<double> values;
    // A joint fit lists the instruments' factors too: those are no parameters of the model.
    for (const spectral::ModelParameter& wanted : model->parameters)
        for (const FittedParameter& one : fit.parameters)
            if (one.component == wanted.component && one.name == wanted.name) {
                values.push_back(one.estimate.value);
                break;
            }
    if (values.size() != model->parameters.size()) return;
    const spectral::ModelFreedom freedom(*model);
    const auto flux = [&](double lo, double hi) {
        const double value = band_flux(model, values, freedom, options.abundance, lo, hi);
        return value > 0.0 ? value : not_measured;
    };
    o.flux_soft = flux(0.5, 1.2);
    o.flux_medium = flux(1.2, 2.0);
    o.flux_hard = flux(2.0, 7.0);
    o.flux_broad = o.flux_soft + o.flux_medium + o.flux_hard;
}

}  // namespace

characterise::Observables observables_of(const SourceResult& result, const spectral::FitOptions& fits,
                                         double threshold, double g, double parallax_over_error) {
    characterise::Observables o;
    if (result.best_fit >= 0) set_fluxes(result.fits[static_cast<std::size_t>(result.best_fit)], fits, o);
    const double to_sigma = 1.0 / std::sqrt(fits.confidence_delta);
    for (const SpectralFit& fit : result.fits)
        if (fit.model == "tbabs*powerlaw" && std::isfinite(fit.gamma.value) && !std::isfinite(o.gamma)) {
            o.gamma = fit.gamma.value;
            o.gamma_error = 0.5 * (fit.gamma.hi - fit.gamma.lo) * to_sigma;
        }
    if (std::isfinite(result.st_log10_p)) o.p_intra = 1.0 - std::pow(10.0, std::min(0.0, result.st_log10_p));
    if (result.best_period >= 0)
        o.period = result.candidates[static_cast<std::size_t>(result.best_period)].period;
    if (result.best_fit >= 0) o.kt = result.fits[static_cast<std::size_t>(result.best_fit)].kt.value;
    if (std::isfinite(result.source.ra) && std::isfinite(result.source.dec))
        o.galactic_latitude = characterise::galactic(result.source.ra, result.source.dec).latitude;
    for (const Counterpart& one : result.character.counterparts) {
        if (one.match_flag != 1 || one.p_any * one.p_i < threshold) continue;
        for (std::size_t band = 0; band < o.magnitude.size(); ++band)
            if (!std::isfinite(o.magnitude[band])) o.magnitude[band] = one.magnitude[band];
        if (!std::isfinite(o.proper_motion)) o.proper_motion = std::hypot(one.pm_ra, one.pm_dec);
    }
    if (std::isfinite(g)) o.magnitude[0] = g;
    o.parallax_over_error = parallax_over_error;
    o.distance = result.character.distance.value;
    return o;
}

}  // namespace xsift::pipeline
