#pragma once
/// @file
/// Upper tail of the chi2 distribution, as log10 so that nothing underflows.

namespace xsift {

/// log10 P(chi2 > x) with any number of degrees of freedom > 0 (regularised incomplete gamma function).
double log10_chi2_survival(double x, double dof);

}  // namespace xsift
