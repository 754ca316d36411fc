#include "machine_record.hpp"
#include "stopwatch.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/cuda/factory.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/io/event_file.hpp>
#include <xsift/io/light_curve_file.hpp>
#include <xsift/pipeline/search_bench.hpp>
#include <xsift/timing/light_curve.hpp>

namespace xsift::pipeline {
namespace {

/// Processor time of all threads of the process, s.
double processor_seconds() {
    std::timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::vector<double> read_doubles(const std::string& path) {
    static_assert(std::endian::native == std::endian::little);
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (!file || bytes.empty() || bytes.size() % sizeof(double) != 0)
        throw Error(ErrorKind::usage, "UNREADABLE", path + " cannot be read",
                    "it is missing, empty or not a sequence of doubles",
                    "Write the numbers as little-endian doubles with nothing between them.");
    std::vector<double> values(bytes.size() / sizeof(double));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

bool is_bare(const std::string& path) {
    return path.ends_with(".f64");
}

/// Photon times from the middle of the list.
std::vector<double> read_photons(const std::string& path) {
    std::vector<double> time = is_bare(path) ? read_doubles(path) : io::read_events(path).time;
    const double middle = 0.5 * (time.front() + time.back());
    for (double& t : time) t -= middle;
    return time;
}

timing::UsableBins read_curve(const std::string& path) {
    if (!is_bare(path)) return timing::usable_bins(io::read_light_curve(path));
    const std::vector<double> numbers = read_doubles(path);
    const std::size_t n = numbers.size() / 3;
    const auto part = [&](std::size_t k) {
        const auto first = numbers.begin() + static_cast<std::ptrdiff_t>(k * n);
        return std::vector<double>(first, first + static_cast<std::ptrdiff_t>(n));
    };
    timing::UsableBins bins;
    bins.time = part(0);
    bins.value = part(1);
    for (const double error : part(2)) bins.weight.push_back(1.0 / (error * error));
    return bins;
}

timing::FrequencyGrid grid_of(const std::vector<double>& time, const SearchBenchOptions& options,
                              const std::string& file) {
    const double span = time.back() - time.front();
    timing::FrequencyGrid grid;
    grid.df = options.df > 0.0 ? options.df : 1.0 / (4.0 * span);
    grid.first = std::max<std::int64_t>(1, std::llround(options.fmin / grid.df));
    grid.count = std::llround(options.fmax / grid.df) - grid.first + 1;
    if (!(span > 0.0) || grid.count < 1)
        throw Error(ErrorKind::usage, "NO_SPAN", file + " cannot be searched for periods",
                    "its data span no time or no trial lies between --fmin and --fmax",
                    "Check --df, --fmin and --fmax.");
    return grid;
}

template <typename Task>
void measure(engine::PeriodSearch& search, const std::vector<Task>& tasks,
             const std::vector<std::string>& files, const SearchBenchOptions& options,
             SearchBenchResult& result) {
    std::vector<engine::SearchOutcome> outcomes = search.search(std::span<const Task>(tasks));
    for (int i = 0; i < options.repeats; ++i) {
        const double cpu = processor_seconds();
        const Stopwatch watch;
        outcomes = search.search(std::span<const Task>(tasks));
        result.seconds.push_back(watch.seconds());
        result.cpu_seconds.push_back(processor_seconds() - cpu);
    }
    result.sources = static_cast<std::int64_t>(tasks.size());
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        result.pairs += static_cast<double>(tasks[i].time.size()) * static_cast<double>(tasks[i].grid.count);
        for (const timing::StatisticPeaks& found : outcomes[i].statistics) {
            const bool any = !found.peaks.empty();
            result.best.push_back({files[i], found.statistic,
                                   any ? found.peaks.front().frequency : not_measured,
                                   any ? found.peaks.front().value : 0.0});
        }
    }
}

std::string name_of(const timing::Statistic& statistic) {
    switch (statistic.kind) {
        case timing::Statistic::Kind::z2:
            return fmt::format("z2_{}", statistic.harmonics);
        case timing::Statistic::Kind::h:
            return fmt::format("h_{}", statistic.harmonics);
        default:
            return "gls";
    }
}

}  // namespace

SearchBenchResult bench_search(const SearchBenchOptions& options) {
    if (options.photons.empty() == options.curves.empty())
        throw Error(ErrorKind::usage, "BAD_SETTING", "photons or light curves are measured, not both", "",
                    "Give --search FILE... or --curves FILE...");
    const ThreadPool pool(options.threads);
    engine::Engines engines =
        options.backend == "cuda" ? cuda::make_engines() : engine::make_cpu_engines(pool);
    SearchBenchResult result;
    result.backend = engines.description;
    if (!options.photons.empty()) {
        std::vector<std::vector<double>> times;
        for (const std::string& path : options.photons) times.push_back(read_photons(path));
        std::vector<engine::EventTask> tasks;
        for (std::size_t i = 0; i < times.size(); ++i) {
            engine::EventTask& task = tasks.emplace_back();
            task.time = times[i];
            task.grid = grid_of(times[i], options, options.photons[i]);
            task.statistics = options.statistics;
            task.min_separation = 4.0 * task.grid.df;
        }
        measure(*engines.search, tasks, options.photons, options, result);
    } else {
        std::vector<timing::UsableBins> curves;
        for (const std::string& path : options.curves) curves.push_back(read_curve(path));
        std::vector<engine::LightCurveTask> tasks;
        for (std::size_t i = 0; i < curves.size(); ++i) {
            engine::LightCurveTask& task = tasks.emplace_back();
            task.time = curves[i].time;
            task.value = curves[i].value;
            task.weight = curves[i].weight;
            task.grid = grid_of(curves[i].time, options, options.curves[i]);
            task.min_separation = 4.0 * task.grid.df;
        }
        measure(*engines.search, tasks, options.curves, options, result);
    }
    return result;
}

std::string search_bench_json(const SearchBenchOptions& options, const SearchBenchResult& result) {
    nlohmann::ordered_json record = machine_record();
    record["backend"] = result.backend;
    record["threads"] = options.threads > 0 ? options.threads : available_threads();
    record["sources"] = result.sources;
    record["pairs"] = result.pairs;
    record["seconds"] = result.seconds;
    record["cpu_seconds"] = result.cpu_seconds;
    for (const BestTrial& best : result.best)
        record["best"].push_back({{"file", best.file},
                                  {"statistic", name_of(best.statistic)},
                                  {"frequency", best.frequency},
                                  {"value", best.value}});
    return record.dump(2) + "\n";
}

}  // namespace xsift::pipeline
