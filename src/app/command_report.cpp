#include "commands.hpp"
#include "list_arguments.hpp"
#include "settings_file.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <set>
#include <sstream>
#include <unordered_map>

#include <fmt/format.h>

#include <xsift/core/hash.hpp>
#include <xsift/core/log.hpp>
#include <xsift/io/atomic_file.hpp>
#include <xsift/io/catalogue.hpp>
#include <xsift/io/survey.hpp>
#include <xsift/pipeline/dossier_material.hpp>
#include <xsift/report/dossier.hpp>

namespace xsift::app {

namespace {

namespace fs = std::filesystem;

struct ReportArguments {
    std::string catalogue, survey, folder, plots, history, format = "html";
    std::vector<std::string> sources;
    std::int64_t top = 0;
    bool with_period = false, with_alert = false, poor_fits = false, all = false;
    int threads = 0;

    bool filters() const { return with_period || with_alert || poor_fits || all; }
};

/// Rows of the catalogue are read in steps, so that memory does not depend on its size.
constexpr std::int64_t step = 1000;
/// Sources computed at once.
constexpr std::size_t batch = 32;
/// A statistic this many standard deviations above its expectation is called a poor fit.
constexpr double poor_fit_sigma = 3.0;

double rank_of(const SourceResult& result) {
    return result.best_period < 0 ? 0.0 : result.log10_fap;
}

bool wanted(const ReportArguments& arguments, const SourceResult& result) {
    const bool poor = result.best_fit >= 0 &&
                      result.fits[static_cast<std::size_t>(result.best_fit)].gof_sigma > poor_fit_sigma;
    return !arguments.filters() || arguments.all || (arguments.with_period && result.best_period >= 0) ||
           (arguments.with_alert && !result.character.alert.empty()) || (arguments.poor_fits && poor);
}

/// The results to report: the named sources in their order, or those that pass the filters, by the
/// significance of their periods when only some of them are asked for.
std::vector<SourceResult> chosen(const ReportArguments& arguments, std::int64_t n_sources) {
    std::vector<std::string> names = expand_lists(arguments.sources);
    std::unordered_map<std::string, std::size_t> order;
    for (const std::string& name : names) order.emplace(name, order.size());
    std::vector<SourceResult> found;
    for (std::int64_t first = 0; first < n_sources; first += step) {
        for (SourceResult& result :
             io::read_results(arguments.catalogue, first, std::min(step, n_sources - first)))
            if (names.empty() ? wanted(arguments, result) : order.contains(result.source.id))
                found.push_back(std::move(result));
        if (!names.empty() || arguments.top == 0) continue;
        std::stable_sort(found.begin(), found.end(), [](const SourceResult& a, const SourceResult& b) {
            return rank_of(a) < rank_of(b);
        });
        if (static_cast<std::int64_t>(found.size()) > arguments.top)
            found.resize(static_cast<std::size_t>(arguments.top));
    }
    if (found.size() < order.size()) {
        for (const SourceResult& result : found) order.erase(result.source.id);
        const auto missing = std::min_element(
            order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
        throw Error(ErrorKind::usage, "NO_SUCH_SOURCE",
                    fmt::format("no source '{}' in {}", missing->first, arguments.catalogue), "",
                    "`xsift info` lists the catalogue.");
    }
    if (!names.empty())
        std::stable_sort(found.begin(), found.end(), [&](const SourceResult& a, const SourceResult& b) {
            return order.at(a.source.id) < order.at(b.source.id);
        });
    return found;
}

/// Ids as file names: nothing in them may leave the folder, and no two sources share one.
class FileNames {
  public:
    std::string name(const std::string& id) {
        constexpr std::size_t longest = 150;
        std::string plain;
        for (const char c : id)
            plain += (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ||
                      (c == '.' && !plain.empty()))
                         ? c
                         : '_';
        if (plain.size() > longest) plain.resize(longest);
        if (plain.empty()) plain = "_";
        std::string unique = plain;
        // Some file systems do not tell upper from lower case.
        const auto folded = [](std::string text) {
            std::transform(text.begin(), text.end(), text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
            return text;
        };
        for (int k = 2; !taken_.insert(folded(unique)).second; ++k) unique = fmt::format("{}_{}", plain, k);
        return unique;
    }

  private:
    std::set<std::string> taken_{"index"};
};

void make_folder(const std::string& path) {
    std::error_code failure;
    fs::create_directories(path, failure);
    if (failure)
        throw Error(ErrorKind::usage, "UNWRITABLE", "cannot make the folder " + path, failure.message());
}

/// Earlier fluxes that the run compared with, or why they are not there.
std::pair<pipeline::FluxHistory, std::string> history_of(const ReportArguments& arguments,
                                                         const pipeline::CharacterOptions& options,
                                                         const io::CatalogueInfo& info) {
    const std::string path = arguments.history.empty() ? options.history : arguments.history;
    if (path.empty()) return {{}, "the run was given no table of earlier fluxes."};
    if (!fs::exists(path)) {
        if (!arguments.history.empty())
            throw Error(ErrorKind::usage, "UNREADABLE", "cannot read " + path, "", "Check --history.");
        return {{}, fmt::format("{} of the run is not there; --history names it anew.", path)};
    }
    const std::string key = "table " + fs::path(options.history).filename().string();
    const std::string checksum = file_hash(path);
    for (const auto& [name, value] : info.provenance)
        if (!options.history.empty() && name == key && value != checksum) {
            const std::string why =
                fmt::format("{} is not the table that the run used (their checksums differ).", path);
            if (!arguments.history.empty())
                throw Error(ErrorKind::usage, "WRONG_HISTORY", why, "", "Give the table that the run used.");
            return {{}, why};
        }
    return {pipeline::read_flux_history(path, options.history_convert), ""};
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
    pipeline::read_model_tables(configuration.spectra);

    report::DossierContext context;
    context.spectra = configuration.spectra;
    context.variability = configuration.variability;
    context.extra_columns = info.extra_columns;
    context.steps = info.steps;
    context.matched = !configuration.character.counterparts.empty();
    context.configuration = info.configuration;
    context.provenance = info.provenance;

    const ThreadPool pool(arguments.threads);
    engine::Engines engines = engine::make_cpu_engines(pool);
    auto [history, history_missing] = history_of(arguments, configuration.character, info);
    const pipeline::DossierMaker maker(configuration, engines, pool, std::move(history), history_missing);

    if (!arguments.folder.empty()) make_folder(arguments.folder);
    if (!arguments.plots.empty()) make_folder(arguments.plots);
    std::vector<SourceResult> results = chosen(arguments, info.n_sources);
    const bool as_json = arguments.format == "json";
    FileNames names;
    std::vector<report::IndexRow> index;
    for (std::size_t first = 0; first < results.size(); first += batch) {
        const std::size_t end = std::min(results.size(), first + batch);
        std::vector<SourceData> data;
        std::vector<SourceResult> part;
        std::vector<std::string> file;
        for (std::size_t i = first; i < end; ++i) {
            const std::int64_t at = survey.index_of(results[i].source.id);
            if (at < 0)
                throw Error(ErrorKind::corrupt_file, "NO_SUCH_SOURCE",
                            fmt::format("{} is not in {}", results[i].source.id, arguments.survey));
            data.push_back(std::move(survey.read(at, 1).front()));
            file.push_back(names.name(results[i].source.id));
            index.push_back({file.back() + (as_json ? ".json" : ".html"), report::index_cells(results[i])});
            part.push_back(std::move(results[i]));
        }
        const std::vector<DossierMaterial> material = maker.make(std::move(data), std::move(part));
        pool.for_each(material.size(), [&](std::size_t i) {
            const report::Page page = report::dossier(material[i], context);
            if (!arguments.folder.empty())
                io::write_text_file(
                    (fs::path(arguments.folder) / (file[i] + (as_json ? ".json" : ".html"))).string(),
                    as_json ? report::json(page) : report::html(page));
            if (arguments.plots.empty()) return;
            const std::string folder = (fs::path(arguments.plots) / file[i]).string();
            make_folder(folder);
            for (const auto& [key, svg] : report::svg_files(page))
                io::write_text_file((fs::path(folder) / (key + ".svg")).string(), svg);
        });
        for (std::size_t i = 0; i < material.size(); ++i)
            fmt::print(
                "{}\n",
                arguments.folder.empty()
                    ? (fs::path(arguments.plots) / file[i]).string()
                    : (fs::path(arguments.folder) / (file[i] + (as_json ? ".json" : ".html"))).string());
    }
    if (results.empty()) log::warning("no source passes the selection: the index is empty");
    if (!arguments.folder.empty() && !as_json) {
        const std::string path = (fs::path(arguments.folder) / "index.html").string();
        io::write_text_file(path, report::index_html(fs::path(arguments.catalogue).filename().string(),
                                                     fmt::format("{} of {} sources. Press a heading to sort.",
                                                                 index.size(), info.n_sources),
                                                     report::index_columns(), index));
        fmt::print("{}\n", path);
    }
    return ExitCode::done;
}

}  // namespace

Action add_report(CLI::App& app) {
    auto arguments = std::make_shared<ReportArguments>();
    CLI::App* command = app.add_subcommand("report", "Write dossiers: one page a source, and an index");
    command->add_option("catalogue", arguments->catalogue, "Catalogue of a run")->required();
    command->add_option("--survey", arguments->survey, "Survey that the run used")->required();
    CLI::Option* source =
        command->add_option("--source", arguments->sources, "These sources: ID,... or @FILE; may be repeated")
            ->delimiter(',');
    CLI::Option* top =
        command
            ->add_option("--top", arguments->top,
                         "The N sources with the most significant periods (of those that pass the filters)")
            ->check(CLI::PositiveNumber)
            ->excludes(source);
    for (const auto& [flag, member, text] :
         {std::tuple{"--all", &ReportArguments::all, "All sources"},
          std::tuple{"--with-period", &ReportArguments::with_period, "All sources with a period"},
          std::tuple{"--with-alert", &ReportArguments::with_alert, "All sources with a long-term alert"},
          std::tuple{"--poor-fit", &ReportArguments::poor_fits,
                     "All sources whose preferred model is a poor fit"}})
        command->add_flag(flag, (*arguments).*member, text)->excludes(source);
    command->add_option("-o,--output", arguments->folder, "Folder to write pages to");
    command->add_option("--format", arguments->format, "html, or json: the same content for machines")
        ->check(CLI::IsMember({"html", "json"}))
        ->capture_default_str();
    command->add_option("--plots", arguments->plots,
                        "Folder to write the plots alone to, SVG files a source");
    command->add_option("--history", arguments->history,
                        "Table of earlier fluxes, where it is not where the run found it");
    command->add_option("-j,--threads", arguments->threads, "Threads; 0: all")->check(CLI::NonNegativeNumber);
    (void)top;
    return [arguments] {
        if (arguments->folder.empty() && arguments->plots.empty())
            throw Error(ErrorKind::usage, "NO_OUTPUT", "nothing to write to", "",
                        "Give -o FOLDER, --plots FOLDER or both.");
        if (arguments->sources.empty() && arguments->top == 0 && !arguments->filters()) arguments->top = 10;
        return perform_report(*arguments);
    };
}

}  // namespace xsift::app
