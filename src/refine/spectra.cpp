#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include <xsift/refine/spectra.hpp>
#include <xsift/spectral/model.hpp>
#include <xsift/spectral/profile.hpp>

namespace xsift::refine {

namespace {

using spectral::Limits;
using spectral::PreparedSpectrum;
using spectral::Shape;

constexpr int n_parameters = 3;
enum Parameter { nh_index, shape_index, norm_index };
using Vector = std::array<double, n_parameters>;
using Matrix = std::array<Vector, n_parameters>;
using Mask = std::array<bool, n_parameters>;

/// Solves the symmetric positive system restricted to the masked parameters (Cholesky); nothing when it is
/// singular.
std::optional<Vector> solve(const Matrix& a, const Vector& b, const Mask& free) {
    Matrix l{};
    Vector x{};
    for (int i = 0; i < n_parameters; ++i) {
        if (!free[i]) continue;
        for (int j = 0; j <= i; ++j) {
            if (!free[j]) continue;
            double sum = a[i][j];
            for (int k = 0; k < j; ++k) sum -= l[i][k] * l[j][k];
            if (i != j) {
                l[i][j] = sum / l[j][j];
            } else {
                if (!(sum > 1e-13 * a[i][i]) || !(a[i][i] > 0.0)) return std::nullopt;
                l[i][i] = std::sqrt(sum);
            }
        }
        double sum = b[i];
        for (int k = 0; k < i; ++k) sum -= l[i][k] * x[k];
        x[i] = sum / l[i][i];
    }
    for (int i = n_parameters - 1; i >= 0; --i) {
        if (!free[i]) continue;
        double sum = x[i];
        for (int k = i + 1; k < n_parameters; ++k)
            if (free[k]) sum -= l[k][i] * x[k];
        x[i] = sum / l[i][i];
    }
    return x;
}

/// The fit's coordinates: nH, photon index or ln kT, ln norm. kT and norm span decades, so their logarithms
/// are walked.
class Coordinates {
  public:
    explicit Coordinates(Shape shape)
        : logarithmic_(shape != Shape::powerlaw), limits_(spectral::parameter_limits(shape)) {}

    double parameter(double x) const { return logarithmic_ ? std::exp(x) : x; }
    double coordinate(double parameter) const { return logarithmic_ ? std::log(parameter) : parameter; }
    /// d parameter / d coordinate.
    double scale(double parameter) const { return logarithmic_ ? parameter : 1.0; }
    double lo(int i) const {
        return i == nh_index
                   ? spectral::nh_limits.lo
                   : (i == shape_index ? coordinate(limits_.lo) : std::log(spectral::norm_limits.lo));
    }
    double hi(int i) const {
        return i == nh_index
                   ? spectral::nh_limits.hi
                   : (i == shape_index ? coordinate(limits_.hi) : std::log(spectral::norm_limits.hi));
    }
    Vector clipped(Vector x) const {
        for (int i = 0; i < n_parameters; ++i) x[i] = std::clamp(x[i], lo(i), hi(i));
        return x;
    }
    bool at_lo(const Vector& x, int i) const { return x[i] <= lo(i); }
    bool at_hi(const Vector& x, int i) const { return x[i] >= hi(i); }

  private:
    bool logarithmic_;
    Limits limits_;
};

/// A point of the fit with the folded model (count/s at norm 1) and its derivatives by the coordinates.
struct Point {
    Vector x{};
    double stat = std::numeric_limits<double>::infinity();
    std::vector<double> unit, by_nh, by_shape;
};

/// Slope and curvature of the statistic at a point, the latter without the second derivatives of the model:
/// as the counts have it, and as expected for the fitted rates (better behaved far from the minimum and for
/// empty bins).
struct Expansion {
    Vector slope{};
    Matrix observed{}, expected{};
};

/// The statistic of one spectrum under one model as a function of the coordinates.
class Objective {
  public:
    Objective(const PreparedSpectrum& spectrum, Shape shape, spectral::Abundance abundance)
        : spectrum_(spectrum),
          coordinates_(shape),
          model_(shape, abundance, spectral::EnergyBins::from_bounds(spectrum.energy_lo, spectrum.energy_hi)),
          background_(spectrum.has_background() ? spectrum.background_counts
                                                : std::vector<double>(spectrum.n_bins(), 0.0)),
          photons_(spectrum.n_energies()),
          by_nh_(spectrum.n_energies()),
          by_shape_(spectrum.n_energies()) {}

    const Coordinates& coordinates() const { return coordinates_; }

    Point make_point() const {
        const std::size_t n = spectrum_.n_bins();
        Point p;
        p.unit.resize(n);
        p.by_nh.resize(n);
        p.by_shape.resize(n);
        return p;
    }

    /// Folds the model at x with the norm that minimises the statistic, found from x's own.
    void evaluate(const Vector& x, Point& p) {
        const double parameter = coordinates_.parameter(x[shape_index]);
        model_.evaluate(x[nh_index], parameter, photons_, by_nh_, by_shape_);
        const double scale = coordinates_.scale(parameter);
        for (double& d : by_shape_) d *= scale;
        spectral::fold<3>(spectrum_, {photons_.data(), by_nh_.data(), by_shape_.data()},
                          {p.unit.data(), p.by_nh.data(), p.by_shape.data()});
        constexpr double tolerance = 1e-10;
        const double norm =
            spectral::profiled_norm([&](double n) { return norm_slope(p, n); }, spectral::norm_limits.lo,
                                    spectral::norm_limits.hi, std::exp(x[norm_index]), tolerance);
        p.x = {x[nh_index], x[shape_index], std::log(norm)};
        p.stat = 0.0;
        for (std::size_t k = 0; k < p.unit.size(); ++k)
            p.stat += spectral::bin_statistic(spectrum_.counts[k], background_[k], spectrum_.source_exposure,
                                              spectrum_.background_exposure, norm * p.unit[k]);
    }

    Expansion expand(const Point& p) const {
        const double norm = std::exp(p.x[norm_index]);
        const double ts = spectrum_.source_exposure, tb = spectrum_.background_exposure;
        Expansion e;
        for (std::size_t k = 0; k < p.unit.size(); ++k) {
            const double rate = std::fmax(norm * p.unit[k], spectral::lowest_rate);
            const double s = spectrum_.counts[k], b = background_[k];
            const spectral::StatTerm term = derivatives(k, rate);
            const double mean = tb > 0.0
                                    ? spectral::expected_curvature(
                                          ts, tb, rate, spectral::profiled_background(s, b, ts, tb, rate))
                                    : 2.0 * ts / rate;
            const Vector by = rate_derivatives(p, norm, k);
            for (int i = 0; i < n_parameters; ++i) {
                e.slope[i] += term.first * by[i];
                for (int j = 0; j <= i; ++j) {
                    e.observed[i][j] += term.second * by[i] * by[j];
                    e.expected[i][j] += mean * by[i] * by[j];
                }
            }
        }
        for (int i = 0; i < n_parameters; ++i)
            for (int j = 0; j < i; ++j) {
                e.observed[j][i] = e.observed[i][j];
                e.expected[j][i] = e.expected[i][j];
            }
        return e;
    }

    /// What the second derivatives of the model add to the change of the slope from one point to the next.
    Vector bending(const Point& from, const Point& to) const {
        const double norm_from = std::exp(from.x[norm_index]), norm_to = std::exp(to.x[norm_index]);
        Vector sum{};
        for (std::size_t k = 0; k < to.unit.size(); ++k) {
            const double first = derivatives(k, std::fmax(norm_to * to.unit[k], spectral::lowest_rate)).first;
            const Vector before = rate_derivatives(from, norm_from, k),
                         after = rate_derivatives(to, norm_to, k);
            for (int i = 0; i < n_parameters; ++i) sum[i] += first * (after[i] - before[i]);
        }
        return sum;
    }

    /// Parameters that a downhill step can move: not those at a limit with the slope pointing outward.
    Mask movable(const Vector& x, const Vector& slope) const {
        Mask free{};
        for (int i = 0; i < n_parameters; ++i)
            free[i] = !(coordinates_.at_lo(x, i) && slope[i] > 0.0) &&
                      !(coordinates_.at_hi(x, i) && slope[i] < 0.0);
        return free;
    }

  private:
    spectral::StatTerm derivatives(std::size_t k, double rate) const {
        const double ts = spectrum_.source_exposure, tb = spectrum_.background_exposure;
        return tb > 0.0 ? spectral::wstat_derivatives(spectrum_.counts[k], background_[k], ts, tb, rate)
                        : spectral::cstat_derivatives(spectrum_.counts[k], ts, rate);
    }

    static Vector rate_derivatives(const Point& p, double norm, std::size_t k) {
        return {norm * p.by_nh[k], norm * p.by_shape[k], norm * p.unit[k]};
    }

    spectral::NormSlope norm_slope(const Point& p, double norm) const {
        spectral::NormSlope sum;
        for (std::size_t k = 0; k < p.unit.size(); ++k) {
            const spectral::NormSlope term =
                spectral::norm_slope(spectrum_.counts[k], background_[k], spectrum_.source_exposure,
                                     spectrum_.background_exposure, p.unit[k], norm);
            sum.first += term.first;
            sum.second += term.second;
        }
        return sum;
    }

    const PreparedSpectrum& spectrum_;
    Coordinates coordinates_;
    spectral::AbsorbedModel model_;
    std::vector<double> background_;
    std::vector<double> photons_, by_nh_, by_shape_;
};

Matrix sum(const Matrix& a, const Matrix& b, double factor) {
    Matrix c = a;
    for (int i = 0; i < n_parameters; ++i)
        for (int j = 0; j < n_parameters; ++j) c[i][j] += factor * b[i][j];
    return c;
}

Vector product(const Matrix& a, const Vector& x) {
    Vector y{};
    for (int i = 0; i < n_parameters; ++i)
        for (int j = 0; j < n_parameters; ++j) y[i] += a[i][j] * x[j];
    return y;
}

double dot(const Vector& a, const Vector& b) {
    double s = 0.0;
    for (int i = 0; i < n_parameters; ++i) s += a[i] * b[i];
    return s;
}

/// The step that minimises slope x + x curvature x / 2 within the limits: a coordinate that would leave them
/// stops there and the others are solved again. Nothing when the curvature is not positive.
std::optional<Vector> bounded_step(const Objective& objective, const Vector& x, const Vector& slope,
                                   const Matrix& curvature) {
    const Coordinates& c = objective.coordinates();
    Mask free = objective.movable(x, slope);
    Vector stopped{};
    for (;;) {
        Vector downhill = product(curvature, stopped);
        for (int i = 0; i < n_parameters; ++i) downhill[i] = -slope[i] - downhill[i];
        auto move = solve(curvature, downhill, free);
        if (!move) return move;
        bool inside = true;
        for (int i = 0; i < n_parameters; ++i) {
            if (!free[i]) {
                (*move)[i] = stopped[i];
                continue;
            }
            const double target = x[i] + (*move)[i];
            if (target >= c.lo(i) && target <= c.hi(i)) continue;
            stopped[i] = std::clamp(target, c.lo(i), c.hi(i)) - x[i];
            free[i] = inside = false;
        }
        if (inside) return move;
    }
}

/// Secant estimate of what the second derivatives of the model add to the curvature (Dennis, Gay & Welsch
/// 1981).
/// @param step, slope_change between two points; @param bend Objective::bending between them
void update_second_order(Matrix& second_order, const Vector& step, const Vector& slope_change,
                         const Vector& bend) {
    const double along = dot(slope_change, step);
    if (!(along > 0.0)) return;
    const double had = dot(step, product(second_order, step)), has = dot(step, bend);
    if (std::fabs(had) > std::fabs(has))
        for (Vector& row : second_order)
            for (double& value : row) value *= std::fabs(has / had);
    Vector missing = product(second_order, step);
    for (int i = 0; i < n_parameters; ++i) missing[i] = bend[i] - missing[i];
    const double square = dot(missing, step) / (along * along);
    for (int i = 0; i < n_parameters; ++i)
        for (int j = 0; j < n_parameters; ++j)
            second_order[i][j] += (missing[i] * slope_change[j] + slope_change[i] * missing[j]) / along -
                                  square * slope_change[i] * slope_change[j];
}

/// Levenberg-Marquardt from one point: Fisher scoring at first, then the observed curvature with a secant
/// estimate of its second-order part, which converges superlinearly. @param trial scratch. @return whether it
/// converged
bool descend(Objective& objective, Point& best, Point& trial) {
    constexpr int most_steps = 80;
    constexpr double enough = 1e-6;  // of the statistic
    constexpr double most_damping = 1e9;
    constexpr int most_small_gains =
        4;  // in a row: the steps of the tabulated Gaunt factors leave nothing smooth
    int small_gains = 0;
    double damping = 1e-3;
    Expansion at = objective.expand(best);
    Matrix second_order = sum(at.expected, at.observed, -1.0);
    for (int step = 0; step < most_steps; ++step) {
        const Matrix curvature = sum(at.observed, second_order, 1.0);
        Matrix damped = curvature;
        for (int i = 0; i < n_parameters; ++i) damped[i][i] += damping * at.expected[i][i];
        const auto move = bounded_step(objective, best.x, at.slope, damped);
        double gained = -1.0, promised = 0.0;
        if (move) {
            promised = -dot(at.slope, *move) - 0.5 * dot(*move, product(curvature, *move));
            if (promised >= 0.0 && promised < 0.1 * enough && damping <= 1.0) return true;
        }
        if (promised > 0.0) {  // a step cut at the limits may point uphill: shorten it
            Vector x = best.x;
            for (int i = 0; i < n_parameters; ++i) x[i] += (*move)[i];
            objective.evaluate(objective.coordinates().clipped(x), trial);
            gained = best.stat - trial.stat;
        }
        if (gained > 0.0) {
            const Expansion next = objective.expand(trial);
            Vector walked{}, slope_change{};
            for (int i = 0; i < n_parameters; ++i) {
                walked[i] = trial.x[i] - best.x[i];
                slope_change[i] = next.slope[i] - at.slope[i];
            }
            update_second_order(second_order, walked, slope_change, objective.bending(best, trial));
            std::swap(best, trial);
            at = next;
            small_gains = gained < 100.0 * enough ? small_gains + 1 : 0;
            if (small_gains == most_small_gains) return true;
            if (gained < enough && promised < 10.0 * enough && damping <= 1.0) return true;
            damping = std::max(gained > 0.5 * promised ? 0.1 * damping : damping, 1e-9);
        } else {
            // a flat floor, or a step of the Gaunt factors, ends the descent
            if (damping > most_damping) return true;
            damping = std::max(10.0 * damping, 1e-6);
        }
    }
    return false;
}

/// Curvature of the statistic at a minimum, second derivatives of the model included: differences of the
/// slope of the profiled statistic for nH and shape, and of the norm that follows them. @param scratch two
/// points
Matrix full_curvature(Objective& objective, const Point& p, const Expansion& at, Point& above, Point& below) {
    constexpr double step_in_sigma = 0.1;
    const Coordinates& c = objective.coordinates();
    const double norm_curvature = at.observed[norm_index][norm_index];
    Matrix h{};
    Vector follow{};  // d ln norm / d coordinate
    for (int i : {nh_index, shape_index}) {
        const double step = step_in_sigma * std::sqrt(2.0 / at.expected[i][i]);
        Vector up = p.x, down = p.x;
        up[i] += std::min(step, 1.0);
        down[i] -= std::min(step, 1.0);
        up = c.clipped(up);
        down = c.clipped(down);
        if (!(up[i] > down[i])) return at.observed;
        objective.evaluate(up, above);
        objective.evaluate(down, below);
        const Vector slope_up = objective.expand(above).slope, slope_down = objective.expand(below).slope;
        for (int j : {nh_index, shape_index}) h[i][j] = (slope_up[j] - slope_down[j]) / (up[i] - down[i]);
        follow[i] = (above.x[norm_index] - below.x[norm_index]) / (up[i] - down[i]);
    }
    h[nh_index][shape_index] = h[shape_index][nh_index] =
        0.5 * (h[nh_index][shape_index] + h[shape_index][nh_index]);
    for (int i : {nh_index, shape_index}) {
        for (int j : {nh_index, shape_index}) h[i][j] += norm_curvature * follow[i] * follow[j];
        h[i][norm_index] = h[norm_index][i] = -norm_curvature * follow[i];
    }
    h[norm_index][norm_index] = norm_curvature;
    return h;
}

/// Coarse starting points for callers without a model grid.
std::vector<StartingPoint> coarse_starts(Shape shape) {
    std::vector<StartingPoint> starts;
    const std::array<double, 3> shapes = shape == Shape::powerlaw ? std::array{0.5, 2.0, 5.0}
                                         : shape == Shape::bbody  ? std::array{0.08, 0.3, 1.5}
                                                                  : std::array{0.15, 1.0, 20.0};
    for (double nh : {0.03, 0.5, 5.0})
        for (double parameter : shapes) starts.push_back({nh, parameter, 1e-5});
    return starts;
}

/// Intervals at the minimum from the curvature of the statistic.
class Intervals {
  public:
    /// @param scratch two points
    Intervals(Objective& objective, const Point& p, double delta, Point& scratch, Point& more_scratch)
        : slope_(objective.expand(p).slope), delta_(delta), free_(objective.movable(p.x, slope_)) {
        const Expansion at = objective.expand(p);
        curvature_ = full_curvature(objective, p, at, scratch, more_scratch);
        // not a minimum as differences see it (noise on a flat floor): leave the model's second derivatives
        // out
        if (!solve(curvature_, slope_, free_)) curvature_ = at.observed;
    }

    /// Half-width in the coordinate i; NaN when the curvature does not bound it.
    double half_width(int i) const {
        Mask mask = free_;
        mask[i] = true;
        Vector unit{};
        unit[i] = 1.0;
        const auto column = solve(curvature_, unit, mask);
        if (!column) return not_measured;
        const double curvature = 1.0 / (*column)[i];
        const double slope = free_[i] ? 0.0 : std::fabs(slope_[i]);
        return (std::sqrt(slope * slope + 2.0 * delta_ * curvature) - slope) / curvature;
    }

    /// Half-width of a function of the coordinates with the given gradient, limits left aside.
    double half_width(const Vector& gradient) const {
        const auto column = solve(curvature_, gradient, free_);
        if (!column) return not_measured;
        double variance = 0.0;
        for (int i = 0; i < n_parameters; ++i)
            if (free_[i]) variance += gradient[i] * (*column)[i];
        return std::sqrt(2.0 * delta_ * variance);
    }

    /// value +- half, clipped at limits; @return whether it is constrained.
    static bool fill(Estimate& e, double value, double half, Limits limits) {
        e.value = value;
        e.lo = std::isnan(half) ? limits.lo : std::max(limits.lo, value - half);
        e.hi = std::isnan(half) ? limits.hi : std::min(limits.hi, value + half);
        return e.lo > limits.lo && e.hi < limits.hi && half <= std::fabs(value);
    }

  private:
    Vector slope_;
    Matrix curvature_{};
    double delta_;
    Mask free_;
};

void flag(SpectralFit& fit, bool condition, FitFlag bit) {
    if (condition) fit.flags |= bit;
}

void fill_information_criteria(SpectralFit& fit) {
    const double n = fit.n_bins, k = n_parameters;
    fit.dof = fit.n_bins - n_parameters;
    if (fit.dof > 0) fit.reduced = fit.stat / fit.dof;
    flag(fit, fit.dof <= 0, fit_no_degrees_of_freedom);
    if (n - k - 1.0 > 0.0) fit.aicc = fit.stat + 2.0 * k * (1.0 + (k + 1.0) / (n - k - 1.0));
    fit.bic = fit.stat + k * std::log(n);
}

void fill_parameters(SpectralFit& fit, const Objective& objective, const Point& p, Shape shape,
                     const Intervals& intervals) {
    const Coordinates& c = objective.coordinates();
    const double parameter = c.parameter(p.x[shape_index]), norm = std::exp(p.x[norm_index]);
    const double nh_half = intervals.half_width(nh_index);
    const double shape_half = intervals.half_width(shape_index) * c.scale(parameter);
    const double norm_half = intervals.half_width(norm_index) * norm;
    Estimate& shape_estimate = shape == Shape::powerlaw ? fit.gamma : fit.kt;
    flag(fit, !Intervals::fill(fit.nh, p.x[nh_index], nh_half, spectral::nh_limits), fit_nh_unconstrained);
    flag(fit, !Intervals::fill(shape_estimate, parameter, shape_half, spectral::parameter_limits(shape)),
         fit_parameter_unconstrained);
    flag(fit, !Intervals::fill(fit.norm, norm, norm_half, spectral::norm_limits), fit_norm_unconstrained);
    flag(fit, std::isnan(nh_half) || std::isnan(shape_half) || std::isnan(norm_half),
         fit_covariance_singular);
    flag(fit, c.at_lo(p.x, nh_index) || c.at_hi(p.x, nh_index), fit_nh_at_bound);
    flag(fit, c.at_lo(p.x, shape_index) || c.at_hi(p.x, shape_index), fit_parameter_at_bound);
}

void fill_fluxes(SpectralFit& fit, const Objective& objective, const Point& p, Shape shape,
                 const Intervals& intervals, const spectral::FitOptions& options) {
    const Coordinates& c = objective.coordinates();
    const double nh = p.x[nh_index], parameter = c.parameter(p.x[shape_index]),
                 norm = std::exp(p.x[norm_index]);
    spectral::FluxBand band(shape, options.abundance, options.flux_lo, options.flux_hi);
    const spectral::BandFlux absorbed = band.absorbed(nh, parameter);
    const Vector gradient{norm * absorbed.by_nh, norm * absorbed.by_parameter * c.scale(parameter),
                          norm * absorbed.value};
    constexpr double infinite = std::numeric_limits<double>::infinity();
    const double flux = norm * absorbed.value, half = intervals.half_width(gradient);
    const bool constrained = Intervals::fill(fit.flux, flux, half, {0.0, infinite});
    if (std::isnan(half)) fit.flux.lo = fit.flux.hi = not_measured;
    flag(fit, !constrained, fit_flux_unconstrained);
    fit.flux_unabsorbed = norm * band.unabsorbed(parameter).value;
}

}  // namespace

SpectralFit fit_spectrum(const PreparedSpectrum& spectrum, const std::string& model,
                         std::span<const StartingPoint> starts, const spectral::FitOptions& options) {
    const Shape shape = spectral::parse_model(model);
    Objective objective(spectrum, shape, options.abundance);
    const Coordinates& c = objective.coordinates();
    const std::vector<StartingPoint> coarse =
        starts.empty() ? coarse_starts(shape) : std::vector<StartingPoint>{};
    Point best = objective.make_point(), current = objective.make_point(), scratch = objective.make_point();
    bool converged = false;
    for (const StartingPoint& start : starts.empty() ? std::span<const StartingPoint>(coarse) : starts) {
        const Vector x{start.nh,
                       c.coordinate(std::max(start.parameter, spectral::parameter_limits(shape).lo)),
                       std::log(std::max(start.norm, spectral::norm_limits.lo))};
        objective.evaluate(c.clipped(x), current);
        const bool done = descend(objective, current, scratch);
        if (!(current.stat < best.stat)) continue;
        std::swap(best, current);
        converged = done;
    }

    SpectralFit fit;
    fit.spectrum = spectrum.exposure.file;
    fit.instrument = spectrum.exposure.instrument;
    fit.model = model;
    fit.statistic = spectrum.has_background() ? "wstat" : "cstat";
    fit.flags = spectrum.flags << fit_flag_spectrum_shift;
    flag(fit, !converged, fit_not_converged);
    fit.stat = best.stat;
    fit.n_bins = static_cast<std::int32_t>(spectrum.n_bins());
    fill_information_criteria(fit);
    const Intervals intervals(objective, best, options.confidence_delta, current, scratch);
    fill_parameters(fit, objective, best, shape, intervals);
    fill_fluxes(fit, objective, best, shape, intervals, options);
    return fit;
}

int select_model(std::span<SpectralFit> fits) {
    constexpr std::uint32_t disqualifying =
        fit_not_converged | fit_parameter_unconstrained | fit_norm_unconstrained | fit_no_degrees_of_freedom;
    int best = -1;
    for (std::size_t i = 0; i < fits.size(); ++i) {
        fits[i].selected = false;
        if ((fits[i].flags & disqualifying) != 0 || !std::isfinite(fits[i].aicc)) continue;
        if (best < 0 || fits[i].n_bins > fits[best].n_bins ||
            (fits[i].spectrum == fits[best].spectrum && fits[i].aicc < fits[best].aicc))
            best = static_cast<int>(i);
    }
    if (best >= 0) fits[best].selected = true;
    return best;
}

}  // namespace xsift::refine
