#include "commands.hpp"
#include "table.hpp"

#include <memory>

#include <fmt/format.h>

#include <xsift/io/atomic_file.hpp>
#include <xsift/pipeline/bench.hpp>

namespace xsift::app {

Action add_bench(CLI::App& app) {
    struct Arguments {
        pipeline::BenchOptions options;
        std::string json;
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
    return [arguments] {
        const std::vector<pipeline::BenchResult> results = pipeline::bench(arguments->options);
        Table table({"WORKLOAD", "BACKEND", "SECONDS", "RATE", ""});
        for (const pipeline::BenchResult& result : results)
            table.add({result.workload, result.backend, fmt::format("{:.4g}", result.seconds),
                       fmt::format("{:.4g}", result.rate), result.unit});
        table.print();
        if (!arguments->json.empty())
            io::write_text_file(arguments->json, pipeline::bench_json(arguments->options, results));
        return ExitCode::done;
    };
}

}  // namespace xsift::app
