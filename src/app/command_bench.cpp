#include "commands.hpp"
#include "table.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/io/atomic_file.hpp>
#include <xsift/pipeline/bench.hpp>
#include <xsift/pipeline/search_bench.hpp>
#include <xsift/pipeline/search_costs.hpp>

namespace xsift::app {

namespace {

struct SearchArguments {
    pipeline::SearchBenchOptions options;
    std::vector<int> z2{1};
    int h = 0;
};

ExitCode perform_search_bench(SearchArguments& search, const pipeline::BenchOptions& common,
                              const std::string& json) {
    if (common.backends.size() != 1)
        throw Error(ErrorKind::usage, "BAD_SETTING", "--search and --curves measure one backend");
    search.options.backend = common.backends.front();
    search.options.threads = common.threads;
    search.options.repeats = common.repeats;
    search.options.statistics.clear();
    for (const int n : search.z2) search.options.statistics.push_back({timing::Statistic::Kind::z2, n});
    if (search.h > 0) search.options.statistics.push_back({timing::Statistic::Kind::h, search.h});
    const pipeline::SearchBenchResult result = pipeline::bench_search(search.options);
    const double seconds = *std::min_element(result.seconds.begin(), result.seconds.end());
    fmt::print("{} sources, {}: {:.4g} s, {:.4g} pairs/s\n", result.sources, result.backend, seconds,
               result.pairs / seconds);
    if (!json.empty()) io::write_text_file(json, pipeline::search_bench_json(search.options, result));
    return ExitCode::done;
}

}  // namespace

Action add_bench(CLI::App& app) {
    struct Arguments {
        pipeline::BenchOptions options;
        SearchArguments search;
        std::string json, calibrate;
    };
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = app.add_subcommand("bench", "Measure this build on this machine");
    command->add_option("--backend", arguments->options.backends, "cpu, cuda or both: cpu,cuda")
        ->delimiter(',')
        ->check(CLI::IsMember({"cpu", "cuda"}));
    command->add_option("-j,--threads", arguments->options.threads, "Threads of the CPU backend; 0: all")
        ->check(CLI::NonNegativeNumber);
    command->add_option("--repeats", arguments->options.repeats, "Runs of each workload; the fastest counts")
        ->check(CLI::PositiveNumber);
    command->add_option("--scale", arguments->options.scale, "Size of the workloads")
        ->check(CLI::PositiveNumber);
    command->add_option("--json", arguments->json, "Write the results to this file");
    command->add_option("--calibrate", arguments->calibrate,
                        "Only measure what the ways to search photons cost, on the CPU and on a device where "
                        "there is one, and write this file for `run --search-costs`");
    SearchArguments& search = arguments->search;
    const char* group = "The search of given files";
    command
        ->add_option("--search", search.options.photons,
                     "Measure the search of these event lists alone (FITS, or *.f64: times as doubles)")
        ->group(group);
    command
        ->add_option("--curves", search.options.curves,
                     "The same for light curves (FITS, or *.f64: times, values, errors as doubles)")
        ->group(group);
    command->add_option("--z2", search.z2, "Harmonics of the Z2 statistics: 1,2,4")
        ->delimiter(',')
        ->check(CLI::Range(1, 20))
        ->group(group);
    command->add_option("--h", search.h, "Most harmonics of the H-test; 0: none")
        ->check(CLI::Range(0, 20))
        ->group(group);
    command->add_option("--df", search.options.df, "Hz between trials; 0: 1/(4 span)")
        ->check(CLI::NonNegativeNumber)
        ->group(group);
    command->add_option("--fmin", search.options.fmin, "First trial, Hz; 0: --df")
        ->check(CLI::NonNegativeNumber)
        ->group(group);
    command->add_option("--fmax", search.options.fmax, "Last trial, Hz")
        ->check(CLI::PositiveNumber)
        ->group(group);
    return [arguments] {
        if (!arguments->search.options.photons.empty() || !arguments->search.options.curves.empty())
            return perform_search_bench(arguments->search, arguments->options, arguments->json);
        if (!arguments->calibrate.empty()) {
            const int repeats = arguments->options.repeats;
            const double scale = arguments->options.scale;
            io::write_text_file(arguments->calibrate, pipeline::search_costs_json(
                                                          {pipeline::measure_search_costs(repeats, scale),
                                                           pipeline::measure_device_costs(repeats, scale)}));
            return ExitCode::done;
        }
        const pipeline::BenchReport report = pipeline::bench(arguments->options);
        Table table({"WORKLOAD", "BACKEND", "SECONDS", "RATE", "", "OF CEILING"});
        for (const pipeline::BenchResult& result : report.results)
            table.add({result.workload, result.backend, fmt::format("{:.4g}", result.seconds),
                       fmt::format("{:.4g}", result.rate), result.unit,
                       result.of_ceiling > 0.0 ? fmt::format("{:.2f}", result.of_ceiling) : ""});
        table.print();
        for (const auto& [backend, ceilings] : report.ceilings)
            fmt::print("ceilings of {}: {:.3g} FLOP/s (multiplications and additions), {:.3g} B/s (copy)\n",
                       backend, ceilings.flop_per_s, ceilings.bytes_per_s);
        if (!arguments->json.empty())
            io::write_text_file(arguments->json, pipeline::bench_json(arguments->options, report));
        return ExitCode::done;
    };
}

}  // namespace xsift::app
