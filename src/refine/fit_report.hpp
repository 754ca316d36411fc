#pragma once
/// @file
/// What a fit says of its parameters and fluxes, and the flags that follow from it.

#include "covariance.hpp"
#include "objective.hpp"
#include "profile_interval.hpp"

#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/spectral/definition.hpp>
#include <xsift/spectral/options.hpp>

namespace xsift::refine {

inline void flag(SpectralFit& fit, bool condition, FitFlag bit) {
    if (condition) fit.flags |= bit;
}

/// Degrees of freedom and criteria, from stat and n_bins.
void fill_information_criteria(SpectralFit& fit, int n_free);

/// All parameters of the model and the factors between spectra. @param ends of the interval of each
/// coordinate
void fill_parameters(SpectralFit& fit, const Objective& objective, const Point& p,
                     const Covariance& covariance, const std::vector<ProfileEnds>& ends);

/// Puts parameters into the catalogue's columns: the first of each kind, and the second kT and norm.
void fill_columns(SpectralFit& fit, const spectral::ModelDefinition& model);

/// @param fluxes the flux band first
void fill_fluxes(SpectralFit& fit, std::vector<FluxEstimate> fluxes, const spectral::ModelDefinition& model,
                 const spectral::FitOptions& options);

}  // namespace xsift::refine
