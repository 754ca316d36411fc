#pragma once
/// @file
/// What a run found out about a source, as the classifier wants it.

#include <xsift/characterise/properties.hpp>
#include <xsift/data/results.hpp>
#include <xsift/spectral/options.hpp>

namespace xsift::pipeline {

/// Fluxes in Chandra's bands from the model offered; the photon index of the first absorbed power law;
/// variability and period; magnitudes, parallax and proper motion of the counterparts whose probability P_ANY
/// P_I reaches the threshold, catalogue by catalogue. What the source list gives (G, parallax) goes before
/// them.
/// @param g mag, parallax_over_error: from the source list or a counterpart
characterise::Observables observables_of(const SourceResult& result, const spectral::FitOptions& fits,
                                         double threshold, double g, double parallax_over_error);

}  // namespace xsift::pipeline
