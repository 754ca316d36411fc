#include "model_fit.hpp"

#include "descent.hpp"
#include "fit_report.hpp"
#include "fluxes.hpp"
#include "goodness.hpp"
#include "modified_root.hpp"
#include "pair_evidence.hpp"
#include "starts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/spectral/model.hpp>
#include <xsift/timing/significance.hpp>

namespace xsift::refine {

namespace {

using spectral::ModelDefinition;

/// The lowest minimum over the starting points (none given: built-in ones). Those whose descent does not
/// promise to come below what was found already are given up.
/// @param valleys where descents ended; @param margin how far above the lowest these are of interest
/// @return whether its descent converged
bool lowest_minimum(Objective& objective, std::span<const StartingPoint> starts, Point& best, Point& current,
                    Point& scratch, std::vector<Vector>& valleys, double margin) {
    std::vector<Vector> from;
    for (const StartingPoint& start : starts) from.push_back(objective.start(start));
    if (from.empty()) from = paired_starts(objective, scratch);
    if (from.empty()) from = coarse_starts(objective);
    if (from.size() > most_starts) {
        std::vector<std::pair<double, Vector>> ranked;
        for (const Vector& x : from) {
            objective.evaluate(x, current);
            ranked.emplace_back(current.stat, current.x);
        }
        std::stable_sort(ranked.begin(), ranked.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        from.clear();
        for (std::size_t i = 0; i < most_starts; ++i) from.push_back(ranked[i].second);
    }
    bool converged = false;
    Point spare = objective.make_point();
    DescentEnd end;
    end.enough = 1e-3;
    for (const Vector& x : from) {
        objective.evaluate(x, current);
        end.hopeless_above = best.stat + margin;
        const bool done = descend_between_kinks(objective, current, scratch, spare, false, {}, end);
        if (margin > 0.0 && current.stat < best.stat + margin) valleys.push_back(current.x);
        if (!(current.stat < best.stat)) continue;
        std::swap(best, current);
        converged = done;
    }
    return descend_between_kinks(objective, best, scratch, spare, true) && converged;
}

template <typename Part>
std::string joined(std::span<const FitInput> spectra, const Part& part) {
    std::string text;
    for (const FitInput& s : spectra) {
        if (!text.empty()) text += '+';
        text += part(*s.prepared);
    }
    return text;
}

/// @throws Error (input, TOO_MANY_SPECTRA)
void check_size(std::span<const FitInput> spectra, const ModelDefinition& model) {
    const auto coordinates = static_cast<std::ptrdiff_t>(model.n_free()) + std::ssize(spectra) - 1;
    if (coordinates <= most_coordinates) return;
    throw Error(ErrorKind::input, "TOO_MANY_SPECTRA",
                fmt::format("{} spectra cannot be fitted at once with {}", spectra.size(), model.text),
                fmt::format("{} free parameters and a factor for each further spectrum are more than {}",
                            model.n_free(), most_coordinates),
                "Use --joint-spectra observation.");
}

/// Marks the ends where the covariance puts them.
ProfileEnds covariance_ends(const Coordinates& c, const Vector& x, const Covariance& covariance, int i,
                            double delta) {
    ProfileEnds ends;
    ends.from_covariance = true;
    const double half = covariance.half_width(i, delta);
    if (std::isnan(half)) return ends;
    if (x[i] - half > c.lo[i]) ends.lo = x[i] - half;
    if (x[i] + half < c.hi[i]) ends.hi = x[i] + half;
    return ends;
}

/// Extends an interval over that around another minimum. Where the way from there leads down, to the best
/// fit, only the other side counts.
void extend(ProfileEnds& ends, const ProfileEnds& more) {
    const auto one_side = [&](std::optional<double>& end, std::optional<double>& own,
                              const std::optional<double>& further, bool leads_down, double sign) {
        if (leads_down || !end || (further && sign * *further <= sign * *end)) return;
        if (!own) own = end;
        end = further;
        ends.several_minima = true;
        ends.found = ends.found && more.found;
    };
    one_side(ends.lo, ends.own_lo, more.lo, more.lo_leads_down, -1.0);
    one_side(ends.hi, ends.own_hi, more.hi, more.hi_leads_down, 1.0);
}

std::vector<spectral::Band> limits_of_bands(const spectral::FitOptions& options) {
    std::vector<spectral::Band> bands{{options.flux_lo, options.flux_hi}};
    bands.insert(bands.end(), options.flux_bands.begin(), options.flux_bands.end());
    return bands;
}

std::vector<const FitData*> data_of(std::span<const FitInput> spectra) {
    std::vector<const FitData*> data;
    for (const FitInput& s : spectra) data.push_back(s.data);
    return data;
}

/// @return spectra, once they are known to be few enough
std::span<const FitInput> checked(std::span<const FitInput> spectra, const ModelDefinition& model) {
    check_size(spectra, model);
    return spectra;
}

}  // namespace

ModelFit::ModelFit(std::span<const FitInput> spectra, std::shared_ptr<const ModelDefinition> model,
                   std::span<const StartingPoint> starts, const spectral::FitOptions& options)
    : spectra_(checked(spectra, *model)),
      model_(std::move(model)),
      starts_(starts.begin(), starts.end()),
      options_(options),
      chosen_(chosen_statistic(spectra, options)),
      scales_(data_of(spectra), model_, options.abundance, chosen_.statistic),
      objective_(scales_.merged()),
      best_(objective_.make_point()),
      current_(objective_.make_point()),
      scratch_(objective_.make_point()) {
    // Components that exchange their roles leave two valleys of nearly the same depth; so does a faint plasma
    // that is hot and bare or cold and behind a thick column.
    const double margin = options.confidence_delta;
    converged_ = lowest_minimum(objective_, starts_, best_, current_, scratch_, valleys_, margin);
    converged_ = scales_.settle(best_) && converged_;
}

void ModelFit::estimate() {
    const Covariance& covariance = covariance_.emplace(objective_, best_, current_, scratch_);
    std::vector<ProfileEnds> ends;
    for (int i = 0; i < objective_.coordinates().n; ++i)
        ends.push_back(
            covariance_ends(objective_.coordinates(), best_.x, covariance, i, options_.confidence_delta));
    Point unused;
    report(covariance, ends, fluxes(covariance, false, unused));
    fit_.flags |= fit_not_refined;
}

void ModelFit::refine() {
    // a lower minimum met on the way to the end of an interval becomes the best fit, and all starts again
    constexpr int most_restarts = 2;
    Point better = objective_.make_point();
    for (int restart = 0;; ++restart) {
        std::vector<ProfileEnds> ends;
        const Covariance covariance = profile_all(ends);
        better.stat = std::numeric_limits<double>::infinity();
        auto found = fluxes(covariance, true, better);
        const bool lower = better.stat < best_.stat;
        if (lower && restart < most_restarts) {
            std::swap(best_, better);
            converged_ = scales_.settle(best_);
            continue;
        }
        converged_ = converged_ && !lower;
        report(covariance, ends, std::move(found));
        return;
    }
}

bool ModelFit::integrate() {
    if (!converged_) return false;
    const Coordinates& c = objective_.coordinates();
    if (c.n_norms == 2) {
        if (!options_.pair_evidence && options_.criterion != spectral::Criterion::evidence) return false;
        const PairPosterior pair = pair_posterior(objective_, best_, options_);
        fit_.log_evidence = pair.log_evidence;
        for (std::size_t s = 0; s < pair.shapes.size(); ++s)
            fit_.parameters[static_cast<std::size_t>(c.parameter[s])].posterior = pair.shapes[s];
        return false;
    }
    const bool known = engine_posterior_ && problem_->best() == best_.x;
    std::vector<spectral::FluxBand> merged;
    if (!known) merged = credible_bands();
    const PosteriorAround found =
        known ? *engine_posterior_ : posterior_around(objective_, best_, starts_, options_, merged, false);
    const bool made = wants_credible() && !std::isnan(found.log_evidence);
    if (made) take_intervals(found);
    fit_.log_evidence = found.log_evidence;
    for (std::size_t k = 0; k < fit_.parameters.size(); ++k)
        fit_.parameters[k].posterior = found.parameters[k];
    return made;
}

bool ModelFit::wants_credible() const {
    return options_.errors == spectral::Errors::posterior && (fit_.flags & fit_not_refined) != 0;
}

std::vector<spectral::FluxBand> ModelFit::credible_bands() {
    std::vector<spectral::FluxBand> merged;
    if (wants_credible())
        for (spectral::FluxBand& band : bands()) merged.push_back(band.merged(objective_.values(best_.x)));
    return merged;
}

std::optional<spectral::PosteriorTask> ModelFit::posterior_task() {
    if (!converged_ || objective_.coordinates().n_norms != 1) return std::nullopt;
    std::vector<spectral::FluxBand> merged = credible_bands();
    problem_ = PosteriorProblem::of(objective_, best_, starts_, options_, merged);
    if (!problem_) return std::nullopt;
    return problem_->task();
}

/// Where coordinate i stands among the parameters of the fit.
std::size_t ModelFit::parameter_of(int i) const {
    const Coordinates& c = objective_.coordinates();
    if (c.parameter[i] >= 0) return static_cast<std::size_t>(c.parameter[i]);
    return model_->parameters.size() + static_cast<std::size_t>(i - c.first_factor());
}

/// Puts the credible intervals in the place of those of the covariance. The best fit always lies within: a
/// posterior can be so skewed that it would not.
void ModelFit::take_intervals(const PosteriorAround& found) {
    const Coordinates& c = objective_.coordinates();
    std::vector<ProfileEnds> ends;
    for (int i = 0; i < c.n; ++i) {
        const CredibleInterval& interval = found.intervals[parameter_of(i)];
        ProfileEnds& end = ends.emplace_back();
        end.credible = true;
        if (!interval.open_lo) end.lo = std::min(best_.x[i], c.coordinate(i, interval.lo));
        if (!interval.open_hi) end.hi = std::max(best_.x[i], c.coordinate(i, interval.hi));
    }
    std::vector<FluxEstimate> fluxes = std::move(fit_.fluxes);
    for (std::size_t b = 0; b < fluxes.size(); ++b) {
        const auto put = [](Estimate& flux, const CredibleInterval& interval) {
            flux.lo = std::min(flux.value, interval.lo);
            flux.hi = std::max(flux.value, interval.hi);
        };
        put(fluxes[b].absorbed, found.absorbed[b]);
        put(fluxes[b].unabsorbed, found.unabsorbed[b]);
        fluxes[b].flags = flux_credible;
    }
    report(*covariance_, ends, std::move(fluxes));
    fit_.flags |= fit_credible;
}

SpectralFit ModelFit::take() {
    fill_goodness();
    if (options_.unbiased) fill_unbiased();
    return std::move(fit_);
}

/// Intervals of all coordinates. A lower minimum met on the way becomes the best fit, and all is done again
/// from there.
/// @return the covariance at the best fit
Covariance ModelFit::profile_all(std::vector<ProfileEnds>& ends) {
    constexpr int most_restarts = 4;
    Point better = objective_.make_point();
    for (int restart = 0;; ++restart) {
        const Covariance covariance(objective_, best_, current_, scratch_);
        better.stat = std::numeric_limits<double>::infinity();
        ends.clear();
        for (int i = 0; i < objective_.coordinates().n; ++i) {
            ends.push_back(profile_interval(scales_, best_, covariance, i, options_.confidence_delta,
                                            current_, scratch_, better));
            if (better.stat < best_.stat && restart < most_restarts) break;
        }
        if (!(better.stat < best_.stat)) extend_over_valleys(ends, better);
        if (!(better.stat < best_.stat) || restart == most_restarts) {
            if (better.stat < best_.stat) converged_ = false;
            return covariance;
        }
        std::swap(best_, better);
        converged_ = scales_.settle(best_);
    }
}

/// Extends intervals over other minima that lie less than delta above the best one: an interval holds every
/// value that some model reaches with a statistic within delta, wherever that model is.
void ModelFit::extend_over_valleys(std::vector<ProfileEnds>& ends, Point& better) {
    const Coordinates& c = objective_.coordinates();
    const double delta = options_.confidence_delta;
    Point valley = objective_.make_point(), other = objective_.make_point();
    const auto any_outside = [&](const Vector& x) {
        for (int i = 0; i < c.n; ++i) {
            const ProfileEnds& e = ends[static_cast<std::size_t>(i)];
            if ((e.lo && x[i] < *e.lo) || (e.hi && x[i] > *e.hi)) return true;
        }
        return false;
    };
    for (const Vector& x : valleys_) {
        if (!any_outside(x)) continue;  // the best minimum's own, mostly
        objective_.evaluate(x, valley);
        descend_between_kinks(objective_, valley, current_, scratch_, false);
        const double above = valley.stat - best_.stat;
        if (above < -0.01) {
            better = valley;
            return;
        }
        if (!any_outside(valley.x) || !(above < 0.95 * delta)) continue;
        const Covariance there(objective_, valley, current_, scratch_);
        for (int i = 0; i < c.n; ++i) {
            other.stat = std::numeric_limits<double>::infinity();
            const ProfileEnds more =
                profile_interval(scales_, valley, there, i, delta - above, current_, scratch_, other);
            extend(ends[static_cast<std::size_t>(i)], more);
        }
    }
}

std::vector<spectral::FluxBand>& ModelFit::bands() {
    if (bands_.empty())
        for (const spectral::Band& limits : limits_of_bands(options_))
            bands_.emplace_back(model_, options_.abundance, limits.lo, limits.hi);
    return bands_;
}

/// Fluxes of all bands, the flux band first. Ends when a lower minimum is met, which is left in `better`.
std::vector<FluxEstimate> ModelFit::fluxes(const Covariance& covariance, bool profiled, Point& better) {
    const std::vector<spectral::Band> all_limits = limits_of_bands(options_);
    std::vector<FluxEstimate> out;
    for (std::size_t b = 0; b < all_limits.size(); ++b) {
        const spectral::Band& limits = all_limits[b];
        spectral::FluxBand& band = bands()[b];
        std::optional<spectral::FluxBand> merged;
        if (profiled) merged = band.merged(objective_.values(best_.x));
        FluxEstimate& flux = out.emplace_back();
        flux.band_lo = limits.lo;
        flux.band_hi = limits.hi;
        const auto fill = [&](FluxKind kind, Estimate& estimate, double& error, FluxFlag no_lower_end,
                              FluxFlag no_upper_end) {
            const FluxValue value = flux_at(objective_, best_.x, band, kind);
            FluxInterval found = covariance_interval(value, covariance, options_.confidence_delta);
            if (profiled && value.value > 0.0)
                profile_flux(scales_, best_, covariance, *merged, kind, options_.confidence_delta, current_,
                             scratch_, better, found);
            estimate = found.flux;
            error = found.error;
            if (found.no_lower_end) flux.flags |= no_lower_end;
            if (found.no_upper_end) flux.flags |= no_upper_end;
            if (!found.profiled) flux.flags |= flux_not_profiled;
        };
        fill(FluxKind::absorbed, flux.absorbed, flux.absorbed_error, flux_no_lower_end, flux_no_upper_end);
        fill(FluxKind::unabsorbed, flux.unabsorbed, flux.unabsorbed_error, flux_unabsorbed_no_lower_end,
             flux_unabsorbed_no_upper_end);
        if (profiled && better.stat < best_.stat) break;
    }
    return out;
}

void ModelFit::report(const Covariance& covariance, const std::vector<ProfileEnds>& ends,
                      std::vector<FluxEstimate> fluxes) {
    fit_ = {};
    fit_.spectrum = joined(spectra_, [](const auto& s) { return s.exposure.file; });
    fit_.n_spectra = static_cast<std::int32_t>(spectra_.size());
    fit_.instrument = joined(spectra_, [](const auto& s) { return s.exposure.instrument; });
    fit_.model = model_->text;
    bool background = false;
    for (const FitInput& s : spectra_) {
        background = background || s.prepared->has_background();
        fit_.flags |= s.prepared->flags << fit_flag_spectrum_shift;
        fit_.n_bins += static_cast<std::int32_t>(s.prepared->n_bins());
    }
    fit_.statistic = chosen_.statistic != spectral::FitStatistic::poisson ? to_string(chosen_.statistic)
                     : background                                         ? "wstat"
                                                                          : "cstat";
    fit_.statistic_rule = chosen_.rule;
    fill_parameters(fit_, objective_, best_, covariance, ends);
    fill_fluxes(fit_, std::move(fluxes), *model_, options_);
    flag(fit_, !converged_, fit_not_converged);
    fit_.stat = best_.stat;
    fill_information_criteria(fit_, objective_.coordinates().n);
    fill_columns(fit_, *model_);
}

/// Median-unbiased estimates, of a fit that can be offered. Where most background bins are empty W-stat does
/// not follow from the counts' distribution and its root has no meaning.
void ModelFit::fill_unbiased() {
    const std::uint32_t none =
        fit_not_refined | (std::uint32_t{spectrum_background_mostly_empty} << fit_flag_spectrum_shift);
    if (!converged_ || (fit_.flags & none) != 0 || chosen_.statistic != spectral::FitStatistic::poisson)
        return;
    const Coordinates& c = objective_.coordinates();
    const std::vector<double> found = median_unbiased(spectra_, objective_, options_.abundance, best_);
    for (std::size_t i = 0; i < found.size(); ++i) {
        Vector x{};
        x[i] = found[i];
        FittedParameter& p = fit_.parameters[parameter_of(static_cast<int>(i))];
        p.unbiased = c.value(x, static_cast<int>(i));
        // where little is known the root may lie anywhere; moved to the end of an interval that holds the
        // truth an estimate stays on its side of it
        if (!std::isnan(p.unbiased)) p.unbiased = std::clamp(p.unbiased, p.estimate.lo, p.estimate.hi);
    }
    for (std::size_t k = 0; k < model_->parameters.size(); ++k)
        if (const int tied_to = model_->parameters[k].tied_to; tied_to >= 0)
            fit_.parameters[k].unbiased = fit_.parameters[static_cast<std::size_t>(tied_to)].unbiased;
}

/// What the statistic should be, and how far off it is.
void ModelFit::fill_goodness() {
    // With most background bins empty the background's own counts do not tell its rate: no expectation is
    // calibrated there (simulations: 1.5 to 2.3 sigma too high).
    const std::uint32_t empty = std::uint32_t{spectrum_background_mostly_empty} << fit_flag_spectrum_shift;
    if (fit_.dof <= 0) return;
    if (fit_.statistic.starts_with("chi2")) {
        fit_.null_prob = std::pow(10.0, timing::log10_chi2_survival_dof(fit_.stat, fit_.dof));
        fit_.gof_expected = fit_.dof;
        fit_.gof_sigma = (fit_.stat - fit_.dof) / std::sqrt(2.0 * fit_.dof);
        fit_.gof_probability = fit_.null_prob;
        return;
    }
    if ((fit_.flags & empty) != 0) return;
    // Bins that end as soon as they hold a few source counts do not hold Poisson numbers of them.
    constexpr int few = 10;
    if (options_.binning.kind == spectral::Binning::Kind::min_counts && options_.binning.minimum < few)
        return;
    const Coordinates& c = objective_.coordinates();
    const std::vector<double> values = objective_.fitted_values(best_.x);
    Mask counted{};
    for (int i = 0; i < c.n; ++i) counted[i] = !c.at_lo(best_.x, i) && !c.at_hi(best_.x, i);
    const ExpectedStatistic expected =
        expected_statistic(spectra_, model_, options_.abundance, values, c, counted);
    if (!(expected.variance > 0.0)) return;
    fit_.gof_expected = expected.mean;
    fit_.gof_sigma = expected.deviations(fit_.stat);
    fit_.gof_probability = expected.probability_above(fit_.stat);
}

}  // namespace xsift::refine
