#include "objective.hpp"

#include <algorithm>
#include <cmath>

#include <xsift/core/step_limit.hpp>
#include <xsift/spectral/chi2.hpp>

namespace xsift::refine {

using spectral::ModelDefinition;
using spectral::ModelFreedom;

namespace {

/// Factors between instruments.
constexpr double lowest_factor = 0.05, highest_factor = 20.0;

/// Values of a parameter at which the table of its component is given; none for other parameters.
std::span<const double> tabulated_values(const ModelDefinition& model, int parameter) {
    for (const spectral::Component& c : model.components)
        if (c.table && parameter >= c.first_parameter && parameter < c.first_parameter + c.n_axes)
            return c.table->axes[static_cast<std::size_t>(parameter - c.first_parameter)].values;
    return {};
}

}  // namespace

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
    : spectra_(spectra.begin(), spectra.end()), model_(std::move(model)) {
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
        if (parameter >= 0)
            for (const double value : tabulated_values(*model_, parameter))
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

std::vector<double> Objective::values(const Vector& x) const {
    std::vector<double> out = model_->initial_values();
    const Coordinates& c = coordinates_;
    for (int i = 0; i < c.n; ++i)
        if (c.parameter[i] >= 0) out[static_cast<std::size_t>(c.parameter[i])] = c.value(x, i);
    model_->apply_ties(out);
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

template <typename Visit>
void Objective::for_each_bin(const Visit& visit) const {
    for (std::size_t d = 0; d < spectra_.size(); ++d)
        for (std::size_t bin = 0; bin < spectra_[d]->n_bins(); ++bin) visit(d, bin, first_bin_[d] + bin);
}

double Objective::rate(const Point& p, const Vector& norm, double factor, std::size_t k) const {
    double sum = 0.0;
    const std::size_t n_groups = freedom().groups.size();
    for (std::size_t g = 0; g < n_groups; ++g) sum += norm[g] * p.rates[g * n_bins_ + k];
    return factor * sum;
}

void Objective::rate_derivatives(const Point& p, const Vector& norm, const Vector& scale,
                                 std::size_t spectrum, std::size_t k, Vector& by, int first) const {
    const Coordinates& c = coordinates_;
    for (int i = 0; i < c.n; ++i) by[i] = 0.0;
    const double f = c.n_factors > 0 ? factor(p.x, spectrum) : 1.0;
    const std::size_t n_groups = freedom().groups.size();
    double total = 0.0;
    for (std::size_t g = 0; g < n_groups; ++g) {
        const double part = f * norm[g] * p.rates[g * n_bins_ + k];
        total += part;
        if (static_cast<int>(g) < c.n_norms) by[c.first_norm() + static_cast<int>(g)] = part;
    }
    for (std::size_t r = n_groups; r < rows_.size() && first == 0; ++r)
        by[rows_[r].shape] += f * scale[rows_[r].shape] * norm[rows_[r].group] * p.rates[r * n_bins_ + k];
    if (spectrum > 0) by[c.first_factor() + static_cast<int>(spectrum) - 1] = total;
}

void Objective::set_statistic(spectral::FitStatistic statistic) {
    using spectral::FitStatistic;
    statistic_ = statistic;
    variance_.clear();
    if (statistic == FitStatistic::poisson) return;
    /// Counts of a bin, or smoothed over it and its neighbours.
    const auto counts_of = [&](const std::vector<double>& counts, std::size_t bin) {
        if (statistic != FitStatistic::chi2_churazov) return counts[bin];
        const std::size_t first = bin == 0 ? 0 : bin - 1, last = std::min(bin + 1, counts.size() - 1);
        double sum = 0.0;
        for (std::size_t j = first; j <= last; ++j) sum += counts[j];
        return sum / static_cast<double>(last - first + 1);
    };
    const auto variance_of = [&](double counts) {
        return statistic == FitStatistic::chi2_gehrels ? spectral::gehrels_variance(counts) : counts;
    };
    for_each_bin([&](std::size_t d, std::size_t bin, std::size_t) {
        const FitData& data = *spectra_[d];
        const double ts = data.source_exposure, tb = data.background_exposure[bin];
        // the model's variance: what the background adds, expected in the source region and subtracted
        const double source = statistic == FitStatistic::chi2_model
                                  ? (tb > 0.0 ? data.background[bin] * ts / tb : 0.0)
                                  : variance_of(counts_of(data.counts, bin));
        variance_.push_back(
            spectral::net_variance(source, variance_of(counts_of(data.background, bin)), ts, tb));
    });
}

spectral::StatTerm Objective::chi2_term(const FitData& d, std::size_t bin, std::size_t k, double rate) const {
    const double net =
        spectral::net_counts(d.counts[bin], d.background[bin], d.source_exposure, d.background_exposure[bin]);
    return statistic_ == spectral::FitStatistic::chi2_model
               ? spectral::chi2_model_variance(net, variance_[k], d.source_exposure, rate)
               : spectral::chi2(net, variance_[k], d.source_exposure, rate);
}

double Objective::term(const FitData& d, std::size_t bin, std::size_t k, double rate) const {
    if (!variance_.empty()) return chi2_term(d, bin, k, rate).value;
    return spectral::bin_statistic(d.counts[bin], d.background[bin], d.source_exposure,
                                   d.background_exposure[bin], rate);
}

spectral::StatTerm Objective::derivatives(const FitData& d, std::size_t bin, std::size_t k,
                                          double rate) const {
    if (!variance_.empty()) return chi2_term(d, bin, k, rate);
    return d.background_exposure[bin] > 0.0
               ? spectral::wstat_derivatives(d.counts[bin], d.background[bin], d.source_exposure,
                                             d.background_exposure[bin], rate)
               : spectral::cstat_derivatives(d.counts[bin], d.source_exposure, rate);
}

double Objective::statistic(const Point& p) const {
    const Vector norm = norms(p.x);
    double stat = 0.0;
    for (std::size_t d = 0; d < spectra_.size(); ++d) {
        const FitData& data = *spectra_[d];
        const double f = factor(p.x, d);
        for (std::size_t bin = 0; bin < data.n_bins(); ++bin)
            stat += term(data, bin, first_bin_[d] + bin, rate(p, norm, f, first_bin_[d] + bin));
    }
    return stat;
}

double Objective::profiled_norm(const Vector& x, std::span<const double> unit, double tolerance) const {
    const int at = coordinates_.first_norm();
    return spectral::profiled_norm(
        [&](double n) {
            spectral::NormSlope sum;
            for_each_bin([&](std::size_t d, std::size_t bin, std::size_t k) {
                const spectral::StatTerm by =
                    derivatives(*spectra_[d], bin, k, std::fmax(n * unit[k], spectral::lowest_rate));
                sum.first += by.first * unit[k];
                sum.second += by.second * unit[k] * unit[k];
            });
            return sum;
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

Objective::SingleNorm Objective::single_norm(const Vector& x, std::span<const double> unit) const {
    constexpr double tolerance = 1e-3;  // a place to look from, not a result
    double counts = 0.0, expected = 0.0;
    for_each_bin([&](std::size_t d, std::size_t bin, std::size_t k) {
        const FitData& data = *spectra_[d];
        const double tb = data.background_exposure[bin];
        counts += data.counts[bin] - (tb > 0.0 ? data.background[bin] * data.source_exposure / tb : 0.0);
        expected += data.source_exposure * unit[k];
    });
    if (!(expected > 0.0)) return {0.0, std::numeric_limits<double>::infinity()};
    Vector from = x;
    from[coordinates_.first_norm()] = std::log(std::max(counts, 1.0) / expected);
    SingleNorm out{profiled_norm(from, unit, tolerance), 0.0};
    for_each_bin([&](std::size_t d, std::size_t bin, std::size_t k) {
        out.stat += term(*spectra_[d], bin, k, out.norm * unit[k]);
    });
    return out;
}

Objective::NormFit Objective::fit_norm(std::span<const double> unit, double log_norm) const {
    require_time_left();
    constexpr int most_steps = 4;
    constexpr double farthest = 1e-2, enough = 1e-5;
    const int at = coordinates_.first_norm();
    const double lo = coordinates_.lo[at], hi = coordinates_.hi[at];
    log_norm = std::clamp(log_norm, lo, hi);
    for (int taken = 0;; ++taken) {
        const double norm = std::exp(log_norm);
        double stat = 0.0;
        spectral::NormSlope sum;
        for_each_bin([&](std::size_t d, std::size_t bin, std::size_t k) {
            const double rate = std::fmax(norm * unit[k], spectral::lowest_rate);
            const spectral::StatTerm by = derivatives(*spectra_[d], bin, k, rate);
            stat += term(*spectra_[d], bin, k, rate);
            sum.first += by.first * unit[k];
            sum.second += by.second * unit[k] * unit[k];
        });
        const double slope = norm * sum.first, square = norm * norm * sum.second, curvature = square + slope,
                     step = -slope / curvature;
        if (taken > most_steps || (log_norm <= lo && slope >= 0.0) || (log_norm >= hi && slope <= 0.0))
            return {stat, log_norm, square};
        // what comes after the parabola in the series, whose third derivative is about the second
        if (curvature > 0.0 && std::fabs(step) < farthest &&
            curvature * std::fabs(step * step * step) < enough)
            return {stat + 0.5 * slope * step, log_norm + step, square * (1.0 + step)};
        if (taken < most_steps && curvature > 0.0 && std::fabs(step) < 0.5) {
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
    const auto look = [&](const Vector& norm) {
        At at;
        for (std::size_t d = 0; d < spectra_.size(); ++d) {
            const FitData& data = *spectra_[d];
            const double f = factor(p.x, d);
            for (std::size_t bin = 0; bin < data.n_bins(); ++bin) {
                const std::size_t k = first_bin_[d] + bin;
                double m = 0.0;
                for (std::size_t g = 0; g < n_groups; ++g) m += norm[g] * p.rates[g * n_bins_ + k];
                m = std::fmax(f * m, spectral::lowest_rate);
                const spectral::StatTerm term = derivatives(data, bin, k, m);
                const double mean = expected_curvature(data, bin, k, m);
                for (int i = 0; i < n; ++i) {
                    const double by = f * p.rates[static_cast<std::size_t>(i) * n_bins_ + k];
                    at.slope[i] += term.first * by;
                    for (int j = 0; j <= i; ++j) {
                        const double square = by * f * p.rates[static_cast<std::size_t>(j) * n_bins_ + k];
                        at.observed[i][j] += term.second * square;
                        at.expected[i][j] += mean * square;
                    }
                }
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

void Objective::fold_places(std::span<const Vector> places, std::vector<double>& rates) {
    rates.resize(places.size() * n_bins_);
    spectral::ModelEvaluator& model = evaluators_.front();
    const FitData& data = *spectra_.front();
    const std::size_t width = FitData::padded(places.size());
    photons_.assign(width * data.n_energies(), 0.0);
    for (std::size_t r = 0; r < places.size(); ++r) {
        model.evaluate(values(places[r]), false);
        const std::span<const double> from = model.unit(0);
        for (std::size_t i = 0; i < data.n_energies(); ++i) photons_[i * width + r] = from[i];
    }
    data.fold(photons_, places.size(), rates.data(), n_bins_);
}

void Objective::expand_rates(const Vector& x, std::span<const double> rates, std::vector<double>& slope,
                             std::vector<double>& curvature) const {
    slope.resize(n_bins_);
    curvature.resize(n_bins_);
    for_each_bin([&](std::size_t d, std::size_t bin, std::size_t k) {
        const double f = factor(x, d), m = std::fmax(f * rates[k], spectral::lowest_rate);
        slope[k] = f * derivatives(*spectra_[d], bin, k, m).first;
        curvature[k] = f * f * expected_curvature(*spectra_[d], bin, k, m);
    });
}

double Objective::expected_curvature(const FitData& d, std::size_t bin, std::size_t k, double rate) const {
    if (!variance_.empty()) return chi2_term(d, bin, k, rate).second;
    const double ts = d.source_exposure, tb = d.background_exposure[bin];
    if (!(tb > 0.0)) return 2.0 * ts / rate;
    return spectral::expected_curvature(
        ts, tb, rate, spectral::profiled_background(d.counts[bin], d.background[bin], ts, tb, rate));
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
    const Vector norm = norms(p.x), scale = scales(p.x);
    Expansion e;
    Vector by{};
    for_each_bin([&](std::size_t d, std::size_t bin, std::size_t k) {
        const FitData& data = *spectra_[d];
        const double m = std::fmax(rate(p, norm, factor(p.x, d), k), spectral::lowest_rate);
        const spectral::StatTerm term = derivatives(data, bin, k, m);
        const double mean = expected_curvature(data, bin, k, m);
        rate_derivatives(p, norm, scale, d, k, by, first);
        for (int i = first; i < n; ++i) {
            e.slope[i] += term.first * by[i];
            const double observed = term.second * by[i], expected = mean * by[i];
            for (int j = first; j <= i; ++j) {
                e.observed[i][j] += observed * by[j];
                e.expected[i][j] += expected * by[j];
            }
        }
    });
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < i; ++j) {
            e.observed[j][i] = e.observed[i][j];
            e.expected[j][i] = e.expected[i][j];
        }
    return e;
}

Vector Objective::bending(const Point& from, const Point& to) const {
    const Vector norm_from = norms(from.x), norm_to = norms(to.x), scale_from = scales(from.x),
                 scale_to = scales(to.x);
    Vector sum{}, before{}, after{};
    for_each_bin([&](std::size_t d, std::size_t bin, std::size_t k) {
        const double m = std::fmax(rate(to, norm_to, factor(to.x, d), k), spectral::lowest_rate);
        const double first = derivatives(*spectra_[d], bin, k, m).first;
        rate_derivatives(from, norm_from, scale_from, d, k, before);
        rate_derivatives(to, norm_to, scale_to, d, k, after);
        for (int i = 0; i < coordinates_.n; ++i) sum[i] += first * (after[i] - before[i]);
    });
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
