#pragma once
/// @file
/// Posterior of a fitted model: means, credible intervals, evidence.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/refine/spectra.hpp>
#include <xsift/spectral/definition.hpp>
#include <xsift/spectral/options.hpp>

namespace xsift::refine {

/// The marginal posterior of two parameters, for contours.
struct PosteriorMap {
    std::string x_name, y_name;  ///< tbabs.nH, powerlaw.PhoIndex
    std::vector<double> x, y;    ///< values of the parameters, ascending; not in equal steps
    /// ln of the posterior's density by (x, y) where a parameter walks its logarithm by that; x.size() rows
    /// of y.size(); 0 at the highest.
    std::vector<double> log_density;
    /// Densities (as log_density) that bound the smallest regions with 68.27% and 90% of the posterior.
    double level68 = not_measured, level90 = not_measured;
};

struct ModelPosterior {
    /// ln of the integral of prior times exp(-statistic/2): comparable between models of the same spectra and
    /// binning. NaN when it was not made.
    double log_evidence = not_measured;
    std::vector<Posterior> parameters;  ///< as SpectralFit::parameters; NaN for those not free
    PosteriorMap map;                   ///< empty when fewer than two shape parameters are free
};

/// Integrates the likelihood of a fit over a grid of its shape parameters around its minimum, as far as it
/// matters; on it norms (and the factors between spectra) are integrated as Gaussians in their logarithms
/// around their best values.
///
/// Priors: nH as options.nh_prior says; parameters that span decades (kT, norms, factors) uniform in the
/// logarithm, others (photon index, abundance) uniform, all between their limits. Made for models with one
/// norm and at most two free shape parameters whose norm is known to better than a factor of about 2; for
/// others, and where the grid would have too many points, nothing is made.
/// @param fit of these spectra, with its parameters
/// @param starts further points from which a second region of the posterior is looked for
ModelPosterior posterior(std::span<const FitInput> spectra,
                         const std::shared_ptr<const spectral::ModelDefinition>& model,
                         const SpectralFit& fit, std::span<const StartingPoint> starts,
                         const spectral::FitOptions& options);

}  // namespace xsift::refine
