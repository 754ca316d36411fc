#pragma once
/// @file
/// Upper tail of the Kolmogorov-Smirnov distribution, as log10 so that nothing underflows.

namespace xsift::characterise {

/// log10 P(D_n >= d) of the two-sided one-sample Kolmogorov-Smirnov statistic of n values, exact for any n up
/// to 140: the matrix of Marsaglia, Tsang & Wang (2003); where n d^2 >= 2.2, twice Smirnov's one-sided tail
/// (Miller 1956; relative error below 2e-6). Above n = 140 and below n d^2 = 2.2 the expansion of Pelz & Good
/// (1976), to 1/n; above n = 100,000 the one-sided tail is exp(-(6 n d + 1)^2 / (18 n)).
double log10_ks_survival(double d, long n);

}  // namespace xsift::characterise
