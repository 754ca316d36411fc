#include "commands.hpp"
#include "table.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>

#include <xsift/characterise/class_model.hpp>
#include <xsift/core/printable.hpp>
#include <xsift/io/catalogue.hpp>
#include <xsift/io/survey.hpp>
#include <xsift/pipeline/describe_record.hpp>
#include <xsift/pipeline/journal.hpp>

namespace xsift::app {

namespace {

std::string number(double value, int digits) {
    return std::isnan(value) ? std::string("") : fmt::format("{:.{}g}", value, digits);
}

std::string interval(const Estimate& estimate) {
    if (std::isnan(estimate.value)) return "";
    if (std::isnan(estimate.lo) || std::isnan(estimate.hi)) return number(estimate.value, 4);
    return fmt::format("{:.4g} [{:.3g}, {:.3g}]", estimate.value, estimate.lo, estimate.hi);
}

struct InfoArguments {
    std::string file;
    std::int64_t rows = 20;
};

void add_source(Table& table, const SourceResult& result) {
    std::vector<std::string> row{result.source.id, result.source.name, result.status, "", "", "", "", ""};
    if (result.best_period >= 0) {
        const PeriodCandidate& candidate = result.candidates[static_cast<std::size_t>(result.best_period)];
        row[3] = number(candidate.period, 9);
        row[4] = number(candidate.period_error, 2);
        row[5] = number(result.log10_fap, 4);
    }
    if (result.best_fit >= 0) {
        const SpectralFit& fit = result.fits[static_cast<std::size_t>(result.best_fit)];
        row[6] = fit.model;
        row[7] = interval(fit.flux);
    }
    table.add(row);
}

void add_candidates(Table& table, const SourceResult& result) {
    for (const PeriodCandidate& c : result.candidates)
        table.add({result.source.id, std::to_string(c.rank), fmt::format("{}_{}", c.method, c.n_harmonics),
                   number(c.period, 9), number(c.frequency, 9), number(c.statistic, 6),
                   number(c.log10_fap, 4), veto_names(c.veto)});
}

void add_fits(Table& table, const SourceResult& result) {
    for (const SpectralFit& f : result.fits) {
        const Estimate& parameter = std::isnan(f.kt.value) ? f.gamma : f.kt;
        table.add({result.source.id, f.spectrum, f.model, f.selected ? "*" : "", number(f.stat, 7),
                   std::to_string(f.dof), interval(f.nh), interval(parameter), number(f.norm.value, 4),
                   interval(f.flux)});
    }
}

void describe_catalogue_file(const std::string& path, std::int64_t rows) {
    const io::CatalogueSummary summary = io::describe_catalogue(path);
    fmt::print("{}: catalogue of {} of {} sources, {} period candidates, {} fits, {} quarantined\n", path,
               summary.info.n_sources, summary.info.survey_sources, summary.n_periods, summary.n_fits,
               summary.n_quarantine);
    for (const auto& [key, value] : summary.info.provenance)
        if (key.rfind("input ", 0) != 0) fmt::print("  {}: {}\n", printable(key), printable(value));

    Table sources(
        {"SRCID", "NAME", "STATUS", "PERIOD s", "ERR", "LOG10_FAP", "BEST_MODEL", "FLUX erg/cm2/s"});
    Table candidates(
        {"SRCID", "RANK", "METHOD", "PERIOD s", "FREQUENCY Hz", "STATISTIC", "LOG10_FAP", "VETO"});
    Table fits({"SRCID", "SPECTRUM", "MODEL", "", "STAT", "DOF", "NH 1e22", "KT keV / GAMMA", "NORM",
                "FLUX erg/cm2/s"});
    Table quarantine({"SRCID", "INPUT", "CODE", "MESSAGE"});
    const std::vector<SourceResult> results =
        io::read_results(path, 0, std::min(rows, summary.info.n_sources));
    auto add_quarantined = [&](const QuarantineRow& row) {
        quarantine.add({row.source_id, row.input, row.code, row.message});
    };
    for (const QuarantineRow& row : summary.info.ingest_quarantine) add_quarantined(row);
    for (const SourceResult& result : results) {
        add_source(sources, result);
        add_candidates(candidates, result);
        add_fits(fits, result);
        for (const QuarantineRow& row : result.quarantine) add_quarantined(row);
    }
    auto show = [](const char* title, const Table& table) {
        if (table.empty()) return;
        fmt::print("\n{}\n", title);
        table.print();
    };
    show("SOURCES", sources);
    show("PERIODS", candidates);
    show("SPECTRAL_FITS (* the model offered)", fits);
    show("QUARANTINE", quarantine);
    if (static_cast<std::int64_t>(results.size()) < summary.info.n_sources)
        fmt::print("\n{} of {} sources shown; --rows N shows more.\n", results.size(),
                   summary.info.n_sources);
}

void describe_journal_file(const std::string& path) {
    const pipeline::JournalSummary journal = pipeline::describe_journal(path);
    fmt::print("{}: journal of a run that has not written its catalogue yet\n", path);
    fmt::print("sources done {} in {} batches{}\n", journal.sources, journal.batches,
               journal.whole ? "" : "; the last record is torn and will be dropped");
    fmt::print("Run the same command with --resume to go on.\n");
}

/// Whether the text file is a class model; says what it holds.
bool describe_class_model(const std::string& path) {
    std::ifstream file(path);
    std::string text(17, ' ');
    if (!file.read(text.data(), static_cast<std::streamsize>(text.size())) || text != "xsift class model")
        return false;
    text.append(std::istreambuf_iterator<char>(file), {});
    const characterise::ClassModel model = characterise::parse_class_model(text, path);
    fmt::print("{}: class model, for `xsift run --class-model` and `xsift classify`\n", path);
    fmt::print("trained with {}\n",
               printable(model.origin.empty() ? "labels of unknown origin" : model.origin));
    Table classes({"CLASS", "LABELLED SOURCES"});
    for (std::size_t i = 0; i < model.classes.size(); ++i)
        classes.add({printable(model.classes[i]), number(model.count[i], 9)});
    classes.print();
    fmt::print("{} properties, {} terms\n", model.axes.size(), model.terms.size());
    return true;
}

/// Completeness against the survey: the same one, and each of its sources in its place exactly once.
void compare_with_survey(const std::string& path, const std::string& survey_path,
                         std::vector<std::string>& findings) {
    constexpr std::int64_t at_once = 4096;
    io::SurveyReader survey(survey_path);
    const io::CatalogueInfo info = io::describe_catalogue(path).info;
    if (info.survey_checksum != survey.checksum()) {
        findings.push_back(fmt::format("was made from survey {}, not from {} ({})", info.survey_checksum,
                                       survey_path, survey.checksum()));
        return;
    }
    if (info.selection || info.first_source != 0 || info.n_sources != survey.size())
        findings.push_back(
            fmt::format("holds {} of the {} sources of the survey", info.n_sources, survey.size()));
    std::int64_t missing = 0;
    for (std::int64_t first = 0; first < info.n_sources; first += at_once) {
        const std::int64_t count = std::min(at_once, info.n_sources - first);
        const std::vector<std::string> expected = survey.ids(info.first_source + first, count),
                                       found = io::read_source_ids(path, first, count);
        for (std::int64_t i = 0; !info.selection && i < count; ++i)
            if (expected[static_cast<std::size_t>(i)] != found[static_cast<std::size_t>(i)] &&
                ++missing <= 20)
                findings.push_back(fmt::format(
                    "source {} of the survey is {}, the catalogue has {}", info.first_source + first + i,
                    expected[static_cast<std::size_t>(i)], found[static_cast<std::size_t>(i)]));
    }
    if (missing > 20) findings.push_back(fmt::format("and {} further sources that differ", missing - 20));
    std::set<std::string> inputs, accounted;
    for (const auto& [key, value] : info.provenance)
        if (key.starts_with("input ")) accounted.insert(key.substr(6));
    if (!accounted.empty())
        for (const io::InputRecord& input : survey.inputs())
            if (!accounted.contains(input.file))
                findings.push_back("input " + input.file + " of the survey is not in PROVENANCE");
}

ExitCode verify_file(const std::string& path, const std::string& survey_path) {
    std::vector<std::string> findings;
    if (io::looks_like_hdf5(path)) {
        io::SurveyReader survey(path);
        for (const std::string& dataset : survey.verify())
            findings.push_back("checksum of " + dataset + " does not match");
    } else {
        findings = io::verify_catalogue(path);
        if (findings.empty() && !survey_path.empty()) compare_with_survey(path, survey_path, findings);
    }
    for (const std::string& finding : findings) fmt::print("{}: {}\n", path, printable(finding));
    if (findings.empty()) fmt::print("{}: sound\n", path);
    return findings.empty() ? ExitCode::done : ExitCode::corrupt_file;
}

}  // namespace

Action add_info(CLI::App& app) {
    auto arguments = std::make_shared<InfoArguments>();
    CLI::App* command = app.add_subcommand("info", "Explain a file that xsift wrote");
    command->add_option("file", arguments->file, "Survey, catalogue, journal, class model, or JSON record")
        ->required();
    command->add_option("--rows", arguments->rows, "Sources to show")->check(CLI::NonNegativeNumber);
    return [arguments] {
        if (io::looks_like_hdf5(arguments->file))
            fmt::print("{}", printable(io::SurveyReader(arguments->file).describe()));
        else if (pipeline::looks_like_journal(arguments->file))
            describe_journal_file(arguments->file);
        else if (const auto record = pipeline::describe_record(arguments->file))
            fmt::print("{}: {}", arguments->file, printable(*record));
        else if (!describe_class_model(arguments->file))
            describe_catalogue_file(arguments->file, arguments->rows);
        return ExitCode::done;
    };
}

Action add_verify(CLI::App& app) {
    auto file = std::make_shared<std::string>(), survey = std::make_shared<std::string>();
    CLI::App* command =
        app.add_subcommand("verify", "Check a survey or catalogue: checksums, structure, completeness");
    command->add_option("file", *file, "Survey or catalogue")->required();
    command->add_option("--survey", *survey,
                        "The survey of a catalogue: check that every source of it is there");
    return [file, survey] { return verify_file(*file, *survey); };
}

}  // namespace xsift::app
