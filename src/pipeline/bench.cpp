#include "machine_record.hpp"
#include "stopwatch.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/core/random.hpp>
#include <xsift/cuda/factory.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/io/survey.hpp>
#include <xsift/pipeline/bench.hpp>
#include <xsift/pipeline/simulate.hpp>

namespace xsift::pipeline {
namespace {

using timing::Statistic;

/// Seconds of the fastest of several runs, after one that warms up.
double fastest(int repeats, const std::function<void()>& run) {
    run();
    double best = 1e300;
    for (int i = 0; i < std::max(1, repeats); ++i) {
        const Stopwatch watch;
        run();
        best = std::min(best, watch.seconds());
    }
    return best;
}

/// Lists of 300 photons, uniform in 30 ks, on 816,000 frequencies from 0 to 6.8 Hz at four per 1/T.
class SearchWorkload {
  public:
    SearchWorkload(std::size_t sources, const std::vector<Statistic>& statistics) {
        constexpr double span = 30000.0;
        constexpr std::size_t photons = 300;
        constexpr std::int64_t trials = 816000;
        for (std::size_t i = 0; i < sources; ++i) {
            RandomStream random(1, i);
            std::vector<double>& time = times_.emplace_back(photons);
            for (double& t : time) t = span * (random.uniform() - 0.5);
            std::sort(time.begin(), time.end());
        }
        for (const std::vector<double>& time : times_) {
            engine::EventTask& task = tasks_.emplace_back();
            task.time = time;
            task.grid = {1.0 / (4.0 * span), 1, trials};
            task.statistics = statistics;
            task.min_separation = 1.0 / span;
            task.harmonic_fmax = 6.8;  // the Nyquist frequency of a pn list in full-frame mode
        }
        pairs_ = static_cast<double>(sources * photons) * static_cast<double>(trials);
    }

    BenchResult run(const std::string& name, engine::Engines& engines, int repeats) const {
        const double seconds = fastest(repeats, [&] { engines.search->search(tasks_); });
        return {name, engines.description, seconds, pairs_ / seconds, "pairs/s"};
    }

  private:
    std::vector<std::vector<double>> times_;
    std::vector<engine::EventTask> tasks_;
    double pairs_ = 0.0;
};

/// A folder that is removed afterwards.
class ScratchFolder {
  public:
    ScratchFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "xsift-bench-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr)
            throw Error(ErrorKind::usage, "UNWRITABLE", "cannot make a folder in the temporary folder", "",
                        "Set TMPDIR to a folder that can be written.");
        path_ = name;
    }
    ~ScratchFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    std::string operator/(const char* name) const { return (path_ / name).string(); }

  private:
    std::filesystem::path path_;
};

BenchResult read_back(const BenchOptions& options) {
    const ScratchFolder folder;
    SimulateOptions simulated;
    simulated.output = folder / "survey.h5";
    simulated.sources = std::max<std::int64_t>(16, static_cast<std::int64_t>(1000 * options.scale));
    simulated.mean_counts = 10000;
    simulated.pulsed_share = 0.0;
    simulated.compress = false;
    simulate(simulated);
    io::SurveyReader survey(simulated.output);
    constexpr std::int64_t batch = 64;
    double bytes = 0.0;
    const double seconds = fastest(options.repeats, [&] {
        bytes = 0.0;
        for (std::int64_t first = 0; first < survey.size(); first += batch)
            for (const SourceData& source : survey.read(first, std::min(batch, survey.size() - first)))
                for (const EventList& events : source.events)
                    bytes += static_cast<double>(events.size()) * (sizeof(double) + sizeof(float));
    });
    return {"read", "one thread", seconds, bytes / seconds, "B/s"};
}

}  // namespace

std::vector<BenchResult> bench(const BenchOptions& options) {
    const auto sources = std::max<std::size_t>(1, static_cast<std::size_t>(64 * options.scale));
    const SearchWorkload z2_1(sources, {{Statistic::Kind::z2, 1}});
    const SearchWorkload all(sources, timing::event_statistics({}));
    const ThreadPool pool(options.threads);
    std::vector<BenchResult> results;
    for (const std::string& backend : options.backends) {
        engine::Engines engines = backend == "cuda" ? cuda::make_engines() : engine::make_cpu_engines(pool);
        results.push_back(z2_1.run("search_z2_1", engines, options.repeats));
        results.push_back(all.run("search_all", engines, options.repeats));
    }
    results.push_back(read_back(options));
    return results;
}

std::string bench_json(const BenchOptions& options, const std::vector<BenchResult>& results) {
    nlohmann::ordered_json record = machine_record();
    record["device"] = cuda::availability().device;
    record["threads"] = options.threads > 0 ? options.threads : available_threads();
    for (const BenchResult& result : results)
        record["results"].push_back({{"workload", result.workload},
                                     {"backend", result.backend},
                                     {"seconds", result.seconds},
                                     {result.unit == "B/s" ? "bytes_per_s" : "pairs_per_s", result.rate}});
    return record.dump(2) + "\n";
}

}  // namespace xsift::pipeline
