// False-alarm probabilities of constant sources: how often the maximum of a search is called as improbable as
// p.
//
//   validate_nulls SOURCES [FOLDER [ROWS [SEED]]]
//   validate_nulls again TABLE FOLDER
//
// The second judges and draws the rows of a file that holds such a table: after some of them were made again.
// SOURCES a row; every row has random numbers of its own. ROWS: only those whose statistic, photons and
// oversampling ("H 300 8") begin so. SEED: of the random numbers (default 0). Writes a
// Markdown table to stdout (and with FOLDER plots as SVG there). Exit status 1 when a share is further from p
// than three standard deviations of this number of sources, or above it where a row need only be safe.
#include "constant_sources.hpp"
#include "write_plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/refine/monte_carlo.hpp>
#include <xsift/refine/periods.hpp>
#include <xsift/timing/light_curve.hpp>
#include <xsift/timing/significance.hpp>
#include <xsift/timing/trials.hpp>

namespace {

using namespace xsift;

constexpr std::array<double, 3> levels{0.1, 0.01, 0.001};
/// The lowest frequency searched, in 1/T.
constexpr double lowest = 20.0;

/// Good time intervals of a low orbit, of which the Earth hides more than half.
const GoodTimeIntervals orbit{{0.0, 5'700.0, 11'400.0, 17'100.0, 22'800.0, 28'500.0},
                              {2'200.0, 7'900.0, 13'600.0, 19'300.0, 25'000.0, 30'700.0}};

/// A line of the table.
struct Row {
    std::string name;  ///< Z2_1, Z2_2, H, GLS; all: the default statistics as a source is judged
    std::int64_t photons = 0;
    double oversampling = 4.0;
    double bandwidth = 300.0;  ///< 1/T
    const GoodTimeIntervals* gti = &cut_exposure;
    double share = 1.0;  ///< of the sources asked for
    bool safe = false;   ///< need only be safe
    std::array<int, 3> alarms{};
    int sources = 0;

    std::string label() const { return fmt::format("{} {}", name, photons); }
    bool is_among(const std::string& rows) const {
        return fmt::format("{} {:.0f}", label(), oversampling).rfind(rows, 0) == 0;
    }
    /// The first cells of its line.
    std::string cells(const std::string& of_photons) const;
};

std::string Row::cells(const std::string& of_photons) const {
    return fmt::format("| {} | {} | {:.0f} | {:.0f}{} |", name, of_photons, oversampling, bandwidth,
                       gti == &orbit ? ", low orbit" : "");
}

/// Bins of 50 s, half of the shortest period searched, with the counts of so many photons and their Poisson
/// errors.
LightCurve draw_curve(const Row& row, RandomStream& random) {
    LightCurve curve;
    describe(curve.exposure);
    curve.bin_width = 50.0;
    const double mean = static_cast<double>(row.photons) / row.gti->exposure();
    for (std::size_t g = 0; g < row.gti->size(); ++g)
        for (double t = row.gti->start[g]; t + curve.bin_width <= row.gti->stop[g]; t += curve.bin_width) {
            const auto counts = static_cast<double>(random.poisson(mean * curve.bin_width));
            curve.time.push_back(t + 0.5 * curve.bin_width);
            curve.rate.push_back(counts / curve.bin_width);
            curve.error.push_back(std::sqrt(counts) / curve.bin_width);
        }
    return curve;
}

timing::SearchOptions options_of(const Row& row) {
    timing::SearchOptions options;
    options.oversampling = row.oversampling;
    const double span = row.gti->stop.back() - row.gti->start.front();
    options.fmin = lowest / span;
    options.fmax = (lowest + row.bandwidth) / span;
    if (row.name != "all") {
        options.z2_harmonics.clear();
        if (row.name[0] == 'Z') options.z2_harmonics = {row.name.back() - '0'};
        if (row.name != "H") options.h_harmonics = 0;
    }
    return options;
}

void search(Row& row, const timing::SearchOptions& options, engine::PeriodSearch& backend,
            RandomStream random) {
    double log10_fap = 0.0;
    if (row.name == "GLS") {
        const LightCurve curve = draw_curve(row, random);
        const auto grid = timing::make_grid(curve, options);
        const auto bins = timing::usable_bins(curve);
        const engine::LightCurveTask task = engine::make_task(bins, curve.bin_width, grid, options);
        const auto found = backend.search(std::span(&task, 1)).at(0).statistics;
        log10_fap = refine::smallest_log10_fap(refine::polish_light_curve(curve, grid, found, options));
    } else {
        const EventList events = draw_constant(row.photons, *row.gti, random);
        const auto grid = timing::make_grid(events, options);
        const engine::EventTask task = engine::make_task(events, grid, options);
        const auto found = backend.search(std::span(&task, 1)).at(0).statistics;
        const double searches = timing::effective_statistics(
            timing::event_statistics(options), options.log10_fap, timing::search_extent(events, grid));
        log10_fap = timing::log10_false_alarm(
            refine::smallest_log10_fap(refine::polish_events(events, grid, found, options)),
            row.name == "all" ? searches : 1.0);
    }
    ++row.sources;
    for (std::size_t i = 0; i < levels.size(); ++i)
        row.alarms[i] += log10_fap <= std::log10(levels[i]) ? 1 : 0;
}

std::vector<Row> all_rows() {
    std::vector<Row> rows;
    for (const char* name : {"Z2_1", "Z2_2", "H"})
        for (const std::int64_t photons : {20, 50, 200, 1000, 5000}) rows.push_back({name, photons});
    for (const std::int64_t photons : {200, 500, 1000, 2000, 5000}) rows.push_back({"GLS", photons});
    for (const std::int64_t photons : {20, 200, 1000}) {
        rows.push_back({"all", photons});
        rows.back().safe = true;
    }
    for (const char* name : {"Z2_1", "Z2_2", "H"})
        for (const double oversampling : {1.0, 2.0, 8.0}) {
            rows.push_back({name, 300, oversampling});
            rows.back().share = 0.3;
        }
    for (const char* name : {"Z2_1", "Z2_2", "H"})
        for (const double bandwidth : {100.0, 5000.0}) {
            rows.push_back({name, 300, 4.0, bandwidth});
            rows.back().share = bandwidth > 300.0 ? 0.1 : 0.3;
        }
    for (const char* name : {"Z2_1", "H"}) {
        rows.push_back({name, 300, 4.0, 300.0, &orbit});
        rows.back().share = 0.3;
        rows.back().safe = true;
    }
    return rows;
}

/// Shares over p of the rows of the main part.
void plot(const std::vector<Row>& rows, const std::string& folder) {
    for (std::size_t i = 0; i < levels.size(); ++i) {
        std::vector<double> x, y, error;
        for (const Row& row : rows) {
            if (row.share != 1.0 || row.sources == 0) continue;
            const double p = levels[i], n = row.sources;
            x.push_back(std::log10(static_cast<double>(row.photons)) + (row.name == "Z2_1"   ? -0.10
                                                                        : row.name == "Z2_2" ? -0.05
                                                                        : row.name == "H"    ? 0.0
                                                                        : row.name == "GLS"  ? 0.05
                                                                                             : 0.10));
            y.push_back(row.alarms[i] / (p * n));
            error.push_back(std::sqrt((1.0 - p) / (p * n)));
        }
        if (x.empty()) continue;
        write_plot(fmt::format("{}/nulls-{}.svg", folder, levels[i]),
                   {fmt::format("False alarms of constant sources, p = {}", levels[i]),
                    "log10 photons (left to right: Z2_1, Z2_2, H, GLS, all)",
                    "Share / p",
                    x,
                    y,
                    error,
                    {1.0, 4.0},
                    {1.0, 1.0}});
    }
}

/// The figures of a row from a table, if it is there.
void read_row(const std::vector<std::string>& table, Row& row) {
    const std::string begin = row.cells(std::to_string(row.photons));
    for (const std::string& line : table) {
        if (line.rfind(begin, 0) != 0) continue;
        std::istringstream cells(line.substr(begin.size()));
        std::string cell;
        std::getline(cells, cell, '|');
        row.sources = std::atoi(cell.c_str());
        for (int& alarms : row.alarms) {
            std::getline(cells, cell, '|');
            alarms = static_cast<int>(std::lround(std::atof(cell.c_str()) * row.sources));
        }
    }
}

/// Probability that at least `least` of n independent events of probability p happen, or when not `above`, at
/// most.
double binomial_tail(std::int64_t least, std::int64_t n, double p, bool above) {
    const auto size = static_cast<double>(n);
    double sum = 0.0;
    for (std::int64_t k = above ? least : 0; k <= (above ? n : least); ++k) {
        const auto x = static_cast<double>(k);
        sum += std::exp(std::lgamma(size + 1.0) - std::lgamma(x + 1.0) - std::lgamma(size - x + 1.0) +
                        x * std::log(p) + (size - x) * std::log1p(-p));
    }
    return sum;
}

/// A line of the table; whether it is off: less probable than what lies three standard deviations to one side
/// of a Gaussian, which the number of sources is not where few are expected.
bool print(const Row& row, const std::string& photons) {
    std::string text = fmt::format("{} {} |", row.cells(photons), row.sources);
    bool bad = false;
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const double n = row.sources, p = levels[i], share = row.alarms[i] / n;
        constexpr double three_sigma = 0.00135;
        const double sigma = std::sqrt(p * (1.0 - p) / n);
        const auto found = static_cast<std::int64_t>(std::llround(share * n)),
                   all = static_cast<std::int64_t>(n);
        const bool off = share > p ? binomial_tail(found, all, p, true) < three_sigma
                                   : !row.safe && binomial_tail(found, all, p, false) < three_sigma;
        bad |= off;
        text += fmt::format(" {:.5f} ± {:.5f}{} |", share, sigma, off ? " off" : "");
    }
    fmt::print("{}\n", text);
    std::fflush(stdout);
    return bad;
}

}  // namespace

int main(int argc, char** argv) {
    const bool again = argc == 4 && std::string(argv[1]) == "again";
    const int sources = argc > 1 ? std::atoi(argv[1]) : 0;
    if (sources < 100 && !again) {
        std::fputs(
            "usage: validate_nulls SOURCES [FOLDER [ROWS]]   (at least 100 sources)\n"
            "       validate_nulls again TABLE FOLDER\n",
            stderr);
        return 2;
    }
    const std::string only = argc > 3 && !again ? argv[3] : "";
    const auto seed = static_cast<std::uint64_t>(argc > 4 ? std::atoi(argv[4]) : 0);
    std::vector<std::string> table;
    if (again) {
        std::ifstream file(argv[2]);
        for (std::string line; std::getline(file, line);) table.push_back(line);
    }
    const ThreadPool pool(1);
    const auto backend = engine::make_cpu_engines(pool).search;
    std::vector<Row> rows = all_rows();
    bool bad = false;
    fmt::print(
        "| statistic | photons | oversampling | 1/T searched | sources | p = 0.1 | 0.01 | 0.001 "
        "|\n|---|---|---|---|---|---|---|---|\n");
    for (std::size_t r = 0; r < rows.size(); ++r) {
        Row& row = rows[r];
        if (!row.is_among(only)) continue;
        if (again) {
            read_row(table, row);
            if (row.sources > 0) bad |= print(row, std::to_string(row.photons));
            continue;
        }
        const timing::SearchOptions options = options_of(row);
        const int n = std::max(100, static_cast<int>(row.share * sources));
        for (int i = 0; i < n; ++i)
            search(row, options, *backend,
                   RandomStream(40'000 + 100 * seed + r, static_cast<std::uint64_t>(i)));
        bad |= print(row, std::to_string(row.photons));
    }
    // The main rows of a statistic together.
    for (const char* name : {"Z2_1", "Z2_2", "H", "GLS"}) {
        Row sum{name};
        int parts = 0;
        for (const Row& row : rows) {
            if (row.name != name || row.share != 1.0 || row.sources == 0) continue;
            ++parts;
            sum.sources += row.sources;
            for (std::size_t i = 0; i < levels.size(); ++i) sum.alarms[i] += row.alarms[i];
        }
        if (parts > 1) bad |= print(sum, "20 to 5000");
    }
    if (argc > 2) plot(rows, argv[again ? 3 : 2]);
    return bad ? 1 : 0;
}
