#include "posterior_problem.hpp"

#include "posterior_lattice.hpp"

#include <algorithm>
#include <cmath>

namespace xsift::refine {

namespace {

/// First and last index of the fine nodes around the coarse ones that matter. A narrow valley can lead
/// further between these.
std::array<Index, 2> box_of(const SurveyedPosterior& surveyed, int n_axes) {
    constexpr int beyond = 2;  // coarse steps
    std::array<Index, 2> box{};
    const Lattice& coarse = surveyed.coarse;
    for (int a = 0; a < n_axes; ++a) {
        const Axis &fine = surveyed.axes[a], &wide = coarse.axes()[a];
        double lo = fine.origin, hi = fine.origin;
        for (const auto& [index, node] : coarse.nodes()) {
            if (!(node.stat < coarse.lowest() + matters)) continue;
            lo = std::min(lo, wide.at(index[a] - beyond));
            hi = std::max(hi, wide.at(index[a] + beyond));
        }
        box[0][a] =
            std::max(fine.first(), static_cast<int>(std::floor((lo - fine.origin) / fine.step - 1e-9)));
        box[1][a] = std::min(fine.last(), static_cast<int>(std::ceil((hi - fine.origin) / fine.step + 1e-9)));
        // a limit can make two nodes nearly one
        while (box[0][a] < 0 && !fine.apart(box[0][a], box[0][a] + 1)) ++box[0][a];
        while (box[1][a] > 0 && !fine.apart(box[1][a], box[1][a] - 1)) --box[1][a];
    }
    return box;
}

}  // namespace

spectral::PosteriorAxis PosteriorProblem::Side::data() const {
    return {n_nodes(), mass, fine.at, fine.weight, log_prior, value, fine.first, fine.share};
}

PosteriorProblem::Side PosteriorProblem::side(const Axis& axis, int first, int last) const {
    Side out{axis, first, last, FineAxis(axis, first, last), {}, {}, {}};
    const bool there = axis.coordinate >= 0;
    for (int k = first; k <= last; ++k)
        out.mass.push_back(there ? prior_mass(*objective_, axis, k, *options_) : 1.0);
    for (const double at : out.fine.at) {
        out.log_prior.push_back(log_prior_on(*objective_, axis, at, *options_));
        out.value.push_back(there ? value_on(objective_->coordinates(), axis, at) : 0.0);
    }
    return out;
}

/// The factors of all rows and columns. @param fill (values of the parameters, axis, where they go)
template <typename Fill>
PosteriorProblem::Factors PosteriorProblem::factors(std::size_t n_energies, const Fill& fill) const {
    Factors out{n_energies, {}, {}};
    for (std::size_t a = 0; a < 2; ++a) {
        const Side& side = sides_[a];
        std::vector<double>& to = a == 0 ? out.row : out.column;
        to.assign(static_cast<std::size_t>(side.n_nodes()) * n_energies, 1.0);
        if (a == 1 && side.axis.coordinate < 0) continue;  // everything belongs to the rows
        for (int k = side.first; k <= side.last; ++k) {
            Vector place = best_;
            side.axis.put(place, side.axis.at(k));
            fill(objective_->values(objective_->coordinates().clipped(place)), a,
                 std::span(to).subspan(static_cast<std::size_t>(k - side.first) * n_energies, n_energies));
        }
    }
    return out;
}

std::optional<PosteriorProblem> PosteriorProblem::of(Objective& objective, const Point& best,
                                                     std::span<const StartingPoint> starts,
                                                     const spectral::FitOptions& options,
                                                     std::span<spectral::FluxBand> bands) {
    const Coordinates& c = objective.coordinates();
    spectral::ModelEvaluator& model = objective.evaluator(0);
    if (!has_posterior(objective) || c.n_factors > 0 || !objective.is_poisson() || !model.separable())
        return std::nullopt;
    objective.remember(columns_kept);
    const auto surveyed =
        survey_posterior(objective, best.x, others_that_matter(objective, best, starts), false);
    objective.remember(0);
    if (!surveyed) return std::nullopt;
    const auto box = box_of(*surveyed, c.n_shape);
    std::array<int, 2> nodes{};
    for (int a = 0; a < 2; ++a) nodes[a] = box[1][a] - box[0][a] + 1;
    if (std::max(nodes[0], nodes[1]) > spectral::most_side_nodes ||
        nodes[0] * nodes[1] > spectral::most_lattice_nodes)
        return std::nullopt;
    PosteriorProblem out(objective, options, best.x);
    for (int a = 0; a < 2; ++a) out.sides_.push_back(out.side(surveyed->axes[a], box[0][a], box[1][a]));
    out.photons_ =
        out.factors(model.size(), [&](const std::vector<double>& values, std::size_t axis, auto to) {
            model.evaluate(values, false);
            model.factor(axis, to);
        });
    for (spectral::FluxBand& band : bands)
        for (const bool absorbed : {true, false})
            out.fluxes_.push_back(
                out.factors(band.size(), [&](const std::vector<double>& values, std::size_t axis, auto to) {
                    band.factor(values, absorbed, axis, to);
                }));
    out.skewness_ = norm_skewness(objective, best.x, surveyed->coarse.norm_sigma());
    out.tail_ = credible_tail(options);
    return out;
}

spectral::PosteriorTask PosteriorProblem::task() const {
    const FitData& data = objective_->spectrum(0);
    const FitData::Response response = data.response();
    const Coordinates& c = objective_->coordinates();
    spectral::PosteriorTask out;
    out.n_bins = static_cast<std::int64_t>(data.n_bins());
    out.n_energies = static_cast<std::int64_t>(data.n_energies());
    out.counts = data.counts;
    out.background = data.background;
    out.source_exposure = data.source_exposure;
    out.background_exposure = data.background_exposure;
    out.response = response.value;
    out.first = response.first;
    out.count = response.count;
    out.start = response.start;
    out.row_factor = photons_.row;
    out.column_factor = photons_.column;
    out.row = sides_[0].data();
    out.column = sides_[1].data();
    for (const Factors& flux : fluxes_)
        out.fluxes.push_back({static_cast<std::int64_t>(flux.n_energies), flux.row, flux.column});
    out.log_norm_lo = c.lo[c.first_norm()];
    out.log_norm_hi = c.hi[c.first_norm()];
    out.skewness = skewness_;
    out.tail = tail_;
    return out;
}

std::optional<PosteriorAround> PosteriorProblem::take(const spectral::PosteriorOutcome& outcome) const {
    constexpr double far_enough = 0.7 * matters;  // what lies beyond an edge that is no limit may be left out
    const spectral::PosteriorIntegral& of = outcome.integral;
    const Coordinates& c = objective_->coordinates();
    if (!std::isfinite(of.lowest) || !std::isfinite(of.log_integral) || !norm_is_significant(of.norm_sigma))
        return std::nullopt;
    Integrated found;
    found.log_evidence = of.log_integral - 0.5 * of.lowest + log_linear_prior(c);
    const std::array<const double*, 2> edges{of.row_edge, of.column_edge};
    for (std::size_t a = 0; a < static_cast<std::size_t>(c.n_shape); ++a) {
        const Side& side = sides_[a];
        if ((a == 0 ? of.row_width : of.column_width) < least_lattice_width) return std::nullopt;
        const auto open = [&](int end, double limit) -> std::optional<bool> {
            const double rise = edges[a][end];
            if (side.axis.meets(end == 0 ? side.first : side.last, limit))
                return rise < options_->confidence_delta;
            return rise < far_enough ? std::nullopt : std::optional(false);
        };
        const auto open_lo = open(0, side.axis.lo), open_hi = open(1, side.axis.hi);
        if (!open_lo || !open_hi) return std::nullopt;
        found.shape.push_back(
            {summary_of(a == 0 ? of.row : of.column, [&](double at) { return value_on(c, side.axis, at); }),
             *open_lo, *open_hi});
    }
    const auto exponential = [](double at) { return std::exp(at); };
    found.norm = summary_of(of.norm, exponential);
    for (const spectral::DensitySummary& flux : outcome.fluxes)
        found.fluxes.push_back(summary_of(flux, exponential));
    return PosteriorAround(*objective_, found);
}

}  // namespace xsift::refine
