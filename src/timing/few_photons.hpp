#pragma once
// What few photons do to the probabilities of Z2 and H.

namespace xsift::timing {

/// log10 of a single-trial probability for this number of photons from that in the limit of many.
/// @param harmonics of Z2; 0: H
double of_few_photons(double log10_p, int harmonics, double photons);

/// log10 of what the crossings of H of few photons exceed those of many by, at a single-trial probability:
/// what makes H of few photons high are its higher harmonics, whose maxima are narrower and so more.
double few_crossings(double log10_p, double photons);

/// log10 P(> z2) of one harmonic: Zar's form of the Rayleigh test (1999, Biostatistical Analysis, 27.4), the
/// chi2 for many photons.
double log10_rayleigh(double z2, double photons);

}  // namespace xsift::timing
