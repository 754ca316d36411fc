#include "commands.hpp"
#include "list_arguments.hpp"
#include "progress.hpp"
#include "settings_file.hpp"
#include "table.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <tuple>

#include <fmt/format.h>

#include <xsift/core/log.hpp>
#include <xsift/io/catalogue.hpp>
#include <xsift/io/survey.hpp>
#include <xsift/pipeline/review.hpp>
#include <xsift/pipeline/run.hpp>
#include <xsift/pipeline/shard_plan.hpp>

namespace xsift::app {

namespace {

/// Set by SIGTERM and SIGINT; the run stops after the batch in hand. Lock-free, so a handler may set it
/// again.
std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free);
void request_stop(int) {
    stop_requested.store(true);
}

/// What the number of shards is limited to by default: arrays of this size are allowed nearly everywhere.
constexpr std::int64_t most_planned_shards = 1000;

struct RunArguments {
    pipeline::RunOptions options;
    std::string configuration_file, shard = "1/1", part = "1/1", sources, batch_memory = "512M",
                                    device_memory;
    bool print_configuration = false;
    std::map<std::string, std::vector<std::string>> given;  ///< settings of the command line by flag
};

std::int64_t parse_bytes(const std::string& flag, const std::string& text) {
    std::size_t used = 0;
    double value = 0.0;
    try {
        value = std::stod(text, &used);
    } catch (const std::exception&) {
        used = 0;
    }
    const std::string unit = used > 0 ? text.substr(used) : "?";
    const double scale = unit.empty()  ? 1.0
                         : unit == "K" ? 0x1p10
                         : unit == "M" ? 0x1p20
                         : unit == "G" ? 0x1p30
                                       : 0.0;
    if (!(value * scale >= 1.0 && value * scale < 1e15))
        throw Error(ErrorKind::usage, "BAD_SETTING", flag + " " + text + " is not usable", "",
                    "Use bytes with K, M or G, as 512M.");
    return static_cast<std::int64_t>(value * scale);
}

/// K/N as a pair. @throws Error (usage, "BAD_SETTING").
std::pair<std::int64_t, std::int64_t> parse_share(const std::string& flag, const std::string& text) {
    long long k = 0, n = 0;
    char rest = 0;
    if (std::sscanf(text.c_str(), "%lld/%lld%c", &k, &n, &rest) != 2 || n < 1 || k < 1 || k > n)
        throw Error(ErrorKind::usage, "BAD_SETTING", flag + " " + text + " is not usable", "",
                    "Use K/N with 1 <= K <= N, as 3/8.");
    return {k, n};
}

/// Defaults, then the file, then the command line.
void resolve_configuration(const std::string& file,
                           const std::map<std::string, std::vector<std::string>>& given,
                           pipeline::RunConfiguration& configuration) {
    const std::vector<pipeline::Setting> settings = pipeline::settings_of(configuration);
    if (!file.empty()) {
        std::ifstream text(file);
        if (!text)
            throw Error(ErrorKind::usage, "BAD_CONFIGURATION", "cannot read " + file, "",
                        "Give the path of a TOML file; `xsift run --print-config` prints one.");
        apply_toml(text, file, settings);
    }
    for (const pipeline::Setting& setting : settings)
        if (const auto values = given.find(setting.flag); values != given.end()) setting.set(values->second);
}

void print_summary(const pipeline::RunSummary& summary, const std::string& output) {
    Table table({"", ""});
    table.add({"sources", std::to_string(summary.sources)});
    if (summary.resumed > 0) table.add({"of which resumed", std::to_string(summary.resumed)});
    table.add({"period candidates", std::to_string(summary.candidates)});
    table.add({"sources with a period", std::to_string(summary.periods)});
    table.add({"spectral fits", std::to_string(summary.fits)});
    for (const auto& [code, count] : summary.quarantined)
        table.add({"quarantined, " + code, std::to_string(count)});
    table.add({"peak memory, MiB", std::to_string(summary.peak_memory >> 20)});
    table.add({"backend", summary.backend});
    fmt::print("{}\n", output);
    table.print();
}

/// What the run's time went into, as log lines.
void log_stages(const pipeline::RunSummary& summary) {
    double all = 0.0;
    for (const auto& [stage, time] : summary.stages) all += time.processor;
    for (const auto& [stage, time] : summary.stages)
        log::info("{:<12} {:>9.2f} s, {:>9.2f} core-s, {:>3.0f}%", stage, time.wall, time.processor,
                  100.0 * time.processor / std::max(all, 1e-9));
    log::info("{:<12} {:>9.2f} s, {:>9.2f} core-s: {} thread{} busy to {:.0f}%", "total", summary.seconds,
              summary.processor_seconds, summary.threads, summary.threads == 1 ? "" : "s",
              100.0 * summary.utilisation());
    log::info("{} batch{} at once, waiting for input {:.0f}% of the time", summary.lanes,
              summary.lanes == 1 ? "" : "es", 100.0 * summary.waiting());
}

ExitCode perform_run(RunArguments& arguments) {
    pipeline::RunOptions& options = arguments.options;
    resolve_configuration(arguments.configuration_file, arguments.given, options.configuration);
    if (arguments.print_configuration) {
        fmt::print("{}", pipeline::to_toml(options.configuration));
        return ExitCode::done;
    }
    if (options.survey.empty() || options.output.empty())
        throw Error(ErrorKind::usage, "BAD_SETTING", "xsift run needs a survey and -o CATALOGUE", "",
                    "See `xsift run --help`.");
    std::tie(options.shard, options.shards) = parse_share("--shard", arguments.shard);
    std::tie(options.part, options.parts) = parse_share("--part", arguments.part);
    options.batch_memory = parse_bytes("--batch-memory", arguments.batch_memory);
    if (!arguments.device_memory.empty())
        options.device_memory = parse_bytes("--device-memory", arguments.device_memory);
    if (!arguments.sources.empty()) options.sources = CLI::detail::split(arguments.sources, ',');

    struct sigaction action {};
    action.sa_handler = request_stop;
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);

    Progress progress("sources");
    const pipeline::RunSummary summary =
        pipeline::run(options, stop_requested,
                      [&](std::int64_t done, std::int64_t total) { progress.update(done, total); });
    progress.finish();
    if (summary.interrupted)
        throw Error(ErrorKind::interrupted, "INTERRUPTED", "stopped on request",
                    "what is done is kept in " + options.output + ".journal",
                    "Run the same command with --resume.");
    print_summary(summary, options.output);
    log_stages(summary);
    return summary.quarantined.empty() ? ExitCode::done : ExitCode::done_with_quarantine;
}

}  // namespace

Action add_run(CLI::App& app) {
    auto arguments = std::make_shared<RunArguments>();
    pipeline::RunOptions& options = arguments->options;
    CLI::App* command = app.add_subcommand("run", "Search periods, fit spectra, write a catalogue");
    command->add_option("survey", options.survey, "Survey file");
    command->add_option("-o,--output", options.output, "Catalogue to write (FITS)");
    command->add_option("-c,--config", arguments->configuration_file,
                        "Settings, TOML; the command line wins");
    command->add_flag("--print-config", arguments->print_configuration,
                      "Print all settings as TOML and stop");
    command->add_option("--backend", options.backend, "auto, cpu or cuda")
        ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
    command->add_option("-j,--threads", options.threads, "Threads; 0: all")->check(CLI::NonNegativeNumber);
    command->add_option("--search-costs", options.search_costs,
                        "Costs measured by `bench --calibrate`: they change the speed, not the catalogue");
    command->add_option("--batch-memory", arguments->batch_memory,
                        "Input data in flight: bytes with K, M or G");
    command->add_option(
        "--device-memory", arguments->device_memory,
        "Memory used of each GPU: bytes with K, M or G; default: four fifths of what is free");
    command->add_option("--shard", arguments->shard,
                        "K/N: only the K-th of N parts of the survey, of equal predicted cost");
    command->add_option("--part", arguments->part, "K/N: only the K-th of N parts of the shard");
    command->add_option("--sources", arguments->sources, "Only these sources: ID,ID,...");
    command->add_flag("--resume", options.resume, "Go on where an interrupted run stopped");
    command->add_option(
        "--trace", options.trace,
        "Write a timeline of stages, batches and threads (JSON, Chrome's trace events, as Perfetto "
        "opens them)");
    for (const pipeline::Setting& setting : pipeline::settings_of(options.configuration)) {
        // Of a list every occurrence counts (a catalogue would be lost without a word); of anything else the
        // last, as usual.
        const bool list = setting.toml().starts_with('[');
        command
            ->add_option_function<std::vector<std::string>>(
                setting.flag,
                [arguments, flag = setting.flag](const std::vector<std::string>& values) {
                    arguments->given[flag] = values;
                },
                setting.description + " [" + setting.toml() + "]")
            ->group("Settings: " + setting.section)
            ->expected(1)
            ->allow_extra_args(false)  // a value after it may be the survey
            ->multi_option_policy(list ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::TakeLast);
    }
    return [arguments] { return perform_run(*arguments); };
}

Action add_plan(CLI::App& app) {
    struct Arguments {
        std::string survey, configuration_file;
        std::int64_t shards = 0;
        double shard_minutes = 30.0;
        bool number_only = false;
    };
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = app.add_subcommand("plan", "Predict what a run costs and how it is cut into shards");
    command->add_option("survey", arguments->survey, "Survey file")->required();
    command->add_option("-c,--config", arguments->configuration_file, "Settings of the run, TOML");
    command->add_option("--shards", arguments->shards, "Number of shards; 0: by --shard-minutes")
        ->check(CLI::NonNegativeNumber);
    command
        ->add_option("--shard-minutes", arguments->shard_minutes, "Predicted minutes of a shard on one core")
        ->check(CLI::PositiveNumber);
    command->add_flag("--number", arguments->number_only, "Print the number of shards and nothing else");
    return [arguments] {
        pipeline::RunConfiguration configuration;
        resolve_configuration(arguments->configuration_file, {}, configuration);
        const pipeline::ShardPlan plan(io::SurveyReader(arguments->survey), configuration);
        const std::int64_t shards =
            arguments->shards > 0 ? arguments->shards
                                  : plan.shards_of(60.0 * arguments->shard_minutes, most_planned_shards);
        if (arguments->number_only) {
            fmt::print("{}\n", shards);
            return ExitCode::done;
        }
        fmt::print("{} sources, {:.3g} s on one core as predicted\n", plan.sources(),
                   plan.seconds(0, plan.sources()));
        Table table({"SHARD", "SOURCES", "SECONDS"});
        for (std::int64_t k = 1; k <= shards; ++k) {
            const auto [first, end] = plan.shard(k, shards);
            table.add({fmt::format("{}/{}", k, shards), std::to_string(end - first),
                       fmt::format("{:.3g}", plan.seconds(first, end))});
        }
        table.print();
        return ExitCode::done;
    };
}

Action add_merge(CLI::App& app) {
    struct Arguments {
        std::vector<std::string> shards;
        std::string output;
    };
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = app.add_subcommand("merge", "Merge the catalogues of all shards into one");
    command->add_option("shards", arguments->shards, "Shard catalogues, in any order, or @LIST of them")
        ->required();
    command->add_option("-o,--output", arguments->output, "Catalogue to write")->required();
    return [arguments] {
        const std::vector<std::string> shards = expand_lists(arguments->shards);
        pipeline::RunConfiguration configuration;
        if (!shards.empty()) {
            std::istringstream text(io::describe_catalogue(shards.front()).info.configuration);
            apply_toml(text, "CONFIG of " + shards.front(), pipeline::settings_of(configuration));
        }
        pipeline::CatalogueReview review(configuration.search);
        io::merge_catalogues(shards, arguments->output, &review);
        fmt::print("{}\n", arguments->output);
        return ExitCode::done;
    };
}

}  // namespace xsift::app
