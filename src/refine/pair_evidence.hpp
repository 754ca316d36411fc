#pragma once
/// @file
/// Evidence of a model of two norms.

#include "objective.hpp"

#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/spectral/options.hpp>

namespace xsift::refine {

struct PairPosterior {
    double log_evidence = not_measured;
    std::vector<Posterior> shapes;  ///< of each free shape parameter; empty when nothing was made
};

/// The evidence of a model of two components, each with a free norm, and the posteriors of its shape
/// parameters (at most three), fitted to one spectrum.
///
/// Both components are folded over a lattice of the shape parameters, each once a value; at every point of it
/// the likelihood is integrated over both norms: over their sum as a Gaussian in its logarithm, over the
/// logit of the second's share numerically, down to the limit of the smaller norm, near which the likelihood
/// is that of the other component alone. Priors as for posterior(). Nothing is made when the lattice would
/// need too many points, or when the sum of the norms is not known to a factor of about 2.
/// Of two components of one kind the posteriors are of the order that the best fit has.
/// @param best the minimum: it leads to the part of the lattice that matters
PairPosterior pair_posterior(Objective& objective, const Point& best, const spectral::FitOptions& options);

}  // namespace xsift::refine
