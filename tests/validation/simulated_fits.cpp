/// @file
/// Simulated fits on a lattice beside full refits of the same draws: one line a fit.
///
/// simulated_fits DRAWS COUNTS,... MODEL=PARAMETER,... NH SPECTRA [TOGETHER]: spectra of so many counts drawn
/// from real EPIC-pn spectra of tests/data, SPECTRA of each; COUNTS 0: the real spectra themselves. TOGETHER:
/// the counts come in as many spectra, fitted together. Draws are also fitted as a run fits a source, from
/// the cells of the model's grid: how many lie higher on the lattice, and how many refits do, by more than
/// 0.05.
#include "found_by_engine.hpp"
#include "spectrum_simulator.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <sstream>

#include <fmt/format.h>

#include <xsift/engine/factory.hpp>
#include <xsift/engine/model_grids.hpp>
#include <xsift/refine/simulations.hpp>

namespace {

using namespace xsift;

double seconds() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

std::vector<std::string> list(const std::string& text) {
    std::vector<std::string> out;
    std::stringstream in(text);
    for (std::string item; std::getline(in, item, ',');) out.push_back(item);
    return out;
}

double quantile(std::vector<double> values, double share) {
    if (values.empty()) return not_measured;
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
}

/// Half of the central 68%.
double scatter(const std::vector<double>& values) {
    return 0.5 * (quantile(values, 0.84) - quantile(values, 0.16));
}

/// The statistic that a run would find for spectra, from the cells of the grid of the first.
double statistic_of_a_run(const std::vector<spectral::PreparedSpectrum>& spectra, engine::ModelGrids& grids,
                          engine::GridLikelihood& backend, const spectral::FitOptions& options) {
    const std::vector<refine::FitData> data(spectra.begin(), spectra.end());
    std::vector<refine::FitInput> inputs;
    for (std::size_t i = 0; i < spectra.size(); ++i) inputs.push_back({&spectra[i], &data[i]});
    const spectral::PreparedSpectrum* const first = &spectra.front();
    const auto cells = grids.best_cells(backend, std::span(&first, 1)).at(0).at(0);
    std::vector<refine::StartingPoint> starts;
    for (const engine::ModelCell& cell : cells) starts.push_back(cell.values);
    return refine::fit_spectra(inputs, grids.models().front(), starts, options).stat;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6 && argc != 7) return 2;
    const int n_draws = std::stoi(argv[1]), n_spectra = std::stoi(argv[5]),
              together = argc > 6 ? std::stoi(argv[6]) : 1;
    spectral::FitOptions options;
    options.posterior = false;
    options.goodness_simulations = options.bootstrap_simulations = n_draws;
    const ThreadPool pool(1);
    const auto backend = engine::make_cpu_engines(pool).grid;
    fmt::print(
        "counts,model,spectrum,bins,nodes,refitted,ms_before,ms_after,ms_lattice,stat_mean_off,stat_95_off,"
        "stat_most_off,"
        "lower,above_run,refits_above_run,gof_before,gof_after,shape_50_off,shape_95_off,nh_50_off,nh_95_off,"
        "norm_95_off,"
        "median_off,lo_off,hi_off\n");
    for (const std::string& counts : list(argv[2]))
        for (const std::string& what : list(argv[3]))
            for (int i = 0; i < n_spectra; ++i) {
                const std::string model = what.substr(0, what.find('='));
                const double parameter = std::stod(what.substr(what.find('=') + 1));
                static const std::vector<std::string> numbers{"0007", "0001", "000E", "0069", "0079", "0088"};
                const std::string& number = numbers[static_cast<std::size_t>(i) % numbers.size()];
                const test::Truth truth{model, std::stod(argv[4]),           parameter, 0.0,
                                        0.5,   std::stod(counts) / together, 20.0,      19.0};
                std::vector<spectral::PreparedSpectrum> spectra;
                for (int of = 0; of < together; ++of)
                    spectra.push_back(spectral::prepare(
                        counts == "0" ? test::pn_spectrum(number)
                                      : test::Simulator(truth, options, "0007")
                                            .draw(static_cast<std::uint64_t>(i + of * n_spectra), 0),
                        options));
                const std::vector<refine::FitData> data(spectra.begin(), spectra.end());
                std::vector<refine::FitInput> inputs;
                std::size_t n_bins = 0;
                for (std::size_t of = 0; of < spectra.size(); ++of) {
                    inputs.push_back({&spectra[of], &data[of]});
                    n_bins += spectra[of].n_bins();
                }
                const auto definition = test::model(model, options);
                const SpectralFit fit = refine::fit_spectra(inputs, definition, {}, options);
                const auto seed = static_cast<std::uint64_t>(100 + i);
                double start = seconds();
                const refine::Simulations before(inputs, definition, fit, options, seed, false);
                const auto refits = before.fits({});
                const auto all_before = before.summarise(refits);
                const double ms_before = 1e3 * (seconds() - start);
                start = seconds();
                const refine::Simulations after(inputs, definition, fit, options, seed, true);
                const auto task = after.task();
                const double ms_lattice = 1e3 * (seconds() - start);
                const auto fits = after.fits(test::found_by_engine(after, *backend));
                const auto all_after = after.summarise(fits);
                const double ms_after = 1e3 * (seconds() - start);
                spectral::FitOptions as_a_run;
                as_a_run.models = {model};
                as_a_run.posterior = as_a_run.unbiased = false;
                engine::ModelGrids grids(as_a_run);
                int above = 0, refits_above = 0;
                for (std::size_t d = 0; d < fits.size() && task; ++d) {
                    const double wanted =
                        statistic_of_a_run(after.drawn(static_cast<int>(d)), grids, *backend, as_a_run) +
                        0.05;
                    above += fits[d].stat > wanted ? 1 : 0;
                    refits_above += refits[d].stat > wanted ? 1 : 0;
                }
                std::vector<double> off;
                double sum = 0.0;
                int refitted = 0, lower = 0;
                for (std::size_t d = 0; d < fits.size(); ++d) {
                    const double difference = fits[d].stat - refits[d].stat;
                    refitted += fits[d].refitted ? 1 : 0;
                    lower += difference < -0.05 ? 1 : 0;
                    if (difference < -0.05) continue;  // the refit ended in another minimum
                    sum += difference;
                    off.push_back(std::fabs(difference));
                }
                const auto parameter_off = [&](std::size_t k, double share) {
                    std::vector<double> values, differences;
                    const bool norm = k + 1 == definition->parameters.size();
                    const auto value = [&](double v) { return norm ? std::log(v) : v; };
                    for (std::size_t d = 0; d < fits.size(); ++d) {
                        values.push_back(value(refits[d].values[k]));
                        differences.push_back(std::fabs(value(fits[d].values[k]) - values.back()));
                    }
                    return quantile(differences, share) / scatter(values);
                };
                std::vector<double> shapes;
                for (const auto& refit : refits) shapes.push_back(refit.values[1]);
                const double sigma = scatter(shapes);
                fmt::print(
                    "{},{},{},{},{},{},{:.2f},{:.2f},{:.2f},{:.4f},{:.4f},{:.4f},{},{},{},{:.4f},{:.4f},{:."
                    "3f},{:."
                    "3f},{:.3f},{:.3f},"
                    "{:.3f},{:.3f},{:.3f},{:.3f}\n",
                    counts, model, counts == "0" ? number : std::to_string(i), n_bins,
                    task ? task->rows * task->columns : 0, refitted, ms_before, ms_after, ms_lattice,
                    sum / static_cast<double>(off.size()), quantile(off, 0.95), quantile(off, 1.0), lower,
                    above, refits_above, all_before.gof_pvalue, all_after.gof_pvalue, parameter_off(1, 0.5),
                    parameter_off(1, 0.95), parameter_off(0, 0.5), parameter_off(0, 0.95),
                    parameter_off(definition->parameters.size() - 1, 0.95),
                    (all_after.parameters[1].median - all_before.parameters[1].median) / sigma,
                    (all_after.parameters[1].lo - all_before.parameters[1].lo) / sigma,
                    (all_after.parameters[1].hi - all_before.parameters[1].hi) / sigma);
            }
}
