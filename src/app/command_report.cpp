#include "commands.hpp"
#include "settings_file.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <sstream>

#include <fmt/format.h>

#include <xsift/io/atomic_file.hpp>
#include <xsift/io/catalogue.hpp>
#include <xsift/io/survey.hpp>
#include <xsift/report/dossier.hpp>

namespace xsift::app {

namespace {

struct ReportArguments {
    std::string catalogue, survey, source, folder;
    std::int64_t top = 0;
};

/// Rows of the catalogue are read in steps, so that memory does not depend on its size.
constexpr std::int64_t step = 1000;

double rank_of(const SourceResult& result) {
    return result.best_period < 0 ? 0.0 : result.log10_fap;
}

/// The results to report: one source, or the N whose period is most significant.
std::vector<SourceResult> chosen(const ReportArguments& arguments, std::int64_t n_sources) {
    std::vector<SourceResult> found;
    for (std::int64_t first = 0; first < n_sources; first += step) {
        for (SourceResult& result :
             io::read_results(arguments.catalogue, first, std::min(step, n_sources - first)))
            if (arguments.source.empty() || result.source.id == arguments.source)
                found.push_back(std::move(result));
        if (!arguments.source.empty()) continue;
        std::stable_sort(found.begin(), found.end(), [](const SourceResult& a, const SourceResult& b) {
            return rank_of(a) < rank_of(b);
        });
        if (static_cast<std::int64_t>(found.size()) > arguments.top)
            found.resize(static_cast<std::size_t>(arguments.top));
    }
    if (found.empty() && !arguments.source.empty())
        throw Error(ErrorKind::usage, "NO_SUCH_SOURCE",
                    fmt::format("no source '{}' in {}", arguments.source, arguments.catalogue), "",
                    "`xsift info` lists the catalogue.");
    return found;
}

/// An id as a file name: nothing in it may leave the folder.
std::string file_name(const std::string& id) {
    std::string name;
    for (const char c : id)
        name += (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ||
                 (c == '.' && !name.empty()))
                    ? c
                    : '_';
    return name + ".html";
}

ExitCode perform_report(const ReportArguments& arguments) {
    const io::CatalogueInfo info = io::describe_catalogue(arguments.catalogue).info;
    io::SurveyReader survey(arguments.survey);
    if (survey.checksum() != info.survey_checksum)
        throw Error(ErrorKind::usage, "WRONG_SURVEY",
                    fmt::format("{} was not made from {}", arguments.catalogue, arguments.survey),
                    "their checksums differ", "Give the survey that the run used.");
    pipeline::RunConfiguration configuration;
    std::istringstream text(info.configuration);
    apply_toml(text, "the configuration of " + arguments.catalogue, pipeline::settings_of(configuration));

    std::error_code failure;
    std::filesystem::create_directories(arguments.folder, failure);
    if (failure)
        throw Error(ErrorKind::usage, "UNWRITABLE", "cannot make the folder " + arguments.folder,
                    failure.message());
    for (const SourceResult& result : chosen(arguments, info.n_sources)) {
        const std::int64_t index = survey.index_of(result.source.id);
        if (index < 0)
            throw Error(ErrorKind::corrupt_file, "NO_SUCH_SOURCE",
                        fmt::format("{} is not in {}", result.source.id, arguments.survey));
        const std::vector<SourceData> data = survey.read(index, 1);
        const std::string path =
            (std::filesystem::path(arguments.folder) / file_name(result.source.id)).string();
        io::write_text_file(path, report::dossier(data.front(), result, configuration.spectra));
        fmt::print("{}\n", path);
    }
    return ExitCode::done;
}

}  // namespace

Action add_report(CLI::App& app) {
    auto arguments = std::make_shared<ReportArguments>();
    CLI::App* command = app.add_subcommand("report", "Write dossiers: one HTML page a source");
    command->add_option("catalogue", arguments->catalogue, "Catalogue of a run")->required();
    command->add_option("--survey", arguments->survey, "Survey that the run used")->required();
    CLI::Option* source = command->add_option("--source", arguments->source, "This source");
    command->add_option("--top", arguments->top, "The N sources with the most significant periods")
        ->check(CLI::PositiveNumber)
        ->excludes(source);
    command->add_option("-o,--output", arguments->folder, "Folder to write to")->required();
    return [arguments] {
        if (arguments->source.empty() && arguments->top == 0) arguments->top = 10;
        return perform_report(*arguments);
    };
}

}  // namespace xsift::app
