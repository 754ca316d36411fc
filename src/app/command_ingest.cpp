#include "commands.hpp"
#include "list_arguments.hpp"
#include "progress.hpp"
#include "table.hpp"

#include <cstdint>
#include <memory>

#include <fmt/format.h>

#include <xsift/pipeline/ingest.hpp>
#include <xsift/pipeline/join.hpp>
#include <xsift/pipeline/simulate.hpp>

namespace xsift::app {

namespace {

/// LO:HI in keV, either end may be empty.
void parse_energy(const std::string& text, pipeline::IngestOptions& options) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos)
        throw CLI::ValidationError("--events-energy", "expected LO:HI in keV, as 0.3:10");
    auto part = [&](const std::string& number, double& target) {
        if (!number.empty() && !CLI::detail::lexical_cast(number, target))
            throw CLI::ValidationError("--events-energy", "'" + number + "' is not a number");
    };
    part(text.substr(0, colon), options.energy_lo);
    part(text.substr(colon + 1), options.energy_hi);
    if (options.energy_lo >= options.energy_hi)
        throw CLI::ValidationError("--events-energy", "LO must be below HI");
}

}  // namespace

Action add_ingest(CLI::App& app) {
    auto options = std::make_shared<pipeline::IngestOptions>();
    CLI::App* command =
        app.add_subcommand("ingest", "Read event lists, spectra and light curves into a survey file");
    command
        ->add_option("inputs", options->inputs,
                     "Files, folders (searched recursively) or @LIST (a path a line)")
        ->required();
    command->add_option("-o,--output", options->output, "Survey file to write")->required();
    command->add_option("-j,--threads", options->threads, "Threads; 0: all")->check(CLI::NonNegativeNumber);
    command
        ->add_option("--response-path", options->response_path,
                     "Folder to search for responses, ARFs and backgrounds (repeatable)")
        ->allow_extra_args(false);
    command
        ->add_option(
            "--response-substitute", options->response_substitute,
            "PATTERN=FILE: use FILE for responses whose name matches PATTERN and which are not found "
            "(repeatable); recorded and flagged")
        ->allow_extra_args(false);
    command->add_option(
        "--source-list", options->source_list,
        "Source list (FITS or CSV): id, name, ra, dec, pos_err; further columns are carried through");
    command->add_option("--association", options->association,
                        "CSV table file,source_id: which file is of which source");
    command->add_option_function<std::string>(
        "--events-energy", [options](const std::string& text) { parse_energy(text, *options); },
        "Keep events of LO:HI keV only");
    command->add_option("--region", options->region,
                        "Keep events in circle(RA,DEC,RADIUS) only; deg, deg, arcsec");
    command->add_option(
        "--weight-column", options->weight_column,
        "Column of photon weights; default: WEIGHT where a file has it; none: ignore weights");
    command->add_flag(
        "--barycentre", options->barycentre,
        "Correct times to the solar system's barycentre (TDB) where the files say that it has not "
        "been done; source positions from the source list or the headers");
    command
        ->add_option("--orbit", options->orbits,
                     "Spacecraft orbit file for --barycentre (repeatable): FITS table of TIME and X, Y, Z or "
                     "POSITION; without one the Earth's centre is taken, flagged")
        ->allow_extra_args(false);
    command->add_flag(
        "--repair", options->repair,
        "Mend damaged inputs (sort times, drop NaN rows, merge overlapping GTIs, interpolate an ARF on other "
        "energies; flagged) instead of quarantining them");
    command->add_flag("!--no-compress", options->compress,
                      "Store without compression: larger, faster to read");
    return [options] {
        Progress progress("files");
        const pipeline::IngestSummary summary = pipeline::ingest(
            *options, [&](std::int64_t done, std::int64_t total) { progress.update(done, total); });
        progress.finish();
        fmt::print("{}\n", options->output);
        Table table({"", ""});
        table.add({"sources", std::to_string(summary.sources)});
        table.add({"event lists", std::to_string(summary.event_lists)});
        table.add({"light curves", std::to_string(summary.light_curves)});
        table.add({"spectra", std::to_string(summary.spectra)});
        table.add({"responses", std::to_string(summary.responses)});
        table.add({"files read", std::to_string(summary.inputs)});
        for (const auto& [code, count] : summary.quarantined)
            table.add({"quarantined, " + code, std::to_string(count)});
        table.print();
        return summary.quarantined.empty() ? ExitCode::done : ExitCode::done_with_quarantine;
    };
}

Action add_join(CLI::App& app) {
    struct Arguments {
        std::vector<std::string> parts;
        std::string output;
        bool compress = true;
    };
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = app.add_subcommand("join", "Join surveys that were ingested in parts");
    command
        ->add_option("parts", arguments->parts,
                     "Survey files, in the order of their sources, or @LIST of them")
        ->required();
    command->add_option("-o,--output", arguments->output, "Survey file to write")->required();
    command->add_flag("!--no-compress", arguments->compress, "Store without compression");
    return [arguments] {
        const pipeline::JoinSummary summary =
            pipeline::join_surveys(expand_lists(arguments->parts), arguments->output, arguments->compress);
        fmt::print("{}: {} sources from {} parts, {} of them with data of several\n", arguments->output,
                   summary.sources, summary.parts, summary.joined);
        return ExitCode::done;
    };
}

Action add_simulate(CLI::App& app) {
    auto options = std::make_shared<pipeline::SimulateOptions>();
    CLI::App* command = app.add_subcommand("simulate", "Write a simulated survey with injected truth");
    command->add_option("-o,--output", options->output, "Survey file to write")->required();
    command->add_option("--sources", options->sources, "Number of sources")->check(CLI::NonNegativeNumber);
    command->add_option("--seed", options->seed, "Seed; the same seed gives the same bytes");
    command->add_option("--counts", options->mean_counts, "Typical number of photons a source")
        ->check(CLI::PositiveNumber);
    command->add_option("--exposure", options->exposure, "Length of the exposures, s")
        ->check(CLI::PositiveNumber);
    command->add_option("--frame-time", options->frame_time, "Read-out frame, s")->check(CLI::PositiveNumber);
    command->add_option("--pulsed", options->pulsed_share, "Share of sources with an injected period")
        ->check(CLI::Range(0.0, 1.0));
    command->add_flag("--with-spectra", options->spectra, "Also one spectrum a source");
    command->add_flag("!--no-compress", options->compress, "Store without compression");
    return [options] {
        pipeline::simulate(*options);
        fmt::print("{}\n", options->output);
        return ExitCode::done;
    };
}

}  // namespace xsift::app
