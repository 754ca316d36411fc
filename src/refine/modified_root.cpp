#include "modified_root.hpp"

#include "covariance.hpp"
#include "descent.hpp"

#include <algorithm>
#include <cmath>

#include <xsift/spectral/statistics.hpp>

namespace xsift::refine {

namespace {

/// Nearer to the best fit than this a root is too small to divide by.
constexpr double smallest_root = 0.1;
/// Half of the width over which curvatures of the statistic are differences of its slope, in standard
/// deviations with all else held.
constexpr double smooth_step = 0.1, kinked_step = 1.0;
/// The same of derivatives of a tabulated model. Between its values a table is linear, and fits like to end
/// at one of them, where it has two derivatives: what counts is its course over the width of the error.
constexpr double table_step = 2.0;

/// Calls with (spectrum, its bin, bin of all).
template <typename Function>
void for_bins(std::span<const FitInput> spectra, const Function& function) {
    std::size_t at = 0;
    for (const FitInput& s : spectra)
        for (std::size_t k = 0; k < s.prepared->n_bins(); ++k) function(*s.prepared, k, at++);
}

double background_counts(const spectral::PreparedSpectrum& s, std::size_t bin) {
    return s.has_background() ? s.background_counts[bin] : 0.0;
}

}  // namespace

ModifiedRoot::ModifiedRoot(std::span<const FitInput> spectra, Objective& objective,
                           spectral::Abundance abundance, const Point& best)
    : objective_(objective),
      best_(best),
      n_(objective.coordinates().n),
      spectra_(spectra),
      slopes_(spectra, std::make_shared<const spectral::ModelDefinition>(objective.model()), abundance,
              objective.coordinates()),
      there_(objective.make_point()),
      scratch_(objective.make_point()),
      more_scratch_(objective.make_point()),
      spare_(objective.make_point()) {
    const Coordinates& c = objective.coordinates();
    for (int i = 0; i < n_; ++i) {
        known_[i] = c.at_lo(best.x, i) || c.at_hi(best.x, i);
        counted_[i] = !known_[i];
    }
    slope_step_ = c.kinked() ? kinked_step : smooth_step;
    const Expansion around = objective.expand(best);
    for (int i = 0; i < c.n_shape; ++i)
        if (!c.kinks[static_cast<std::size_t>(i)].empty())
            kink_step_[i] = table_step * std::sqrt(2.0 / around.expected[i][i]);
    at_best_ = bins(best.x);
    const Matrix observed = information(best, counted_);
    double determinant = 0.0;
    for (int i = 0; i < n_; ++i) {
        if (!counted_[i]) continue;
        Vector unit{};
        unit[i] = 1.0;
        const Elimination solved = eliminate(observed, unit, counted_, n_);
        inverse_[i] = solved.x;
        determinant = solved.determinant;
        if (!(determinant > 0.0) || !(solved.x[i] > 0.0)) return;
    }
    const double expected = eliminate(score_covariance(at_best_, nullptr), {}, counted_, n_).determinant;
    regular_ = determinant > 0.0 && expected > 0.0;
    log_scale_ = 0.5 * std::log(determinant) - std::log(expected);
}

/// Without backgrounds, and with derivatives by the parameters.
ModifiedRoot::Bins ModifiedRoot::rates(const Vector& x) {
    const std::vector<double> values = objective_.fitted_values(x);
    Bins out;
    for (std::size_t d = 0; d < spectra_.size(); ++d) {
        const RateSlopes::Slopes of = slopes_.at(d, values);
        out.rate.insert(out.rate.end(), of.rate.begin(), of.rate.end());
        out.by.insert(out.by.end(), of.by.begin(), of.by.end());
    }
    return out;
}

ModifiedRoot::Bins ModifiedRoot::bins(const Vector& x) {
    const Coordinates& c = objective_.coordinates();
    Bins out = rates(x);
    for (int i = 0; i < n_; ++i) {
        const double scale = c.scale(x, i);
        for (Vector& by : out.by) by[i] *= scale;
    }
    for (int i = 0; i < c.n_shape; ++i) {
        if (kink_step_[i] == 0.0) continue;
        Vector above = x, below = x;
        above[i] += kink_step_[i];
        below[i] -= kink_step_[i];
        above = c.clipped(above);
        below = c.clipped(below);
        const Bins up = rates(above), down = rates(below);
        for (std::size_t k = 0; k < out.by.size(); ++k)
            out.by[k][i] = (up.rate[k] - down.rate[k]) / (above[i] - below[i]);
    }
    out.background.resize(out.rate.size());
    for_bins(spectra_, [&](const spectral::PreparedSpectrum& s, std::size_t k, std::size_t at) {
        const double counts = background_counts(s, k);
        if (counts > 0.0)
            out.background[at] = spectral::profiled_background(s.counts[k], counts, s.source_exposure,
                                                               s.background_exposure_of(k), out.rate[at]);
    });
    return out;
}

Matrix ModifiedRoot::score_covariance(const Bins& there, Vector* q) const {
    Matrix sum{};
    for_bins(spectra_, [&](const spectral::PreparedSpectrum& s, std::size_t k, std::size_t at) {
        const double ts = s.source_exposure, total = there.rate[at] + there.background[at];
        const double source = ts / total;
        const double of_source = ts * std::log((at_best_.rate[at] + at_best_.background[at]) / total);
        double weight = source, difference = of_source;
        // without background counts the rate of the background is taken as known: 0
        if (background_counts(s, k) > 0.0) {
            const double tb = s.background_exposure_of(k), back = tb / there.background[at];
            const double of_back = tb * std::log(at_best_.background[at] / there.background[at]);
            weight = source * back / (source + back);
            difference = (back * of_source - source * of_back) / (source + back);
        }
        const Vector &by = at_best_.by[at], &by_there = there.by[at];
        for (int i = 0; i < n_; ++i) {
            for (int j = 0; j < n_; ++j) sum[i][j] += weight * by[i] * by_there[j];
            if (q) (*q)[i] += difference * by[i];
        }
    });
    return sum;
}

double ModifiedRoot::background_share(const Bins& there) const {
    double sum = 0.0;
    for_bins(spectra_, [&](const spectral::PreparedSpectrum& s, std::size_t k, std::size_t at) {
        const double counts = background_counts(s, k);
        if (!(counts > 0.0)) return;
        const auto of = [&](const Bins& b) {
            const double total = b.rate[at] + b.background[at];
            const double observed =
                s.counts[k] / (total * total) + counts / (b.background[at] * b.background[at]);
            const double expected =
                s.source_exposure / total + s.background_exposure_of(k) / b.background[at];
            return 0.5 * std::log(observed) - std::log(expected);
        };
        sum += of(at_best_) - of(there);
    });
    return sum;
}

Matrix ModifiedRoot::information(const Point& p, const Mask& wanted) {
    Matrix half =
        observed_curvature(objective_, p, objective_.expand(p), wanted, scratch_, more_scratch_, slope_step_);
    for (Vector& row : half)
        for (double& value : row) value *= 0.5;
    return half;
}

std::optional<ModifiedRoot::Root> ModifiedRoot::at(int i, double value) {
    if (!regular_ || known_[i]) return std::nullopt;
    const Coordinates& c = objective_.coordinates();
    Mask held = known_;
    held[i] = true;
    Vector x = best_.x;
    for (int k = 0; k < n_; ++k) x[k] += inverse_[i][k] / inverse_[i][i] * (value - best_.x[i]);
    x[i] = value;
    objective_.evaluate(c.clipped(x), there_, held);
    descend_between_kinks(objective_, there_, scratch_, spare_, false, held);
    const double rise = there_.stat - best_.stat;
    if (!(rise > smallest_root * smallest_root)) return std::nullopt;
    const double r = std::copysign(std::sqrt(rise), best_.x[i] - value);
    const Bins there = bins(there_.x);
    Vector q{};
    const Matrix scores = score_covariance(there, &q);
    const Elimination solved = eliminate(scores, q, counted_, n_);
    Mask rest = counted_;
    rest[i] = false;
    const double other = eliminate(information(there_, rest), {}, rest, n_).determinant;
    const double ratio = solved.x[i] / r;
    if (!(solved.determinant > 0.0) || !(other > 0.0) || !(ratio > 0.0)) return std::nullopt;
    const double log_ratio = std::log(ratio) + log_scale_ + std::log(solved.determinant) -
                             0.5 * std::log(other) + background_share(there);
    return Root{r, r + log_ratio / r};
}

double ModifiedRoot::median_unbiased(int i) {
    constexpr double step_in_sigma = 0.8;
    if (known_[i]) return best_.x[i];
    if (!regular_) return not_measured;
    const Coordinates& c = objective_.coordinates();
    const double best = best_.x[i], step = step_in_sigma * std::sqrt(inverse_[i][i]);
    const double below_at = std::max(best - step, c.lo[i]), above_at = std::min(best + step, c.hi[i]);
    const auto below = at(i, below_at), above = at(i, above_at);
    if (!below && !above) return not_measured;
    // ln(u / r) is a straight line in r but for terms of the order 1/counts, so r* = 0 where r is minus its
    // slope. It goes through 0, but where a table's model has kinks only nearly: two sides do not feel that.
    const auto logarithm = [](const Root& root) { return (root.modified - root.r) * root.r; };
    const double wanted = below && above
                              ? -(logarithm(*below) - logarithm(*above)) / (below->r - above->r)
                              : -logarithm(below ? *below : *above) / (below ? below->r : above->r);
    const bool downward = wanted > 0.0 ? below.has_value() : !above.has_value();
    const double value = downward ? below_at : above_at, r = downward ? below->r : above->r;
    return std::clamp(best + wanted / r * (value - best), c.lo[i], c.hi[i]);
}

std::vector<double> median_unbiased(std::span<const FitInput> spectra, Objective& objective,
                                    spectral::Abundance abundance, const Point& best) {
    constexpr double lowest_column = -1.0;  // 1e22 cm^-2
    const Coordinates all = objective.coordinates();
    const spectral::ModelFreedom& freedom = objective.freedom();
    if (freedom.groups.size() != 1 || all.n_norms != 1) return {};
    Point open = best;
    bool cut_off = false;
    for (int i = 0; i < all.n_shape; ++i) {
        const auto parameter = static_cast<std::size_t>(all.parameter[i]);
        if (objective.model().parameters[parameter].name != "nH" || all.lo[i] != 0.0) continue;
        objective.set_limits(i, lowest_column, all.hi[i]);
        cut_off = cut_off || all.at_lo(best.x, i);
    }
    if (cut_off) {
        Point trial = objective.make_point(), spare = objective.make_point();
        descend_between_kinks(objective, open, trial, spare, false);
    }
    std::vector<double> out;
    {
        ModifiedRoot root(spectra, objective, abundance, open);
        for (int i = 0; i < all.n; ++i) {
            const double found = root.median_unbiased(i);
            out.push_back(std::isnan(found) ? found : std::clamp(found, all.lo[i], all.hi[i]));
        }
    }
    for (int i = 0; i < all.n; ++i) objective.set_limits(i, all.lo[i], all.hi[i]);
    return out;
}

}  // namespace xsift::refine
