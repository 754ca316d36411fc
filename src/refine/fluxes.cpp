#include "fluxes.hpp"

#include <algorithm>
#include <cmath>

namespace xsift::refine {

namespace {

constexpr double lower_minimum = 0.01;  // of the statistic
/// As far as a flux is followed, in ln: down by a factor of a million, up by 1e13: the best fit of a source
/// that is not there has the lowest norm there is, and its upper limit is what one wants to know.
constexpr double most_distance_down = 13.8, most_distance_up = 30.0;

/// The statistic as a function of the logarithm of a flux, minimised over all else.
class FluxProfile {
  public:
    /// @param along how coordinates follow a change of ln flux by 1 at the minimum, for where norms are at
    /// their limits
    FluxProfile(TwoScales& scales, spectral::FluxBand& band, FluxKind kind, const Vector& along,
                Point& scratch)
        : scales_(scales),
          objective_(&scales.merged()),
          band_(band),
          kind_(kind),
          along_(along),
          scratch_(scratch) {
        const Coordinates& c = objective_->coordinates();
        for (int i = c.first_norm(); i < c.n; ++i) norms_[i] = true;
    }

    /// Goes on behind the whole response where merged energies do not do at a point.
    /// @return whether the statistic has to be looked at again
    bool refuse(const Point& p, double delta) {
        if (objective_ == &scales_.whole() || !scales_.disagree(p.x, p.stat, delta, scratch_)) return false;
        objective_ = &scales_.whole();
        return true;
    }
    /// Behind merged energies, as at first.
    void restart() { objective_ = &scales_.merged(); }

    /// Moves p to the lowest statistic at a flux, from where it is.
    /// @return whether the flux can be reached within the limits
    bool descend_at(double log_flux, Point& p) {
        constexpr int most_steps = 30;
        constexpr double enough = 1e-3;  // of the statistic: the end of an interval needs no more
        constexpr double most_damping = 1e6;
        const int n = objective_->coordinates().n;
        if (!move_to(log_flux, p.x, p)) return false;
        double damping = 1e-3;
        Expansion at = objective_->expand(p);
        Vector gradient = gradient_;
        for (int step = 0; step < most_steps; ++step) {
            const auto move = tangent_step(p.x, at, gradient, damping);
            if (!move) {
                damping = std::max(10.0 * damping, 1.0);
                if (damping > most_damping) break;
                continue;
            }
            const double promised =
                -dot(at.slope, *move, n) - 0.5 * dot(*move, product(at.expected, *move, n), n);
            if (std::fabs(promised) < enough && damping <= 1.0) break;
            Vector x = p.x;
            for (int i = 0; i < n; ++i) x[i] += (*move)[i];
            if (move_to(log_flux, objective_->coordinates().clipped(x), scratch_) && scratch_.stat < p.stat) {
                const double gained = p.stat - scratch_.stat;
                std::swap(p, scratch_);
                if (gained < enough) break;
                at = objective_->expand(p);
                gradient = gradient_;
                damping = std::max(0.1 * damping, 1e-9);
            } else {
                damping *= 10.0;
                if (damping > most_damping) break;
            }
        }
        return true;
    }

  private:
    /// Evaluates p at x with the free norms scaled together so that the flux is as wanted; where none of them
    /// can go that way any more the other coordinates follow it.
    bool move_to(double log_flux, Vector x, Point& p) {
        const Coordinates& c = objective_->coordinates();
        constexpr int most_scalings = 20;  // more than one where a norm is frozen or at a limit
        for (int i = 0; i < most_scalings; ++i) {
            const FluxValue flux = flux_at(*objective_, x, band_, kind_);
            if (!(flux.value > 0.0)) return false;
            const double missing = log_flux - std::log(flux.value);
            const auto can_move = [&](int j, double by) {
                return !(by > 0.0 && c.at_hi(x, j)) && !(by < 0.0 && c.at_lo(x, j));
            };
            double share = 0.0, share_of_others = 0.0;
            for (int g = c.first_norm(); g < c.n; ++g)
                if (can_move(g, missing)) share += flux.gradient[g] / flux.value;
            for (int j = 0; j < c.first_norm(); ++j)
                if (can_move(j, along_[j] * missing))
                    share_of_others += along_[j] * flux.gradient[j] / flux.value;
            if (std::fabs(missing) < 1e-6) {
                for (int j = 0; j < c.n; ++j) gradient_[j] = flux.gradient[j] / flux.value;
                objective_->evaluate(x, p, norms_);
                return true;
            }
            constexpr double hardly = 1e-3, farthest = 2.0;
            if (share > hardly) {
                for (int g = c.first_norm(); g < c.n; ++g) x[g] += missing / share;
            } else if (share_of_others > hardly) {
                const double step = std::clamp(missing / share_of_others, -farthest, farthest);
                for (int j = 0; j < c.first_norm(); ++j)
                    if (can_move(j, along_[j] * missing)) x[j] += step * along_[j];
            } else {
                return false;
            }
            x = c.clipped(x);
        }
        return false;
    }

    /// The step that minimises the quadratic of the statistic and leaves ln flux as it is; coordinates that
    /// would leave their limits stay.
    std::optional<Vector> tangent_step(const Vector& x, const Expansion& at, const Vector& gradient,
                                       double damping) const {
        const Coordinates& c = objective_->coordinates();
        Matrix curvature = at.expected;
        Mask free{};
        for (int i = 0; i < c.n; ++i) {
            free[i] = at.expected[i][i] > 0.0;
            curvature[i][i] += damping * at.expected[i][i];
        }
        for (;;) {
            const auto u = solve(curvature, gradient, free, c.n), v = solve(curvature, at.slope, free, c.n);
            if (!u || !v) return std::nullopt;
            double along = 0.0, across = 0.0;
            for (int i = 0; i < c.n; ++i)
                if (free[i]) along += gradient[i] * (*u)[i], across += gradient[i] * (*v)[i];
            const double multiplier = along > 0.0 ? across / along : 0.0;
            Vector move{};
            bool inside = true;
            for (int i = 0; i < c.n; ++i) {
                if (!free[i]) continue;
                move[i] = multiplier * (*u)[i] - (*v)[i];
                if ((c.at_lo(x, i) && move[i] < 0.0) || (c.at_hi(x, i) && move[i] > 0.0))
                    free[i] = inside = false;
            }
            if (inside) return move;
        }
    }

    TwoScales& scales_;
    Objective* objective_;
    spectral::FluxBand& band_;
    FluxKind kind_;
    Vector along_;
    Point& scratch_;
    Mask norms_{};
    Vector gradient_{};  ///< of ln flux, where move_to was last
};

/// One side of the interval in ln flux.
struct End {
    std::optional<double> distance;  ///< none: the statistic stays below
    bool found = true;
};

End flux_end(FluxProfile& profile, const Point& best, double log_flux, const Vector& along, int sign,
             double guess, double delta, Point& at, Point& better) {
    constexpr int most_steps = 14;
    constexpr double close = 0.01;  // of delta: half a per cent of the half-width
    const double target = std::sqrt(delta);
    double inside = 0.0, root_inside = 0.0, outside = -1.0, root_outside = 0.0;
    const double most_distance = sign > 0 ? most_distance_up : most_distance_down;
    double distance = std::min(guess, most_distance);
    profile.restart();
    at.x = best.x;
    for (std::size_t i = 0; i < along.size(); ++i) at.x[i] += along[i] * sign * distance;
    for (int step = 0; step < most_steps; ++step) {
        // a flux beyond the limits of the parameters counts as excluded
        const bool reached = profile.descend_at(log_flux + sign * distance, at);
        const double rise = at.stat - best.stat;
        if (!reached) return {std::nullopt, true};
        if (rise < -lower_minimum) {
            if (at.stat < better.stat) better = at;
            return {std::nullopt, false};
        }
        const double root = std::sqrt(std::max(rise, 0.0));
        if (std::fabs(rise - delta) <= close * delta) {
            if (!profile.refuse(at, delta)) return {distance, true};
            inside = root_inside = root_outside = 0.0;
            outside = -1.0;
            continue;
        }
        if (rise < delta) {
            if (distance >= most_distance) return {std::nullopt, true};
            inside = distance;
            root_inside = root;
        } else {
            outside = distance;
            root_outside = root;
        }
        if (outside < 0.0) {
            distance =
                std::min(distance * (root > 0.0 ? std::clamp(target / root, 1.1, 4.0) : 4.0), most_distance);
        } else {
            if (outside - inside <= 1e-4 * outside) return {outside, true};
            const double share = (target - root_inside) / (root_outside - root_inside);
            distance = inside + std::clamp(share, 0.05, 0.95) * (outside - inside);
        }
    }
    return {std::nullopt, false};
}

}  // namespace

FluxValue flux_at(const Objective& objective, const Vector& x, spectral::FluxBand& band, FluxKind kind) {
    const Coordinates& c = objective.coordinates();
    const std::vector<double> values = objective.values(x);
    const spectral::BandFlux flux =
        kind == FluxKind::absorbed ? band.absorbed(values, true) : band.unabsorbed(values, true);
    FluxValue out;
    for (std::size_t g = 0; g < flux.unit.size(); ++g) {
        const auto& group = objective.freedom().groups[g];
        const double norm = values[static_cast<std::size_t>(group.norm)], part = norm * flux.unit[g];
        out.value += part;
        if (group.free) out.gradient[c.first_norm() + static_cast<int>(g)] = part;
        for (int s = 0; s < c.n_shape; ++s) {
            const auto& parameter = objective.model().parameters[static_cast<std::size_t>(c.parameter[s])];
            if (kind == FluxKind::unabsorbed && parameter.component.starts_with("tbabs")) continue;
            out.gradient[s] += norm * flux.by_shape[g][static_cast<std::size_t>(s)] * c.scale(x, s);
        }
    }
    return out;
}

FluxInterval covariance_interval(const FluxValue& flux, const Covariance& covariance, double delta) {
    FluxInterval out;
    out.flux.value = flux.value;
    out.error = covariance.half_width(flux.gradient, 1.0);
    const double width = covariance.half_width(flux.gradient, delta);
    if (!(flux.value > 0.0) || std::isnan(width)) return out;
    out.flux.lo = std::max(0.0, flux.value - width);
    out.flux.hi = flux.value + width;
    out.no_lower_end = !(out.flux.lo > 0.0);
    return out;
}

void profile_flux(TwoScales& scales, const Point& best, const Covariance& covariance,
                  spectral::FluxBand& band, FluxKind kind, double delta, Point& start, Point& scratch,
                  Point& better, FluxInterval& interval) {
    const Objective& objective = scales.merged();
    const FluxValue flux = flux_at(objective, best.x, band, kind);
    Vector gradient = flux.gradient;
    for (double& g : gradient) g /= flux.value;
    const double half = covariance.half_width(gradient, delta);
    const double relative = std::isfinite(half) && half > 0.0 ? half : 0.5;
    Vector along{};
    if (const auto column =
            solve(covariance.curvature(), gradient, covariance.free(), objective.coordinates().n)) {
        double square = 0.0;
        for (int i = 0; i < objective.coordinates().n; ++i)
            if (covariance.free()[i]) square += gradient[i] * (*column)[i];
        for (int i = 0; i < objective.coordinates().n; ++i)
            if (covariance.free()[i] && square > 0.0) along[i] = (*column)[i] / square;
    }
    FluxProfile profile(scales, band, kind, along, scratch);
    const double log_flux = std::log(flux.value);
    const End lo = flux_end(profile, best, log_flux, along, -1, -std::log(std::max(1.0 - relative, 0.3)),
                            delta, start, better);
    const End hi = flux_end(profile, best, log_flux, along, 1, std::log1p(relative), delta, start, better);
    if (!lo.found || !hi.found) return;
    interval.profiled = true;
    interval.no_lower_end = !lo.distance;
    interval.no_upper_end = !hi.distance;
    interval.flux.lo = lo.distance ? interval.flux.value * std::exp(-*lo.distance) : 0.0;
    interval.flux.hi = hi.distance ? interval.flux.value * std::exp(*hi.distance) : not_measured;
}

}  // namespace xsift::refine
