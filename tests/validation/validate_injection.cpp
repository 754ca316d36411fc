// Injection and recovery of sinusoidal pulsations through search, polishing, pulsed fractions and upper
// limits.
//
//   validate_injection REALISATIONS [FOLDER [FRACTION...]]
//
// FRACTION: only these, none drifting. Writes a Markdown table to stdout (and with FOLDER the plots as SVG
// there). Exit status 1 when a figure is further from its theory than the stated tolerance plus three
// standard deviations of this number of realisations.

#include "write_plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/refine/composite_periods.hpp>
#include <xsift/refine/limits.hpp>
#include <xsift/refine/periods.hpp>
#include <xsift/timing/noncentral_chi2.hpp>
#include <xsift/timing/significance.hpp>

namespace {

using namespace xsift;

constexpr double span = 4e4, lowest = 0.002, highest = 0.04;
constexpr std::size_t photons = 500;
const std::vector<double> start{0.0, 11'000.0, 26'500.0}, stop{10'000.0, 26'000.0, span};

/// What is wanted of the figures, beyond what chance allows.
constexpr double efficiency_tolerance = 0.03, fraction_tolerance = 0.02, coverage_tolerance = 0.02;
/// Of the random numbers.
constexpr std::uint64_t seed = 1'000'000'000;
/// P(|g| < 1) of a Gaussian.
constexpr double one_sigma = 0.6827;

/// Photons of 1 + a cos(2 pi (f t + fdot t^2 / 2) + phase).
EventList draw(double frequency, double fdot, double fraction, RandomStream& random) {
    EventList events;
    events.exposure.file = "injected";
    events.exposure.time_system = "TDB";
    events.exposure.time_reference = "SOLARSYSTEM";
    events.gti = {start, stop};
    const double phase = random.uniform();
    while (events.time.size() < photons) {
        const double t = span * random.uniform();
        bool good = false;
        for (std::size_t i = 0; i < start.size(); ++i) good = good || (t >= start[i] && t < stop[i]);
        if (good &&
            random.uniform() * (1 + fraction) <
                1 + fraction * std::cos(constants::two_pi * ((frequency + 0.5 * fdot * t) * t + phase)))
            events.time.push_back(t);
    }
    std::sort(events.time.begin(), events.time.end());
    return events;
}

/// P(Z > threshold): noncentral chi2 with 2 degrees of freedom, and with one more (central) for the maximum
/// over frequency.
double power_of_statistic(double threshold, double lambda, bool maximised) {
    if (!maximised) return timing::noncentral_chi2_survival(threshold, 1, lambda);
    constexpr int steps = 400;
    double sum = 0.0;
    for (int i = 0; i < steps; ++i) {  // u = g^2, g normal: midpoints in g from 0 to 6
        const double g = 6.0 * (i + 0.5) / steps;
        sum += std::sqrt(2.0 / constants::pi) * std::exp(-0.5 * g * g) * 6.0 / steps *
               timing::noncentral_chi2_survival(threshold - g * g, 1, lambda);
    }
    return sum;
}

struct Figures {
    double fraction = 0.0, theory = 0.0, plain_theory = 0.0;
    int n = 0, found = 0, found_white = 0, within_3_sigma = 0, within_sigma = 0, within_formula = 0,
        inside = 0, covered = 0, covered_single = 0;
    double sum_fraction = 0.0, sum_pull2 = 0.0;

    double efficiency() const { return static_cast<double>(found) / n; }
    double mean_fraction() const { return sum_fraction / std::max(found, 1); }
};

Figures inject(double fraction, int realisations, const timing::SearchOptions& options,
               engine::PeriodSearch& backend) {
    Figures f;
    f.fraction = fraction;
    timing::SearchOptions one = options;  // a band of one resolution around the signal
    double threshold = 0.0;
    for (int i = 0; i < realisations; ++i) {
        RandomStream random(static_cast<std::uint64_t>(std::lround(1e6 * fraction)) + seed,
                            static_cast<std::uint64_t>(i));
        const double frequency = 1.1 * lowest + (highest / 1.1 - 1.1 * lowest) * random.uniform();
        const EventList events = draw(frequency, 0.0, fraction, random);
        const auto grid = timing::make_grid(events, options);
        one.limit_bands = {frequency - 0.5 / span, frequency + 0.5 / span};
        const engine::EventTask task = engine::make_task(events, grid, one);
        const auto found = backend.search(std::span(&task, 1)).at(0).statistics;
        const auto rows = refine::polish_events(events, grid, found, options);
        if (threshold == 0.0 && !rows.empty()) {
            while (timing::log10_false_alarm(timing::log10_chi2_survival(threshold, 1), rows[0].n_trials) >
                   options.log10_fap)
                threshold += 0.001;
        }
        ++f.n;
        const auto limits = refine::pulsed_fraction_limits(events, grid, found, {}, one);
        if (!limits.empty()) f.covered += limits.front().pf_ul >= fraction ? 1 : 0;
        for (const auto& limit : limits)
            if (limit.frequency_hi - limit.frequency_lo < 2.0 / span)
                f.covered_single += limit.pf_ul >= fraction ? 1 : 0;
        f.found_white += std::any_of(rows.begin(), rows.end(),
                                     [&](const PeriodCandidate& c) {
                                         return c.veto == 0 && c.log10_fap_white <= options.log10_fap &&
                                                std::fabs(c.frequency - frequency) <= 1.0 / span;
                                     })
                             ? 1
                             : 0;
        const int offered = refine::select_period(rows, options);
        if (offered < 0) continue;
        const PeriodCandidate& c = rows[static_cast<std::size_t>(offered)];
        if (std::fabs(c.frequency - frequency) > 1.0 / span) continue;
        ++f.found;
        const double pull = (c.frequency - frequency) / c.frequency_error;
        f.within_3_sigma += std::fabs(pull) < 3.0 ? 1 : 0;
        f.within_sigma += std::fabs(pull) < 1.0 ? 1 : 0;
        const double formula = std::sqrt(3.0 / c.statistic) / (constants::pi * span);
        f.within_formula += std::fabs(c.frequency - frequency) < formula ? 1 : 0;
        f.sum_pull2 += pull * pull;
        f.sum_fraction += c.pulsed_fraction;
        f.inside += c.pf_lo <= fraction && fraction <= c.pf_hi ? 1 : 0;
    }
    const double lambda = 0.5 * static_cast<double>(photons) * fraction * fraction;
    f.theory = power_of_statistic(threshold, lambda, true);
    f.plain_theory = power_of_statistic(threshold, lambda, false);
    return f;
}

/// Drifting signals polished from the trials next to them.
struct DriftFigures {
    int n = 0, frequency = 0, fdot = 0;
};

DriftFigures inject_drift(double fraction, int realisations, timing::SearchOptions options) {
    options.max_fdot = 1e-8;
    DriftFigures f;
    for (int i = 0; i < realisations; ++i) {
        RandomStream random(static_cast<std::uint64_t>(std::lround(1e6 * fraction)) + seed + 1,
                            static_cast<std::uint64_t>(i));
        const double frequency = 1.1 * lowest + (highest / 1.1 - 1.1 * lowest) * random.uniform(),
                     fdot = (random.uniform() < 0.5 ? -1.0 : 1.0) * (5e-9 + 4e-9 * random.uniform());
        const EventList events = draw(frequency, fdot, fraction, random);
        const auto grid = timing::make_grid(events, options);
        const auto drift = refine::make_drift(events, grid, options);
        const refine::CompositeStart nearest{{timing::Statistic::Kind::z2, 1},
                                             std::round(frequency / grid.df) * grid.df,
                                             std::round(fdot / drift.step) * drift.step};
        const auto rows =
            refine::add_composite_rows(events, grid, drift, std::span(&nearest, 1), {}, options);
        if (rows.empty()) continue;
        ++f.n;
        f.frequency += std::fabs(rows[0].frequency - frequency) < rows[0].frequency_error ? 1 : 0;
        f.fdot += std::fabs(rows[0].fdot - fdot) < rows[0].fdot_error ? 1 : 0;
    }
    return f;
}

bool missed(const char* what, double fraction, double got, double wanted, double tolerance, double sigma) {
    const bool bad = std::fabs(got - wanted) > tolerance + 3.0 * sigma;
    if (bad)
        fmt::print(stderr, "a = {}: {} is {:.4f} instead of {:.4f} +- {} (3 sigma {:.4f})\n", fraction, what,
                   got, wanted, tolerance, 3.0 * sigma);
    return bad;
}

}  // namespace

int main(int argc, char** argv) {
    const int realisations = argc > 1 ? std::atoi(argv[1]) : 0;
    if (realisations < 20) {
        std::fputs(
            "usage: validate_injection REALISATIONS [FOLDER [FRACTION...]]   (at least 20 realisations)\n",
            stderr);
        return 2;
    }
    timing::SearchOptions options;
    options.fmin = lowest;
    options.fmax = highest;
    options.z2_harmonics = {1};
    options.h_harmonics = 0;
    options.max_candidates = 3;
    const ThreadPool pool(1);
    const auto backend = engine::make_cpu_engines(pool).search;

    bool bad = false;
    std::vector<double> x, efficiency, error, theory, recovered, recovered_error, coverage, coverage_error;
    fmt::print(
        "| injected | found | with LOG10_FAP_WHITE | theory (2 + 1 dof) | theory (2 dof) | frequency within "
        "3 sigma | rms pull | "
        "within 1 sigma: curvature | within 1 sigma: formula | mean "
        "recovered | interval holds | limit covers: band of 1/T | limit covers: whole search |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    std::vector<double> fractions{0.10, 0.20, 0.25, 0.30, 0.33, 0.36, 0.39,
                                  0.42, 0.46, 0.50, 0.60, 0.70, 0.85, 1.0};
    if (argc > 3) fractions.clear();
    for (int i = 3; i < argc; ++i) fractions.push_back(std::atof(argv[i]));
    for (const double a : fractions) {
        const Figures f = inject(a, realisations, options, *backend);
        const double n = f.n, found = std::max(f.found, 1);
        const double spread = std::sqrt(std::max(f.theory * (1 - f.theory), 0.25 / n) / n);
        fmt::print(
            "| {:.2f} | {:.3f} | {:.3f} | {:.3f} | {:.3f} | {:.3f} | {:.2f} | {:.3f} | {:.3f} | {:.4f} | "
            "{:.3f} | "
            "{:.3f} | {:.3f} |\n",
            a, f.efficiency(), f.found_white / n, f.theory, f.plain_theory, f.within_3_sigma / found,
            std::sqrt(f.sum_pull2 / found), f.within_sigma / found, f.within_formula / found,
            f.mean_fraction(), f.inside / found, f.covered_single / n, f.covered / n);
        bad |= missed("the share found", a, f.efficiency(), f.theory, efficiency_tolerance, spread);
        if (f.theory > 0.5) {
            const double share = f.within_3_sigma / found;
            bad |= share < 0.99 && missed("the share of frequencies within 3 sigma", a, share, 0.99, 0.0,
                                          std::sqrt(0.0099 / found));
        }
        if (f.theory > 0.999) {  // below, only the strong ones of the same fraction are found
            bad |= missed("the mean recovered fraction", a, f.mean_fraction() / a, 1.0, fraction_tolerance,
                          std::sqrt(2.0 / static_cast<double>(photons)) / a / std::sqrt(found));
            bad |= f.inside / found < 0.9 && missed("the share of intervals that hold", a, f.inside / found,
                                                    0.9, coverage_tolerance, std::sqrt(0.09 / found));
        }
        if (a >= 0.5) {
            const double sigma = std::sqrt(one_sigma * (1.0 - one_sigma) / found);
            bad |= missed("the share of frequencies within 1 sigma by the curvature", a,
                          f.within_sigma / found, one_sigma, coverage_tolerance, sigma);
            bad |= missed("the share of frequencies within 1 sigma by the formula", a,
                          f.within_formula / found, one_sigma, coverage_tolerance, sigma);
        }
        // Of fainter signals the limit is that of the noise in the band.
        if (a >= 0.3)
            bad |= missed("the coverage of the limit", a, f.covered_single / n, 0.9, coverage_tolerance,
                          std::sqrt(0.09 / n));
        x.push_back(a);
        efficiency.push_back(f.efficiency());
        error.push_back(spread);
        theory.push_back(f.theory);
        coverage.push_back(f.covered_single / n);
        coverage_error.push_back(std::sqrt(0.09 / n));
        recovered.push_back(f.found > 10 ? f.mean_fraction() / a : NAN);
        recovered_error.push_back(std::sqrt(2.0 / static_cast<double>(photons)) / a / std::sqrt(found));
    }
    if (argc > 3) return bad ? 1 : 0;
    fmt::print(
        "\n| injected, drifting | realisations | frequency within 1 sigma | derivative within 1 sigma "
        "|\n|---|---|---|---|\n");
    for (const double a : {0.5, 0.7, 1.0}) {
        const DriftFigures f = inject_drift(a, realisations, options);
        const double n = std::max(f.n, 1), sigma = std::sqrt(one_sigma * (1.0 - one_sigma) / n);
        fmt::print("| {:.2f} | {} | {:.3f} | {:.3f} |\n", a, f.n, f.frequency / n, f.fdot / n);
        bad |= missed("the share of drifting frequencies within 1 sigma", a, f.frequency / n, one_sigma,
                      coverage_tolerance, sigma);
        bad |= missed("the share of derivatives within 1 sigma", a, f.fdot / n, one_sigma, coverage_tolerance,
                      sigma);
    }
    if (argc > 2) {
        const std::string folder = argv[2];
        const std::vector<double> ends{x.front(), x.back()};
        const char* fraction = "Injected pulsed fraction";
        write_plot(
            folder + "/injection-efficiency.svg",
            {"Detection efficiency", fraction, "Share found; line: theory", x, efficiency, error, x, theory});
        write_plot(folder + "/injection-fraction.svg", {"Recovered pulsed fraction",
                                                        fraction,
                                                        "Mean recovered / injected",
                                                        x,
                                                        recovered,
                                                        recovered_error,
                                                        ends,
                                                        {1.0, 1.0}});
        write_plot(folder + "/injection-limits.svg", {"Coverage of upper limits",
                                                      fraction,
                                                      "Coverage of the 90% limit",
                                                      x,
                                                      coverage,
                                                      coverage_error,
                                                      ends,
                                                      {0.9, 0.9}});
    }
    return bad ? 1 : 0;
}
