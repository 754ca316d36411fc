// Readers of what xsift writes itself: survey, catalogue, journal, class model, settings, model expressions.

#include "calls.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include <settings_file.hpp>

#include <xsift/characterise/class_model.hpp>
#include <xsift/io/catalogue.hpp>
#include <xsift/io/survey.hpp>
#include <xsift/pipeline/configuration.hpp>
#include <xsift/pipeline/journal.hpp>
#include <xsift/spectral/definition.hpp>

namespace xsift::fuzz {

void read_configuration(const Input& input) {
    pipeline::RunConfiguration configuration;
    std::istringstream text{std::string(input.text())};
    app::apply_toml(text, "fuzz", pipeline::settings_of(configuration));
    // What was accepted can be printed and read again, and says the same.
    const std::string printed = pipeline::to_toml(configuration);
    pipeline::RunConfiguration again;
    std::istringstream printed_text(printed);
    app::apply_toml(printed_text, "printed", pipeline::settings_of(again));
    require(pipeline::to_toml(again) == printed, "settings change when printed and read again");
    // Names of tables are paths: a fuzzer shall not open what it makes up.
    const auto names_file = [](const std::string& model) { return model.find("table") != std::string::npos; };
    const auto& models = configuration.spectra.models;
    if (std::any_of(models.begin(), models.end(), names_file) ||
        printed.find("apec-table = \"\"") == std::string::npos)
        return;
    pipeline::read_model_tables(configuration.spectra);
}

void read_model(const Input& input) {
    // Settings of parameters follow the expression, one a line.
    spectral::FitOptions options;
    std::istringstream lines{std::string(input.text())};
    std::string model;
    std::getline(lines, model);
    options.models = {model};
    for (std::string line; std::getline(lines, line);) options.parameters.push_back(line);
    for (const spectral::ModelDefinition& found : spectral::define_models(options)) {
        const std::vector<double> values = found.initial_values();
        require(values.size() == found.parameters.size(), "values of parameters");
        for (std::size_t i = 0; i < values.size(); ++i) {
            const spectral::ModelParameter& p = found.parameters[i];
            require(p.lo <= p.hi, "limits of a parameter");
            require(p.tied_to >= 0 || (p.lo <= values[i] && values[i] <= p.hi), "a value outside its limits");
            require(p.tied_to < static_cast<int>(values.size()), "a parameter tied to none");
        }
        for (const spectral::Term& term : found.terms)
            require(found.components.at(static_cast<std::size_t>(term.additive)).additive,
                    "a term adds nothing");
    }
}

void read_class_model(const Input& input) {
    using namespace characterise;
    const ClassModel model = parse_class_model(input.text(), "fuzz");
    Properties properties;
    properties.fill(0.5);
    for (const ClassProbability& row :
         class_rows(model, classify(model, properties, log_priors(model, "power:0.5")),
                    log_priors(model, "power:0.5")))
        require(row.probability >= 0.0 && row.probability <= 1.0, "a probability");
    static_cast<void>(to_text(model));
}

void read_survey(const Input& input) {
    io::SurveyReader survey(input.path());
    static_cast<void>(survey.describe());
    static_cast<void>(survey.provenance());
    static_cast<void>(survey.quarantine());
    static_cast<void>(survey.inputs());
    static_cast<void>(survey.truth());
    survey.visit_loads([](const io::SourceLoad&) {});
    for (const SourceData& source : survey.read(0, survey.size())) {
        for (const EventList& events : source.events)
            require(events.gti.start.size() == events.gti.stop.size(), "gti");
        for (const Spectrum& spectrum : source.spectra)
            if (spectrum.response) check_response(*spectrum.response);
    }
    static_cast<void>(survey.verify());
}

void read_catalogue(const Input& input) {
    static_cast<void>(io::verify_catalogue(input.path()));
    const io::CatalogueSummary summary = io::describe_catalogue(input.path());
    static_cast<void>(io::read_source_ids(input.path(), 0, summary.info.n_sources));
    require(io::read_results(input.path(), 0, summary.info.n_sources).size() ==
                static_cast<std::size_t>(summary.info.n_sources),
            "results");
}

void read_journal(const Input& input) {
    if (pipeline::looks_like_journal(input.path()))
        static_cast<void>(pipeline::describe_journal(input.path()));
    // The identity of the seed, which is a real run's: else nothing after it would be looked at.
    constexpr std::size_t identity_at = 64, identity_bytes = 39;
    const std::string_view text = input.text();
    const std::string identity(text.substr(std::min(identity_at, text.size()), identity_bytes));
    pipeline::Journal journal(input.path(), identity, true);
    std::int64_t seen = 0;
    journal.replay([&](const SourceResult&) { ++seen; });
    require(seen == journal.size(), "a journal that counts otherwise than it holds");
    journal.append(std::vector<SourceResult>(1));
    journal.replay([&](const SourceResult&) { --seen; });
    require(seen == -1, "what was appended is not there");
}

}  // namespace xsift::fuzz
