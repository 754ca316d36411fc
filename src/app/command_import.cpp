#include "commands.hpp"

#include <cstdio>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include <xsift/core/log.hpp>
#include <xsift/io/atomdb_file.hpp>
#include <xsift/io/table_model_file.hpp>
#include <xsift/spectral/energy_bins.hpp>
#include <xsift/spectral/plasma_table.hpp>

namespace xsift::app {

Action add_import_apec(CLI::App& app) {
    struct Arguments {
        std::string line, continuum, output, abundance = "wilm", energies = "0.05:50";
        int per_decade = 1500;
    };
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = app.add_subcommand(
        "import-apec", "Make the table that apec interpolates from AtomDB's line and continuum files");
    command->add_option("LINE", arguments->line, "apec_v*_line.fits")->required();
    command->add_option("COCO", arguments->continuum, "apec_v*_coco.fits")->required();
    command->add_option("-o,--output", arguments->output, "Table model to write; use it with --apec-table")
        ->required();
    command->add_option("--abund", arguments->abundance, "Abundances: wilm, angr or aspl")
        ->capture_default_str();
    command->add_option("--energies", arguments->energies, "Energies of the table, LO:HI in keV")
        ->capture_default_str();
    command->add_option("--bins", arguments->per_decade, "Bins a decade of energy")
        ->capture_default_str()
        ->check(CLI::Range(10, 100000));
    return [arguments] {
        const spectral::Abundance set = spectral::parse_abundance(arguments->abundance);
        double lo = 0.0, hi = 0.0;
        char rest = 0;
        if (std::sscanf(arguments->energies.c_str(), "%lf:%lf%c", &lo, &hi, &rest) != 2 || !(lo > 0.0) ||
            !(hi > lo) || !(hi < 1e6))
            throw Error(ErrorKind::usage, "BAD_SETTING", "--energies " + arguments->energies + " is no range",
                        "it must be LO:HI with 0 < LO < HI in keV", "For example --energies 0.05:50.");
        io::AtomDb files(arguments->line, arguments->continuum);
        spectral::PlasmaTable table(set,
                                    spectral::EnergyBins::logarithmic(lo, hi, arguments->per_decade).edge);
        for (std::size_t i = 0; i < files.temperatures().size(); ++i) table.add(files.read(i));
        const auto name = [](const std::string& path) {
            return std::filesystem::path(path).filename().string();
        };
        const TableModel model = std::move(table).finish(
            fmt::format("AtomDB {} + {}", name(arguments->line), name(arguments->continuum)));
        io::write_table_model(arguments->output, model);
        log::info("{}: {} temperatures from {:.4g} to {:.4g} keV, {} bins, {}", arguments->output,
                  model.axes[0].values.size(), model.axes[0].lo, model.axes[0].hi, model.n_bins(),
                  model.origin);
        return ExitCode::done;
    };
}

}  // namespace xsift::app
