#include <cmath>

#include <xsift/refine/spectra.hpp>

namespace xsift::refine {

namespace {

/// Probabilities among the fits of the same spectra that have an evidence, each model equal before.
void fill_model_probabilities(std::span<SpectralFit> fits) {
    for (SpectralFit& fit : fits) {
        if (std::isnan(fit.log_evidence)) continue;
        double sum = 0.0;
        for (const SpectralFit& other : fits)
            if (other.spectrum == fit.spectrum && !std::isnan(other.log_evidence))
                sum += std::exp(other.log_evidence - fit.log_evidence);
        fit.model_probability = 1.0 / sum;
    }
}

}  // namespace

std::string disqualification(const SpectralFit& fit) {
    if (fit.flags & fit_no_degrees_of_freedom) return "NO_DOF";
    if (fit.flags & fit_not_converged) return "NOT_CONVERGED";
    if (fit.flags & fit_parameter_unconstrained) return "PARAMETER_UNCONSTRAINED";
    if (fit.flags & fit_norm_unconstrained) return "NORM_UNCONSTRAINED";
    return std::isfinite(fit.aicc) ? "" : "NO_AICC";
}

int select_model(std::span<SpectralFit> fits, spectral::Criterion criterion) {
    const auto value = [criterion](const SpectralFit& fit) {  // the lower the better
        if (criterion == spectral::Criterion::evidence) return -fit.log_evidence;
        return criterion == spectral::Criterion::bic ? fit.bic : fit.aicc;
    };
    int best = -1;
    for (std::size_t i = 0; i < fits.size(); ++i) {
        fits[i].selected = false;
        fits[i].choice = disqualification(fits[i]);
        if (fits[i].choice.empty() && std::isnan(value(fits[i]))) fits[i].choice = "NO_EVIDENCE";
        if (!fits[i].choice.empty()) continue;
        if (best < 0 || fits[i].n_bins > fits[best].n_bins ||
            (fits[i].spectrum == fits[best].spectrum && value(fits[i]) < value(fits[best])))
            best = static_cast<int>(i);
    }
    fill_model_probabilities(fits);
    if (best < 0) return best;
    fits[best].selected = true;
    const char* const worse = criterion == spectral::Criterion::aicc  ? "HIGHER_AICC"
                              : criterion == spectral::Criterion::bic ? "HIGHER_BIC"
                                                                      : "LOWER_EVIDENCE";
    for (SpectralFit& fit : fits)
        if (fit.choice.empty()) fit.choice = fit.spectrum == fits[best].spectrum ? worse : "OTHER_SPECTRUM";
    fits[best].choice = "SELECTED";
    return best;
}

}  // namespace xsift::refine
