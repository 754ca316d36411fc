#pragma once
/// @file
/// The noncentral chi2 distribution with an even number of degrees of freedom: what Z2_n follows when a
/// signal is there (Groth 1975, ApJS 29, 285).

namespace xsift::timing {

/// P(X <= x) for 2n degrees of freedom and noncentrality lambda >= 0: the probability that a Poisson variable
/// of mean x/2 is at least n + J, J Poisson of mean lambda/2. Sums of positive terms only; absolute error
/// below 1e-12 for lambda and x up to 1e8.
double noncentral_chi2_cdf(double x, int n, double lambda);

/// P(X > x), as a sum of its own: small values keep their digits.
double noncentral_chi2_survival(double x, int n, double lambda);

/// The noncentrality at which P(X <= x) = probability: the end of an interval when x was observed. 0 when
/// even lambda = 0 gives less (x is lower than noise alone would have it). NaN unless x is finite and 0 <
/// probability < 1.
double noncentrality_at(double x, int n, double probability);

/// P(X <= x) of the maximum of Z2_n over frequency near a signal: (sqrt(lambda) + spread g)^2 + chi2 with 2n
/// degrees of freedom, g a standard normal deviate. Of the 2n + 1 degrees of freedom one is the frequency's:
/// near a maximum whose height Z has an error, Z(f) is a parabola and its top lies a chi2 of one degree above
/// the value at the true frequency. spread is 1 for the noncentral chi2 with 2n + 1 degrees of freedom.
/// Absolute error below 1e-8.
double maximum_cdf(double x, int n, double lambda, double spread = 1.0);

}  // namespace xsift::timing
