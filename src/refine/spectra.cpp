#include "model_fit.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include <xsift/refine/model_fits.hpp>

namespace xsift::refine {

ChosenStatistic chosen_statistic(std::span<const FitInput> spectra, const spectral::FitOptions& options) {
    constexpr double least_counts = 100.0, least_in_a_bin = 20.0;
    if (options.statistic == spectral::FitStatistic::poisson) return {};
    double total = 0.0, least = std::numeric_limits<double>::infinity();
    for (const FitInput& s : spectra)
        for (const double counts : s.prepared->counts) {
            total += counts;
            least = std::min(least, counts);
        }
    if (total < least_counts) return {spectral::FitStatistic::poisson, "FEW_COUNTS"};
    if (least < least_in_a_bin) return {spectral::FitStatistic::poisson, "FEW_COUNTS_A_BIN"};
    return {options.statistic, "ASKED"};
}

SpectralFit fit_spectra(std::span<const FitInput> spectra,
                        const std::shared_ptr<const spectral::ModelDefinition>& model,
                        std::span<const StartingPoint> starts, const spectral::FitOptions& options) {
    ModelFit fit(spectra, model, starts, options);
    if (options.errors == spectral::Errors::posterior) {
        fit.estimate();
        if (fit.integrate()) return fit.take();
    }
    fit.refine();
    if (options.posterior) fit.integrate();
    return fit.take();
}

SpectralFit fit_spectrum(const spectral::PreparedSpectrum& spectrum, const std::string& model,
                         std::span<const StartingPoint> starts, const spectral::FitOptions& options) {
    const FitData data(spectrum);
    const FitInput input{&spectrum, &data};
    return fit_spectra(
        std::span(&input, 1),
        std::make_shared<const spectral::ModelDefinition>(spectral::define_model(model, options)), starts,
        options);
}

std::vector<SpectralFit> fit_models(std::span<const FitInput> spectra, std::span<const ModelTask> models,
                                    const spectral::FitOptions& options, const StepGuard& guard) {
    ModelFits fits(spectra, models, options, guard);
    return fits.finish();
}

}  // namespace xsift::refine
