// --fap montecarlo beside the analytic false-alarm probability, and beside the truth.
//
//   validate_monte_carlo DRAWS [PHOTONS]
//
// First table: constant event lists (of at most so many photons) and DRAWS simulated sources of each (a
// quarter of that above 1000 photons). At each p: the share of the draws whose analytic probability is at
// most p, and what the simulation gives a candidate of that analytic probability (both are p where the two
// agree). Second table: DRAWS sources whose rate changes, and the simulations of five of them, DRAWS / 5
// draws each: how often the analytic probability is at most p, and how often the simulated one is. Exit
// status 1 when the first table is off by more than a factor 1.25 (0.1) or 2 (0.01, 0.001) and three standard
// deviations, or when the simulation calls more sources than that improbable.
#include "constant_sources.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <simulated_alarms.hpp>

#include <xsift/engine/factory.hpp>
#include <xsift/refine/periods.hpp>
#include <xsift/timing/significance.hpp>
#include <xsift/timing/trials.hpp>

namespace {

using namespace xsift;

constexpr std::array<double, 3> levels{0.1, 0.01, 0.001};
constexpr std::array<double, 3> factors{1.25, 2.0, 2.0};
/// Lists of more photons cost most of the time: a quarter of the draws.
constexpr std::int64_t many = 1000;
/// Lists of the second table whose own simulations are made.
constexpr int lists = 5;
const GoodTimeIntervals uninterrupted{{0.0}, {36'000.0}};

timing::SearchOptions options_of(const std::string& statistic, double lowest, double highest, double span) {
    timing::SearchOptions options;
    options.fmin = lowest / span;
    options.fmax = highest / span;
    if (statistic == "all") return options;
    options.z2_harmonics.clear();
    if (statistic[0] == 'Z') options.z2_harmonics = {statistic.back() - '0'};
    if (statistic != "H") options.h_harmonics = 0;
    return options;
}

/// A share of n that should be p: three standard deviations either way (of at least one source) and a factor.
bool is_off(double share, double p, double factor, double sigma, bool safe) {
    return share > factor * p + 3.0 * sigma || (!safe && share < p / factor - 3.0 * sigma);
}

struct Bench {
    engine::PeriodSearch& search;
    std::mutex& engine;
    const ThreadPool& pool;
};

bool compare(const std::string& statistic, std::int64_t photons, const GoodTimeIntervals& gti, int draws,
             std::uint64_t row, Bench bench) {
    if (photons > many) draws /= 4;
    RandomStream random(61'000, row);
    const EventList events = draw_constant(photons, gti, random);
    timing::SearchOptions options = options_of(statistic, 20.0, 320.0, gti.stop.back());
    options.draws = draws;
    const auto grid = timing::make_grid(events, options);
    const std::vector<double> alarms = pipeline::simulated_alarms(events, grid, options, 71'000 + row,
                                                                  bench.search, bench.engine, bench.pool);
    const refine::SimulatedTail tail(alarms);
    std::string text = fmt::format("| {} | {} | {} | {} |", statistic, photons,
                                   gti.size() > 1 ? "three intervals" : "uninterrupted", draws);
    bool bad = false;
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const double p = levels[i], x = std::log10(p), n = draws;
        const auto alarm = std::count_if(alarms.begin(), alarms.end(), [x](double a) { return a <= x; });
        const double share = static_cast<double>(alarm) / n,
                     given = std::pow(10.0, tail.log10_probability(x));
        // The error of the tail's mean excess grows with the distance from its threshold.
        const double sigma = std::sqrt(p * (1.0 - p) / n),
                     tail_sigma = p * std::hypot(3.0 / std::sqrt(n), std::log(0.1 / p) / std::sqrt(0.1 * n));
        const bool off =
            is_off(share, p, factors[i], sigma, false) || is_off(given, p, factors[i], tail_sigma, false);
        bad |= off;
        text += fmt::format(" {:.4f} / {:.4f}{} |", share, given, off ? " off" : "");
    }
    fmt::print("{}\n", text);
    std::fflush(stdout);
    return bad;
}

/// Rates relative to the highest as a function of the share of the exposure that has passed.
double eruption(double x) {
    const double d = (x - 0.4) / 0.05;
    return 0.1 + 0.9 * std::exp(-0.5 * d * d);
}
double decline(double x) {
    return std::exp(-2.5 * x);
}

EventList draw_varying(std::int64_t photons, const GoodTimeIntervals& gti, double (*rate)(double),
                       RandomStream& random) {
    EventList events;
    describe(events.exposure);
    events.gti = gti;
    while (static_cast<std::int64_t>(events.size()) < photons) {
        const double time = times_of({gti.exposure() * random.uniform()}, gti).front();
        if (random.uniform() < rate(time / gti.stop.back())) events.time.push_back(time);
    }
    std::sort(events.time.begin(), events.time.end());
    return events;
}

bool judge(const std::string& name, double (*rate)(double), const std::string& statistic,
           std::int64_t photons, double lowest, int sources, std::uint64_t row, Bench bench) {
    timing::SearchOptions options = options_of(statistic, lowest, 100.0, cut_exposure.stop.back());
    std::vector<double> truth;
    for (int i = 0; i < sources; ++i) {
        RandomStream random(62'000 + row, static_cast<std::uint64_t>(i));
        const EventList events = draw_varying(photons, cut_exposure, rate, random);
        const auto grid = timing::make_grid(events, options);
        const engine::EventTask task = engine::make_task(events, grid, options);
        truth.push_back(refine::smallest_log10_fap(refine::polish_events(
            events, grid, bench.search.search(std::span(&task, 1)).at(0).statistics, options)));
    }
    const auto share_below = [&](double x) {
        return static_cast<double>(
                   std::count_if(truth.begin(), truth.end(), [x](double t) { return t <= x; })) /
               static_cast<double>(truth.size());
    };
    std::array<double, 3> simulated{};
    options.draws = std::max(20, sources / lists);
    for (int k = 0; k < lists; ++k) {
        RandomStream random(63'000 + row, static_cast<std::uint64_t>(k));
        const EventList events = draw_varying(photons, cut_exposure, rate, random);
        const refine::SimulatedTail tail(pipeline::simulated_alarms(
            events, timing::make_grid(events, options), options,
            72'000 + 100 * row + static_cast<std::uint64_t>(k), bench.search, bench.engine, bench.pool));
        for (std::size_t i = 0; i < levels.size(); ++i) {
            double low = -1000.0, high = 0.0;  // the analytic probability that is given as p
            while (high - low > 1e-3) {
                const double x = 0.5 * (low + high);
                (tail.log10_probability(x) > std::log10(levels[i]) ? high : low) = x;
            }
            simulated[i] += share_below(low) / lists;
        }
    }
    std::string text =
        fmt::format("| {} | {} | {} | {:.0f} to 100 | {} |", name, statistic, photons, lowest, sources);
    bool bad = false;
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const double p = levels[i], sigma = std::sqrt(p * (1.0 - p) / sources);
        const bool off = is_off(simulated[i], p, factors[i], sigma, true);
        bad |= off;
        text +=
            fmt::format(" {:.4f} / {:.4f}{} |", share_below(std::log10(p)), simulated[i], off ? " off" : "");
    }
    fmt::print("{}\n", text);
    std::fflush(stdout);
    return bad;
}

}  // namespace

int main(int argc, char** argv) {
    const int draws = argc > 1 ? std::atoi(argv[1]) : 0;
    if (draws < 100) {
        std::fputs("usage: validate_monte_carlo DRAWS [PHOTONS]   (at least 100)\n", stderr);
        return 2;
    }
    const ThreadPool pool(1);
    const auto backend = engine::make_cpu_engines(pool).search;
    std::mutex engine;
    const Bench bench{*backend, engine, pool};
    const std::int64_t most = argc > 2 ? std::atoi(argv[2]) : 1'000'000;
    bool bad = false;
    std::uint64_t row = 0;

    fmt::print(
        "| statistic | photons | good time | draws | p = 0.1 | 0.01 | 0.001 |\n"
        "|---|---|---|---|---|---|---|\n");
    for (const char* statistic : {"Z2_1", "Z2_2", "H"})
        for (const std::int64_t photons : {20, 60, 200, 2000})
            for (const GoodTimeIntervals* gti : {&uninterrupted, &cut_exposure}) {
                ++row;
                if (photons > most) continue;
                bad |= compare(statistic, photons, *gti, draws, row, bench);
            }
    row = 100;
    fmt::print(
        "\n| rate | statistic | photons | 1/T searched | sources | p = 0.1 | 0.01 | 0.001 "
        "|\n|---|---|---|---|---|---|---|---|\n");
    const int sources = draws;
    bad |= judge(
        "constant", [](double) { return 1.0; }, "Z2_1", 500, 1.0, sources, ++row, bench);
    for (const double lowest : {1.0, 20.0}) {
        bad |= judge("eruption", eruption, "Z2_1", 500, lowest, sources, ++row, bench);
        bad |= judge("decline", decline, "Z2_1", 500, lowest, sources, ++row, bench);
    }
    return bad ? 1 : 0;
}
