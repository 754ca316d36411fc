// xsift train, xsift classify: class models, and classes of the sources of a table.

#include "commands.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <xsift/core/log.hpp>
#include <xsift/io/atomic_file.hpp>
#include <xsift/pipeline/class_table.hpp>
#include <xsift/pipeline/configuration.hpp>

namespace xsift::app {

namespace {

struct ClassArguments {
    std::string table, output, model;
    std::vector<std::string> columns, depth;
    std::string priors = pipeline::CharacterOptions{}.class_priors;
    characterise::TrainingOptions training;
};

std::map<std::string, std::string> column_names(const std::vector<std::string>& texts) {
    std::map<std::string, std::string> names;
    for (const std::string& text : texts) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos)
            throw Error(ErrorKind::usage, "BAD_SETTING", fmt::format("--column '{}' is not usable", text), "",
                        "Use OBSERVABLE=COLUMN, as G=phot_g_mean_mag; OBSERVABLE= leaves it out.");
        names[text.substr(0, equals)] = text.substr(equals + 1);
    }
    return names;
}

void add_column_option(CLI::App* command, ClassArguments& arguments) {
    command
        ->add_option("--column", arguments.columns,
                     "OBSERVABLE=COLUMN, where a column does not have one of its usual names; OBSERVABLE= "
                     "leaves it out. Observables (usual names): " +
                         pipeline::class_table_help())
        ->allow_extra_args(false);
    command
        ->add_option(
            "--depth", arguments.depth,
            "BAND=MAGNITUDE (repeatable; G, J, K, W1): sources without this magnitude were looked for and "
            "are "
            "fainter, which bounds their X-ray to optical ratio. Without it the absence of a counterpart "
            "says nothing")
        ->allow_extra_args(false);
}

std::vector<pipeline::ClassTableRow> read_table(const ClassArguments& arguments) {
    return pipeline::read_class_table(arguments.table, column_names(arguments.columns),
                                      pipeline::read_depth(arguments.depth));
}

ExitCode perform_train(ClassArguments& arguments) {
    std::vector<characterise::LabelledSource> sources;
    for (const pipeline::ClassTableRow& row : read_table(arguments))
        sources.push_back({characterise::properties_of(row.observed), row.label});
    if (arguments.training.origin.empty())
        arguments.training.origin = std::filesystem::path(arguments.table).filename().string();
    const characterise::ClassModel model = characterise::train_class_model(sources, arguments.training);
    io::write_text_file(arguments.output, characterise::to_text(model));
    for (std::size_t k = 0; k < model.classes.size(); ++k)
        fmt::print("{:<12} {:>6.0f} labelled sources\n", model.classes[k], model.count[k]);
    fmt::print("{}: {} properties, {} terms\n", arguments.output, model.axes.size(), model.terms.size());
    return ExitCode::done;
}

ExitCode perform_classify(const ClassArguments& arguments) {
    const characterise::ClassModel model = pipeline::read_class_model(arguments.model);
    const auto rows = read_table(arguments);
    io::write_text_file(arguments.output, pipeline::classify_table(rows, model, arguments.priors));
    log::info("{} sources: {}", rows.size(), arguments.output);
    return ExitCode::done;
}

}  // namespace

Action add_train(CLI::App& app) {
    auto arguments = std::make_shared<ClassArguments>();
    CLI::App* command = app.add_subcommand("train", "Make a class model from labelled sources");
    command->add_option("labels", arguments->table, "Labelled sources, FITS or CSV")->required();
    command->add_option("-o,--output", arguments->output, "Class model to write (text)")->required();
    add_column_option(command, *arguments);
    command->add_option("--origin", arguments->training.origin,
                        "Where the labels come from, for the model file");
    command
        ->add_option("--penalty", arguments->training.penalty,
                     "How strongly weights are drawn to 0.2: larger for few labels")
        ->check(CLI::Range(1e-3, 1e6))
        ->capture_default_str();
    command->add_option("--least", arguments->training.least, "Classes with fewer labels are left out")
        ->check(CLI::Range(1, 1000000))
        ->capture_default_str();
    return [arguments] { return perform_train(*arguments); };
}

Action add_classify(CLI::App& app) {
    auto arguments = std::make_shared<ClassArguments>();
    CLI::App* command = app.add_subcommand("classify", "Classify the sources of a table");
    command->add_option("table", arguments->table, "Sources with their properties, FITS or CSV")->required();
    command->add_option("-o,--output", arguments->output, "Classes with reasons to write (CSV)")->required();
    command->add_option("--class-model", arguments->model, "Model of xsift train; empty: the embedded one");
    command->add_option("--class-priors", arguments->priors, "power:X or CLASS=P;CLASS=P;...")
        ->capture_default_str();
    add_column_option(command, *arguments);
    return [arguments] { return perform_classify(*arguments); };
}

}  // namespace xsift::app
