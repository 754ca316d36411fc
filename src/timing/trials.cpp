#include "few_photons.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <xsift/core/constants.hpp>
#include <xsift/timing/red_noise.hpp>
#include <xsift/timing/significance.hpp>
#include <xsift/timing/trials.hpp>
#include <xsift/timing/z2.hpp>

namespace xsift::timing {
namespace {

constexpr int most_harmonics = 20;

/// Bounds on Z2_m / 2 for m = 1 .. size; infinite where Z2_m is not asked for.
using Bounds = std::vector<double>;

/// Of each m: the probability that Z2_m is the first beyond its bound, and the density of Z2_m / 2 at its
/// bound while the ones before keep theirs. Both divided by exp(-y_m).
struct Crossing {
    std::vector<double> bound, first;
};

/// A bound holds for all smaller m too, since Z2_m only grows.
Crossing crossing(Bounds bound) {
    const int size = static_cast<int>(bound.size());
    for (int m = size - 2; m >= 0; --m)
        bound[static_cast<std::size_t>(m)] =
            std::min(bound[static_cast<std::size_t>(m)], bound[static_cast<std::size_t>(m) + 1]);
    Crossing result{bound, {}};
    // Volumes of n ordered events in [0, y] of which the m-th lies below y_m.
    std::vector<double> volume(static_cast<std::size_t>(size) + 1, 0.0), next;
    volume[0] = 1.0;
    double y = 0.0;
    for (int m = 0; m < size; ++m) {
        const double step = bound[static_cast<std::size_t>(m)] - y;
        y = bound[static_cast<std::size_t>(m)];
        next.assign(volume.size(), 0.0);
        for (int n = m; n < size; ++n) {
            double factor = 1.0;
            for (int more = 0; n + more < size; ++more) {
                next[static_cast<std::size_t>(n + more)] += volume[static_cast<std::size_t>(n)] * factor;
                factor *= step / (more + 1);
            }
        }
        result.first.push_back(next[static_cast<std::size_t>(m)]);
        next[static_cast<std::size_t>(m)] = 0.0;
        volume.swap(next);
    }
    return result;
}

/// Mean length of (k sqrt(B_k)) with B uniform on the simplex of `groups` times n harmonics: how fast Z2
/// changes with frequency, relative to one harmonic. To the second order in the variance of sum k^2 B_k.
double mean_rate(int n, int groups) {
    const double square = (n + 1.0) * (2.0 * n + 1.0) / 6.0;
    const double fourth = square * (3.0 * n * n + 3.0 * n - 1.0) / 5.0;
    const double variance = (fourth - square * square) / (n * groups + 1.0);
    return std::sqrt(square) * (1.0 - variance / (8.0 * square * square));
}

/// Expected crossings of a harmonic's level y in units of sqrt(y) times the density there.
double resolutions(const SearchExtent& extent) {
    return extent.bandwidth * std::sqrt(4.0 * constants::pi * extent.time_variance);
}

/// What of the expected crossings comes out as maxima of a search, by -log10 of the single-trial probability.
/// Less than all: multiples of a frequency share the powers of harmonics, so crossings of Z2_n (n > 1) and H
/// come in families; and maxima narrower than the grid are missed. From simulated searches of constant
/// sources of many photons (scripts/calibrate-trials: over 100 / T) and, at oversampling 4, from those of
/// scripts/validate-nulls (300 / T).
constexpr std::array<double, 5> share_exponent{2.75, 3.5, 4.35, 5.35, 6.35};
constexpr std::array<double, 4> share_oversampling{1.0, 2.0, 4.0, 8.0};
struct FoundShare {
    int harmonics;  ///< of Z2; 0: H
    std::array<std::array<double, 5>, 4> of_oversampling;
};
constexpr std::array<FoundShare, 4> found_shares{{
    {1, {{{0.97, 0.98, 0.98, 0.98, 0.98}, {1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}}}},
    {2,
     {{{0.69, 0.70, 0.70, 0.73, 0.75},
       {0.82, 0.85, 0.88, 0.94, 0.96},
       {0.85, 0.875, 0.90, 0.97, 1.00},
       {0.85, 0.875, 0.90, 0.97, 1.00}}}},
    {4,
     {{{0.53, 0.58, 0.62, 0.70, 0.72},
       {0.64, 0.70, 0.77, 0.87, 0.90},
       {0.76, 0.81, 0.86, 0.94, 0.98},
       {0.77, 0.82, 0.87, 0.96, 1.00}}}},
    {0,
     {{{0.26, 0.27, 0.29, 0.36, 0.41},
       {0.47, 0.49, 0.49, 0.62, 0.70},
       {0.60, 0.62, 0.612, 0.80, 0.90},
       {0.73, 0.76, 0.77, 0.94, 1.00}}}},
}};

/// Linear in the exponent and in the logarithm of the oversampling, constant beyond the table.
double of_table(const FoundShare& row, double exponent, double oversampling) {
    const auto place = [](const auto& at, double x) {
        std::size_t i = 0;
        while (i + 2 < at.size() && x > at[i + 1]) ++i;
        return std::pair(i, std::clamp((x - at[i]) / (at[i + 1] - at[i]), 0.0, 1.0));
    };
    std::array<double, share_oversampling.size()> log_oversampling{};
    for (std::size_t i = 0; i < log_oversampling.size(); ++i)
        log_oversampling[i] = std::log(share_oversampling[i]);
    const auto [i, x] = place(share_exponent, exponent);
    const auto [j, y] = place(log_oversampling, std::log(oversampling));
    const auto at = [&, i = i, x = x](std::size_t o) {
        return (1.0 - x) * row.of_oversampling[o][i] + x * row.of_oversampling[o][i + 1];
    };
    return (1.0 - y) * at(j) + y * at(j + 1);
}

/// Of H: maxima that a trial shows only in part are lost among more trials. Relative to a search of 300/T,
/// from those of 100, 300 and 5000/T (scripts/validate-nulls); wider ones are taken to lose no more.
double share_of_width(const SearchExtent& extent) {
    return std::clamp(1.0 - 0.107 * std::log(resolutions(extent) / 300.0), 0.7, 1.08);
}

/// The share for Z2_n (0: H) at a single-trial probability; beyond four harmonics that of H where it is less.
double found_share(int harmonics, double log_p, const SearchExtent& extent) {
    if (!std::isfinite(extent.oversampling)) return 1.0;
    const double exponent = -log_p / constants::ln10;
    if (harmonics == 0)
        return of_table(found_shares.back(), exponent, extent.oversampling) * share_of_width(extent);
    std::size_t i = 0;
    while (i + 3 < found_shares.size() && found_shares[i + 1].harmonics < harmonics) ++i;
    const FoundShare &low = found_shares[i], &high = found_shares[i + 1];
    const double x = std::clamp(
        static_cast<double>(harmonics - low.harmonics) / (high.harmonics - low.harmonics), 0.0, 1.0);
    return (1.0 - x) * of_table(low, exponent, extent.oversampling) +
           x * of_table(high, exponent, extent.oversampling);
}

double log_power_over_factorial(double y, int n) {
    return n == 0 ? 0.0 : n * std::log(y) - std::lgamma(n + 1.0);
}

/// For each m: the probability that bounds which continue from the one at m are kept.
std::vector<double> kept_behind(const Bounds& bound) {
    std::vector<double> kept;
    for (std::size_t m = 0; m < bound.size(); ++m) {
        Bounds rest;
        for (std::size_t j = m + 1; j < bound.size(); ++j) rest.push_back(std::max(bound[j] - bound[m], 0.0));
        const Crossing later = crossing(rest);
        double lost = 0.0;
        for (std::size_t j = 0; j < rest.size(); ++j) lost += later.first[j] * std::exp(-later.bound[j]);
        kept.push_back(std::max(0.0, 1.0 - lost));
    }
    return kept;
}

/// H: neighbouring bounds are 2 apart, so what is kept behind depends on the number of harmonics left alone.
double kept_behind_h(int left) {
    static const std::array<double, most_harmonics> table = [] {
        std::array<double, most_harmonics> made{};
        Bounds bound;
        for (int m = 0; m < most_harmonics; ++m) bound.push_back(2.0 * m);
        const std::vector<double> kept = kept_behind(bound);
        for (int m = 0; m < most_harmonics; ++m)
            made[static_cast<std::size_t>(most_harmonics - 1 - m)] = kept[static_cast<std::size_t>(m)];
        return made;
    }();
    return table[static_cast<std::size_t>(std::clamp(left, 0, most_harmonics - 1))];
}

Bounds h_bounds(double h, int harmonics) {
    Bounds bound;
    for (int m = 0; m < harmonics; ++m) bound.push_back(0.5 * h + 2.0 * m);
    return bound;
}

/// ln of 1 - (1 - p) exp(-tau) from ln p and ln tau.
double log_either(double log_p, double log_tau) {
    if (log_p < -600.0 && log_tau < -600.0) {
        const double high = std::max(log_p, log_tau);
        return high + std::log1p(std::exp(std::min(log_p, log_tau) - high));
    }
    const double p = std::min(std::exp(log_p), 1.0 - 1e-15);
    return std::log(-std::expm1(std::log1p(-p) - std::exp(std::min(log_tau, 700.0))));
}

/// N with 1 - (1 - p)^N = fap.
double trials_of(double log_fap, double log_p) {
    if (log_p < -600.0) return std::exp(log_fap - log_p);
    const double p = std::min(std::exp(log_p), 1.0 - 1e-15), fap = std::min(std::exp(log_fap), 1.0 - 1e-15);
    return std::max(1.0, std::log1p(-fap) / std::log1p(-p));
}

/// ln of a single-trial probability and of the expected crossings a unit of resolutions().
struct LogRates {
    double p = 0.0, tau = 0.0;
};

/// Of H, without the factor exp(-h/2).
LogRates h_rates(double h, int harmonics) {
    const Crossing c = crossing(h_bounds(h, harmonics));
    double p = 0.0, tau = 0.0;
    for (int m = 0; m < harmonics; ++m) {
        const double y = c.bound[static_cast<std::size_t>(m)];
        const double q = c.first[static_cast<std::size_t>(m)] * std::exp(-2.0 * m);
        p += q;
        tau += q * std::sqrt(y) * mean_rate(m + 1, 1) * kept_behind_h(harmonics - 1 - m);
    }
    return {std::log(p), std::log(tau)};
}

/// From here on exp(-0.4 h) is above it for any number of harmonics.
constexpr double highest_exact_h = 90.0;

/// Nodes of the integral over an unknown level, in its standard deviations.
constexpr double gamma_step = 0.25, gamma_reach = 6.0;

/// The same, of 20 harmonics from a table: every peak of every source asks for it. Cubic between the values,
/// to 1e-6.
LogRates tabulated_h_rates(double h, int harmonics) {
    constexpr double lowest = 6.0, highest = 90.0;  // step 1
    if (!(h >= lowest && h < highest) || harmonics != most_harmonics) return h_rates(h, harmonics);
    static const std::vector<LogRates> table = [] {
        std::vector<LogRates> made;
        for (double at = lowest - 1.0; at < highest + 2.5; at += 1.0)
            made.push_back(h_rates(at, most_harmonics));
        return made;
    }();
    const double whole = std::floor(h), x = h - whole;
    const LogRates* v = table.data() + static_cast<std::ptrdiff_t>(whole - lowest);  // at -1, 0, 1, 2
    const double a = -x * (x - 1.0) * (x - 2.0) / 6.0, b = (x * x - 1.0) * (x - 2.0) / 2.0,
                 c = -x * (x + 1.0) * (x - 2.0) / 2.0, d = x * (x * x - 1.0) / 6.0;
    return {a * v[0].p + b * v[1].p + c * v[2].p + d * v[3].p,
            a * v[0].tau + b * v[1].tau + c * v[2].tau + d * v[3].tau};
}

/// Photons times what the crossings of one harmonic exceed by what follows from its tail (simulated with 20
/// and 50 photons, scripts/validate-nulls).
constexpr double crossings_of_few = 2.6;

/// log10 of the single-trial probability of H from its exact one in the limit of many photons.
double log10_h_of_few(double h, double log10_exact, double photons) {
    return of_few_photons(std::min(0.0, std::max(log10_exact, log10_h_survival(h))), 0, photons);
}

/// ln of the single-trial probability in the limit of many photons, and of the expected crossings of H.
LogRates log_h(double h, int harmonics, const SearchExtent& extent) {
    const LogRates rates = tabulated_h_rates(h, harmonics);
    const double p = rates.p - 0.5 * h, share = found_share(harmonics == 1 ? 1 : 0, p, extent);
    double tau = rates.tau - 0.5 * h + std::log(resolutions(extent) * share);
    if (harmonics > 1)
        tau += constants::ln10 *
               few_crossings(log10_h_of_few(h, p / constants::ln10, extent.photons), extent.photons);
    return {p, tau};
}

/// The value of a statistic with a false-alarm probability in a search.
double threshold(const Statistic& statistic, double log10_fap, const SearchExtent& extent) {
    const auto fap = [&](double x) { return log10_found_by_chance(statistic, x, extent); };
    // log10 of the probability falls nearly in proportion to the value.
    double x = 40.0, value = fap(x), slope = -0.2;
    for (int i = 0; i < 30 && std::fabs(value - log10_fap) > 1e-6; ++i) {
        const double next = std::max(x + std::clamp((log10_fap - value) / slope, -0.5 * x, x + 20.0), 0.1);
        const double there = fap(next);
        if ((there < value) == (next > x) && next != x) slope = (there - value) / (next - x);
        x = next;
        value = there;
    }
    return x;
}

}  // namespace

double time_variance(const EventList& events) {
    double weight = 0.0, first = 0.0, second = 0.0;
    // Times from the middle, so that nothing cancels.
    const bool gti = events.gti.size() > 0;
    if (!gti && events.time.empty()) return 0.0;
    const double middle = gti ? 0.5 * (events.gti.start.front() + events.gti.stop.back())
                              : 0.5 * (events.time.front() + events.time.back());
    for (std::size_t i = 0; i < events.gti.size(); ++i) {
        const double a = events.gti.start[i] - middle, b = events.gti.stop[i] - middle;
        weight += b - a;
        first += 0.5 * (b * b - a * a);
        second += (b * b * b - a * a * a) / 3.0;
    }
    if (!gti)
        for (const double t : events.time) {
            weight += 1.0;
            first += t - middle;
            second += (t - middle) * (t - middle);
        }
    if (!(weight > 0.0)) return 0.0;
    first /= weight;
    return std::max(0.0, second / weight - first * first);
}

SearchExtent search_extent(const EventList& events, const FrequencyGrid& grid) {
    SearchExtent extent;
    extent.bandwidth = static_cast<double>(grid.count) * grid.df;
    extent.time_variance = time_variance(events);
    extent.photons = static_cast<double>(events.size());
    extent.oversampling = grid_oversampling(grid, time_span(events));
    if (!events.weight.empty()) {
        double sum = 0.0, squares = 0.0;
        for (const float w : events.weight) {
            sum += static_cast<double>(w);
            squares += static_cast<double>(w) * static_cast<double>(w);
        }
        if (squares > 0.0) extent.photons = sum * sum / squares;
    }
    return extent;
}

double log10_z2_single(double z2, int n, const SearchExtent& extent) {
    if (n * extent.groups == 1) return std::min(0.0, log10_rayleigh(z2, extent.photons));
    return of_few_photons(log10_chi2_survival(z2, n * extent.groups), std::max(n, 2), extent.photons);
}

double log10_h_single(double h, int harmonics, const SearchExtent& extent) {
    if (!(h > 0.0)) return 0.0;
    if (harmonics == 1) return log10_z2_single(h, 1, extent);
    const double exact = h < highest_exact_h ? log_h(h, harmonics, extent).p / constants::ln10 : -INFINITY;
    return log10_h_of_few(h, exact, extent.photons);
}

double log10_z2_single_local(double z2, int n, double powers, const SearchExtent& extent) {
    const double of_few = log10_z2_single(z2, n, extent) - log10_chi2_survival(z2, n * extent.groups);
    return std::min(0.0, log10_chi2_survival_local(z2, n * extent.groups, powers) + of_few);
}

double log10_h_single_local(std::span<const double> power, double powers, const SearchExtent& extent) {
    HTest<double> known;
    for (const double p : power) known.add(p);
    if (!(known.h > 0.0)) return 0.0;
    // g is the estimated level over the true one: its density in ln g is k^k / Gamma(k) (g exp(-g))^k, and
    // the integrand has its maximum between the mean of g and where g y is as improbable.
    const double k = powers, y = 0.5 * known.z2, width = 1.0 / std::sqrt(k), step = gamma_step * width,
                 norm = k * std::log(k) - std::lgamma(k) + std::log(step);
    const double low = -std::log1p(y / k) - gamma_reach * width, high = gamma_reach * width;
    double sum = 0.0, most = -INFINITY;
    for (double u = low; u <= high; u += step) {
        const double g = std::exp(u);
        HTest<double> scaled;
        for (const double p : power) scaled.add(g * p);
        const double log = norm + k * (u - g) + constants::ln10 * log10_h_single(scaled.h, scaled.m, extent);
        if (log > most) sum *= std::exp(most - log);
        most = std::max(most, log);
        sum += std::exp(log - most);
    }
    return std::min(0.0, (most + std::log(sum)) / constants::ln10);
}

double z2_trials(double z2, int n, const SearchExtent& extent) {
    if (!(z2 > 0.0)) return 1.0;
    const double y = 0.5 * z2;
    const double log_p = log10_chi2_survival(z2, n * extent.groups) * constants::ln10;
    double rate = resolutions(extent) * mean_rate(n, extent.groups) * found_share(n, log_p, extent);
    if (n * extent.groups == 1) rate *= 1.0 + crossings_of_few / extent.photons;
    const double log_tau =
        std::log(rate) + 0.5 * std::log(y) - y + log_power_over_factorial(y, n * extent.groups - 1);
    return trials_of(log_either(log_p, log_tau), log_p);
}

double h_trials(double h, int harmonics, const SearchExtent& extent) {
    if (!(h > 0.0)) return 1.0;
    const LogRates rates = log_h(h, harmonics, extent);
    return trials_of(log_either(rates.p, rates.tau), rates.p);
}

double log10_single(const Statistic& statistic, double value, const SearchExtent& extent) {
    return statistic.kind == Statistic::Kind::h ? log10_h_single(value, statistic.harmonics, extent)
                                                : log10_z2_single(value, statistic.harmonics, extent);
}

double effective_trials(const Statistic& statistic, double value, const SearchExtent& extent) {
    return statistic.kind == Statistic::Kind::h ? h_trials(value, statistic.harmonics, extent)
                                                : z2_trials(value, statistic.harmonics, extent);
}

double log10_found_by_chance(const Statistic& statistic, double value, const SearchExtent& extent) {
    return log10_false_alarm(log10_single(statistic, value, extent),
                             effective_trials(statistic, value, extent));
}

double effective_statistics(std::span<const Statistic> statistics, double log10_fap,
                            const SearchExtent& given) {
    SearchExtent extent = given;
    extent.photons = INFINITY;  // how the statistics are related hardly depends on it
    Bounds bound;
    std::vector<double> share;  // of each bound's crossings; 0: not asked for
    double others = 0.0;
    for (const Statistic& s : statistics) {
        const bool is_h = s.kind == Statistic::Kind::h;
        if (!is_h && s.kind != Statistic::Kind::z2) {
            others += 1.0;
            continue;
        }
        const double x = threshold(s, log10_fap, extent);
        bound.resize(std::max(bound.size(), static_cast<std::size_t>(s.harmonics)), INFINITY);
        share.resize(bound.size(), 0.0);
        const double log_p = constants::ln10 * (is_h ? log10_h_single(x, s.harmonics, extent)
                                                     : log10_z2_single(x, s.harmonics, extent));
        const double found = found_share(is_h ? 0 : s.harmonics, log_p, extent);
        for (int m = is_h ? 1 : s.harmonics; m <= s.harmonics; ++m) {
            const auto i = static_cast<std::size_t>(m - 1);
            bound[i] = std::min(bound[i], 0.5 * x + (is_h ? 2.0 * (m - 1) : 0.0));
            share[i] = std::max(share[i], found);
        }
    }
    if (bound.empty()) return others;
    const Crossing c = crossing(bound);
    const std::vector<double> kept = kept_behind(c.bound);
    double p = 0.0, tau = 0.0;
    for (std::size_t m = 0; m < bound.size(); ++m) {
        const double y = c.bound[m], q = c.first[m] * std::exp(-y);
        p += q;
        // Where a later bound is the same, this one is none of its own.
        if (share[m] > 0.0 && (m + 1 == bound.size() || c.bound[m] < c.bound[m + 1]))
            tau += q * std::sqrt(y) * mean_rate(static_cast<int>(m) + 1, extent.groups) * kept[m] * share[m];
    }
    const double fap = -std::expm1(std::log1p(-std::min(p, 0.5)) - tau * resolutions(extent));
    const double one = std::pow(10.0, log10_fap);
    return others + std::max(1.0, std::log1p(-fap) / std::log1p(-one));
}

}  // namespace xsift::timing
