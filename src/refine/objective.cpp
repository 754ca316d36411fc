#include "objective.hpp"

#include <algorithm>
#include <cmath>

#include <xsift/core/step_limit.hpp>

namespace xsift::refine {

using spectral::ModelDefinition;
using spectral::ModelFreedom;

namespace {

/// Factors between instruments.
constexpr double lowest_factor = 0.05, highest_factor = 20.0;

}  // namespace

const TableAxis* table_axis(const ModelDefinition& model, int parameter) {
    for (const spectral::Component& c : model.components)
        if (c.table && parameter >= c.first_parameter && parameter < c.first_parameter + c.n_axes)
            return &c.table->axes[static_cast<std::size_t>(parameter - c.first_parameter)];
    return nullptr;
}

double Coordinates::value(const Vector& x, int i) const {
    return logarithmic[i] ? std::exp(x[i]) : x[i];
}

double Coordinates::coordinate(int i, double value) const {
    return logarithmic[i] ? std::log(std::max(value, 1e-300)) : value;
}

Vector Coordinates::clipped(Vector x) const {
    for (int i = 0; i < n; ++i) x[i] = std::clamp(x[i], lo[i], hi[i]);
    return x;
}

Objective::Objective(std::span<const FitData* const> spectra, std::shared_ptr<const ModelDefinition> model,
                     spectral::Abundance abundance)
    : spectra_(spectra.begin(), spectra.end()), model_(std::move(model)), terms_(spectra) {
    for (const FitData* d : spectra_) {
        evaluators_.emplace_back(model_, abundance,
                                 spectral::EnergyBins::from_bounds(d->energy_lo, d->energy_hi));
        first_bin_.push_back(n_bins_);
        n_bins_ += d->n_bins();
    }
    first_bin_.push_back(n_bins_);
    const ModelFreedom& free = freedom();
    Coordinates& c = coordinates_;
    const auto add = [&](int parameter, double lo, double hi, bool logarithmic) {
        c.parameter.push_back(parameter);
        c.logarithmic.push_back(logarithmic);
        c.lo[c.n] = c.coordinate(c.n, lo);
        c.hi[c.n] = c.coordinate(c.n, hi);
        c.kinks.emplace_back();
        if (const TableAxis* const axis = table_axis(*model_, parameter))
            for (const double value : axis->values)
                if (value > lo && value < hi) c.kinks.back().push_back(c.coordinate(c.n, value));
        ++c.n;
    };
    const auto add_parameter = [&](int index) {
        const spectral::ModelParameter& p = model_->parameters[static_cast<std::size_t>(index)];
        add(index, p.lo, p.hi, p.logarithmic);
    };
    for (const int p : free.shape) add_parameter(p);
    c.n_shape = c.n;
    for (std::size_t d = 1; d < spectra_.size(); ++d) add(-1, lowest_factor, highest_factor, true);
    c.n_factors = c.n - c.n_shape;
    for (const auto& group : free.groups)
        if (group.free)
            add_parameter(group.norm);
        else
            frozen_norm_.push_back(model_->parameters[static_cast<std::size_t>(group.norm)].value);
    c.n_norms = c.n - c.first_norm();
    for (std::size_t g = 0; g < free.groups.size(); ++g) rows_.push_back({g, -1});
    for (std::size_t g = 0; g < free.groups.size(); ++g)
        for (int s = 0; s < c.n_shape; ++s)
            if (free.depends(g, static_cast<std::size_t>(s))) rows_.push_back({g, s});
}

Point Objective::make_point() const {
    Point p;
    p.rates.resize(rows_.size() * n_bins_);
    return p;
}

Vector Objective::start(std::span<const double> values) const {
    const Coordinates& c = coordinates_;
    Vector x{};
    for (int i = 0; i < c.n; ++i)
        x[i] = c.parameter[i] < 0 ? 0.0 : c.coordinate(i, values[static_cast<std::size_t>(c.parameter[i])]);
    return c.clipped(x);
}

Vector Objective::start(const SpectralFit& fit) const {
    std::vector<double> values;
    for (const FittedParameter& p : fit.parameters) values.push_back(p.estimate.value);
    const std::size_t n_parameters = model_->parameters.size();
    Vector x = start(std::span(values).first(n_parameters));
    for (int i = 0; i < coordinates_.n_factors; ++i)
        x[coordinates_.first_factor() + i] = std::log(values[n_parameters + static_cast<std::size_t>(i)]);
    return coordinates_.clipped(x);
}

std::vector<double> values_at(const ModelDefinition& model, const Coordinates& c, const Vector& x) {
    std::vector<double> out = model.initial_values();
    for (int i = 0; i < c.n; ++i)
        if (c.parameter[i] >= 0) out[static_cast<std::size_t>(c.parameter[i])] = c.value(x, i);
    model.apply_ties(out);
    return out;
}

std::vector<double> fitted_values_at(const ModelDefinition& model, const Coordinates& c, const Vector& x) {
    std::vector<double> out = values_at(model, c, x);
    for (int i = c.first_factor(); i < c.first_norm(); ++i) out.push_back(c.value(x, i));
    return out;
}

Vector Objective::norms(const Vector& x) const {
    Vector norm{};
    const int n_free = coordinates_.n_norms;
    for (int g = 0; g < n_free; ++g) norm[g] = std::exp(x[coordinates_.first_norm() + g]);
    for (std::size_t g = 0; g < frozen_norm_.size(); ++g)
        norm[static_cast<std::size_t>(n_free) + g] = frozen_norm_[g];
    return norm;
}

Vector Objective::scales(const Vector& x) const {
    Vector scale{};
    for (int i = 0; i < coordinates_.n_shape; ++i) scale[i] = coordinates_.scale(x, i);
    return scale;
}

double Objective::factor(const Vector& x, std::size_t spectrum) const {
    return spectrum == 0 ? 1.0 : std::exp(x[coordinates_.first_factor() + static_cast<int>(spectrum) - 1]);
}

const std::vector<double>& Objective::rates(const Point& p) const {
    const Vector norm = norms(p.x);
    const std::size_t n_groups = freedom().groups.size();
    rates_.assign(n_bins_, 0.0);
    for (std::size_t g = 0; g < n_groups; ++g) {
        const double* const from = p.rates.data() + g * n_bins_;
        for (std::size_t k = 0; k < n_bins_; ++k) rates_[k] += norm[g] * from[k];
    }
    for (std::size_t d = 1; d < spectra_.size(); ++d) {
        const double f = factor(p.x, d);
        for (std::size_t k = first_bin_[d]; k < first_bin_[d + 1]; ++k) rates_[k] *= f;
    }
    return rates_;
}

void Objective::rate_derivatives(const Point& p, int first, std::vector<double>& by) const {
    const Coordinates& c = coordinates_;
    const Vector norm = norms(p.x), scale = scales(p.x);
    const std::size_t n_groups = freedom().groups.size();
    by.assign(static_cast<std::size_t>(c.n) * n_bins_, 0.0);
    for (std::size_t d = 0; d < spectra_.size(); ++d) {
        const double f = factor(p.x, d);
        const auto add = [&](int coordinate, double times, std::size_t row) {
            double* const to = by.data() + static_cast<std::size_t>(coordinate) * n_bins_;
            const double* const from = p.rates.data() + row * n_bins_;
            for (std::size_t k = first_bin_[d]; k < first_bin_[d + 1]; ++k) to[k] += times * from[k];
        };
        for (std::size_t g = 0; g < n_groups; ++g) {
            if (static_cast<int>(g) < c.n_norms) add(c.first_norm() + static_cast<int>(g), f * norm[g], g);
            if (d > 0) add(c.first_factor() + static_cast<int>(d) - 1, f * norm[g], g);
        }
        for (std::size_t r = n_groups; r < rows_.size() && first == 0; ++r)
            add(rows_[r].shape, f * scale[rows_[r].shape] * norm[rows_[r].group], r);
    }
}

double Objective::profiled_norm(const Vector& x, std::span<const double> unit, double tolerance) const {
    const int at = coordinates_.first_norm();
    return spectral::profiled_norm(
        [&](double n) {
            scaled(unit, n);
            terms_.slopes(rates_, false, slopes_);
            return spectral::NormSlope{StatisticTerms::dot(slopes_.first, unit),
                                       StatisticTerms::triple(slopes_.second, unit, unit)};
        },
        std::exp(coordinates_.lo[at]), std::exp(coordinates_.hi[at]), std::exp(x[at]), tolerance);
}

void Objective::profile_one_norm(Point& p, double tolerance) const {
    const int at = coordinates_.first_norm();
    std::vector<double> unit(n_bins_);
    for (std::size_t d = 0; d < spectra_.size(); ++d) {
        const double f = factor(p.x, d);
        for (std::size_t k = first_bin_[d]; k < first_bin_[d + 1]; ++k) unit[k] = f * p.rates[k];
    }
    p.x[at] =
        std::clamp(std::log(profiled_norm(p.x, unit, tolerance)), coordinates_.lo[at], coordinates_.hi[at]);
}

void Objective::scaled(std::span<const double> unit, double norm) const {
    rates_.resize(n_bins_);
    for (std::size_t k = 0; k < n_bins_; ++k) rates_[k] = norm * unit[k];
}

Objective::SingleNorm Objective::single_norm(const Vector& x, std::span<const double> unit) const {
    constexpr double tolerance = 1e-3;  // a place to look from, not a result
    double counts = 0.0, expected = 0.0;
    for (std::size_t d = 0; d < spectra_.size(); ++d) {
        const FitData& data = *spectra_[d];
        for (std::size_t bin = 0; bin < data.n_bins(); ++bin) {
            const double tb = data.background_exposure[bin];
            counts += data.counts[bin] - (tb > 0.0 ? data.background[bin] * data.source_exposure / tb : 0.0);
            expected += data.source_exposure * unit[first_bin_[d] + bin];
        }
    }
    if (!(expected > 0.0)) return {0.0, std::numeric_limits<double>::infinity()};
    Vector from = x;
    from[coordinates_.first_norm()] = std::log(std::max(counts, 1.0) / expected);
    const double norm = profiled_norm(from, unit, tolerance);
    scaled(unit, norm);
    return {norm, terms_.value(rates_)};
}

Objective::NormFit Objective::fit_norm(std::span<const double> unit, double log_norm) const {
    require_time_left();
    constexpr int most_steps = 4;
    constexpr double farthest = 6e-2, enough = 5e-3;
    const int at = coordinates_.first_norm();
    const double lo = coordinates_.lo[at], hi = coordinates_.hi[at];
    log_norm = std::clamp(log_norm, lo, hi);
    for (int taken = 0;; ++taken) {
        scaled(unit, std::exp(log_norm));
        const double stat = terms_.value_and_slopes(rates_, slopes_),
                     slope = StatisticTerms::dot(slopes_.first, rates_),
                     square = StatisticTerms::triple(slopes_.second, rates_, rates_),
                     curvature = square + slope, step = -slope / curvature;
        if (taken > most_steps || (log_norm <= lo && slope >= 0.0) || (log_norm >= hi && slope <= 0.0))
            return {stat, log_norm, square};
        // The third derivative is the second when all counts are the source's, up to three times that where
        // the background outweighs it: what is left out here is a few tenths of `enough`.
        if (curvature > 0.0 && std::fabs(step) < farthest &&
            curvature * std::fabs(step * step * step) < enough)
            return {stat + 0.5 * slope * step + curvature * step * step * step / 6.0,
                    log_norm + step - 0.5 * step * step, square * (1.0 + step)};
        // steps down never overshoot: the slope by the norm's logarithm is convex
        if (taken < most_steps && curvature > 0.0 && step > -2.0 && step < 0.7) {
            log_norm = std::clamp(log_norm + step, lo, hi);
            continue;
        }
        // from far away, and where the statistic has kinks (bins without background counts): by a bracket
        taken = most_steps;
        Vector from{};
        from[at] = log_norm;
        log_norm = std::clamp(std::log(profiled_norm(from, unit, 1e-5)), lo, hi);
    }
}

/// Several norms: the statistic is convex in them. Newton steps within the limits, shortened where the slope
/// along the step has changed its sign by much; the expected curvature at first.
void Objective::profile_norms(Point& p, const Mask& held) const {
    const Coordinates& c = coordinates_;
    const int n = c.n_norms, first = c.first_norm();
    const std::size_t n_groups = freedom().groups.size();
    struct At {
        Vector slope{};
        Matrix observed{}, expected{};
    };
    // rates of the groups at norm 1, with the factors between spectra
    more_by_.assign(p.rates.begin(), p.rates.begin() + static_cast<std::ptrdiff_t>(n_groups * n_bins_));
    for (std::size_t d = 1; d < spectra_.size(); ++d) {
        const double f = factor(p.x, d);
        for (std::size_t g = 0; g < n_groups; ++g)
            for (std::size_t k = first_bin_[d]; k < first_bin_[d + 1]; ++k) more_by_[g * n_bins_ + k] *= f;
    }
    const auto unit = [&](int g) { return row(more_by_, static_cast<std::size_t>(g)); };
    const auto look = [&](const Vector& norm) {
        At at;
        rates_.assign(n_bins_, 0.0);
        for (std::size_t g = 0; g < n_groups; ++g)
            for (std::size_t k = 0; k < n_bins_; ++k) rates_[k] += norm[g] * more_by_[g * n_bins_ + k];
        terms_.slopes(rates_, true, slopes_);
        for (int i = 0; i < n; ++i) {
            at.slope[i] = StatisticTerms::dot(slopes_.first, unit(i));
            for (int j = 0; j <= i; ++j) {
                at.observed[i][j] = StatisticTerms::triple(slopes_.second, unit(i), unit(j));
                at.expected[i][j] = StatisticTerms::triple(slopes_.expected, unit(i), unit(j));
            }
        }
        for (int i = 0; i < n; ++i)
            for (int j = 0; j < i; ++j) {
                at.observed[j][i] = at.observed[i][j];
                at.expected[j][i] = at.expected[i][j];
            }
        return at;
    };
    Vector lo{}, hi{}, norm = norms(p.x);
    for (int i = 0; i < n; ++i) {
        lo[i] = std::exp(c.lo[first + i]);
        hi[i] = std::exp(c.hi[first + i]);
        norm[i] = std::clamp(norm[i], lo[i], hi[i]);
    }
    constexpr int most_steps = 60;
    constexpr double enough = 1e-11;  // of the statistic
    At at = look(norm);
    for (int step = 0; step < most_steps; ++step) {
        Mask free{};
        bool any = false;
        for (int i = 0; i < n; ++i) {
            free[i] = !held[first + i] && !(norm[i] <= lo[i] && at.slope[i] >= 0.0) &&
                      !(norm[i] >= hi[i] && at.slope[i] <= 0.0) && at.expected[i][i] > 0.0;
            any = any || free[i];
        }
        if (!any) break;
        Vector downhill{};
        for (int i = 0; i < n; ++i) downhill[i] = -at.slope[i];
        // near the minimum the observed curvature converges faster; its zero-count bins may leave it singular
        std::optional<Vector> move;
        if (step > 1) {
            Matrix blend = at.observed;
            for (int i = 0; i < n; ++i) blend[i][i] += 1e-9 * at.expected[i][i];
            move = solve(blend, downhill, free, n);
        }
        Matrix expected = at.expected;
        for (int i = 0; i < n; ++i) expected[i][i] *= 1.0 + 1e-9;
        if (!move) move = solve(expected, downhill, free, n);
        if (!move) break;
        double along = 0.0;
        for (int i = 0; i < n; ++i)
            if (free[i]) along += at.slope[i] * (*move)[i];
        if (!(along < -enough)) break;
        double length = 1.0;
        int stopped = -1;
        for (int i = 0; i < n; ++i) {
            if (!free[i]) continue;
            const double limit = (*move)[i] < 0.0 ? lo[i] : hi[i];
            if ((norm[i] + length * (*move)[i] - limit) * (*move)[i] > 0.0) {
                length = std::max(0.0, (limit - norm[i]) / (*move)[i]);
                stopped = i;
            }
        }
        Vector next = norm;
        At there;
        for (int cut = 0; cut < 40; ++cut) {
            for (int i = 0; i < n; ++i)
                if (free[i]) next[i] = std::clamp(norm[i] + length * (*move)[i], lo[i], hi[i]);
            if (stopped >= 0 && cut == 0) next[stopped] = (*move)[stopped] < 0.0 ? lo[stopped] : hi[stopped];
            there = look(next);
            double slope = 0.0;
            for (int i = 0; i < n; ++i)
                if (free[i]) slope += there.slope[i] * (*move)[i];
            if (slope <= -0.5 * along) break;  // not far beyond the lowest point of the line
            length *= std::clamp(along / (along - slope), 0.1, 0.7);
        }
        norm = next;
        at = there;
    }
    for (int i = 0; i < n; ++i)
        p.x[first + i] = std::clamp(std::log(norm[i]), c.lo[first + i], c.hi[first + i]);
}

void Objective::fold_rows(const Vector& x, std::size_t n_rows, bool derivatives, std::vector<double>& rates) {
    const std::vector<double> all = values(x);
    rates.resize(n_rows * n_bins_);
    for (std::size_t d = 0; d < spectra_.size(); ++d) {
        spectral::ModelEvaluator& model = evaluators_[d];
        model.evaluate(all, derivatives);
        const std::size_t n_energies = spectra_[d]->n_energies();
        const std::size_t width = FitData::padded(n_rows);
        photons_.assign(width * n_energies, 0.0);
        for (std::size_t r = 0; r < n_rows; ++r) {
            const std::span<const double> from =
                rows_[r].shape < 0 ? model.unit(rows_[r].group)
                                   : model.by_shape(rows_[r].group, static_cast<std::size_t>(rows_[r].shape));
            for (std::size_t i = 0; i < n_energies; ++i) photons_[i * width + r] = from[i];
        }
        spectra_[d]->fold(photons_, n_rows, rates.data() + first_bin_[d], n_bins_);
    }
}

void Objective::fold_groups(const Vector& x, std::vector<double>& rates) {
    fold_rows(x, freedom().groups.size(), false, rates);
}

void Objective::fold_places(std::span<const Vector> places, std::size_t spectrum,
                            std::vector<double>& rates) {
    const FitData& data = *spectra_[spectrum];
    rates.resize(places.size() * data.n_bins());
    spectral::ModelEvaluator& model = evaluators_[spectrum];
    const std::size_t width = FitData::padded(places.size());
    photons_.assign(width * data.n_energies(), 0.0);
    for (std::size_t r = 0; r < places.size(); ++r) {
        model.evaluate(values(places[r]), false);
        const std::span<const double> from = model.unit(0);
        for (std::size_t i = 0; i < data.n_energies(); ++i) photons_[i * width + r] = from[i];
    }
    data.fold(photons_, places.size(), rates.data(), data.n_bins());
}

void Objective::expand_rates(const Vector& x, std::span<const double> rates, std::vector<double>& slope,
                             std::vector<double>& curvature) const {
    rates_.assign(rates.begin(), rates.end());
    const auto multiply = [&](std::vector<double>& to, bool twice) {
        for (std::size_t d = 1; d < spectra_.size(); ++d) {
            const double f = factor(x, d), by = twice ? f * f : f;
            for (std::size_t k = first_bin_[d]; k < first_bin_[d + 1]; ++k) to[k] *= by;
        }
    };
    multiply(rates_, false);
    terms_.slopes(rates_, true, slopes_);
    slope = slopes_.first;
    curvature = slopes_.expected;
    multiply(slope, false);
    multiply(curvature, true);
}

void Objective::evaluate(const Vector& x, Point& p, const Mask& held) {
    p.x = x;
    fold_rows(x, rows_.size(), true, p.rates);
    profile(p, held, 1e-10);
}

void Objective::evaluate_linear(const Vector& x, Point& p) {
    p.x = x;
    fold_rows(x, freedom().groups.size(), false, p.rates);
    profile(p, {}, 1e-5);  // the statistic is good to the square of it
}

double Objective::statistic_at(const Vector& x, Point& p) {
    require_time_left();
    p.x = x;
    fold_rows(x, freedom().groups.size(), false, p.rates);
    return statistic(p);
}

void Objective::profile(Point& p, const Mask& held, double tolerance) const {
    require_time_left();
    int free_norms = 0;
    for (int i = coordinates_.first_norm(); i < coordinates_.n; ++i) free_norms += held[i] ? 0 : 1;
    if (free_norms == 1 && coordinates_.n_norms == 1 && frozen_norm_.empty())
        profile_one_norm(p, tolerance);
    else if (free_norms > 0)
        profile_norms(p, held);
    p.stat = statistic(p);
}

Expansion Objective::expand(const Point& p, int first) const {
    const int n = coordinates_.n;
    terms_.slopes(rates(p), true, slopes_);
    rate_derivatives(p, first, by_);
    const auto by = [&](int i) { return row(by_, static_cast<std::size_t>(i)); };
    Expansion e;
    for (int i = first; i < n; ++i) {
        e.slope[i] = StatisticTerms::dot(slopes_.first, by(i));
        for (int j = first; j <= i; ++j) {
            e.observed[i][j] = e.observed[j][i] = StatisticTerms::triple(slopes_.second, by(i), by(j));
            e.expected[i][j] = e.expected[j][i] = StatisticTerms::triple(slopes_.expected, by(i), by(j));
        }
    }
    return e;
}

Vector Objective::bending(const Point& from, const Point& to) const {
    terms_.slopes(rates(to), false, slopes_);
    rate_derivatives(from, 0, by_);
    rate_derivatives(to, 0, more_by_);
    for (std::size_t i = 0; i < by_.size(); ++i) more_by_[i] -= by_[i];
    Vector sum{};
    for (int i = 0; i < coordinates_.n; ++i)
        sum[i] = StatisticTerms::dot(slopes_.first, row(more_by_, static_cast<std::size_t>(i)));
    return sum;
}

Mask Objective::movable(const Vector& x, const Vector& slope) const {
    Mask free{};
    for (int i = 0; i < coordinates_.n; ++i)
        free[i] =
            !(coordinates_.at_lo(x, i) && slope[i] > 0.0) && !(coordinates_.at_hi(x, i) && slope[i] < 0.0);
    return free;
}

}  // namespace xsift::refine
