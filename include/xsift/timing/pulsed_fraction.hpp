#pragma once
/// @file
/// Pulsed fractions: definition, intervals, limits, and what the instrument takes away from them.
///
/// A source of rate r (1 + sum over k of Re(alpha_k exp(-2 pi i k f t))) seen as N photons gives Z2_n a
/// noncentral chi2 distribution with 2n degrees of freedom and lambda = N/2 sum |alpha_k|^2 (Groth 1975, ApJS
/// 29, 285). The pulsed fraction is a = sqrt(2 lambda / N): the semi-amplitude over the mean of a sinusoid;
/// for several harmonics sqrt(2) times the fractional RMS. 0 to 1 for a sinusoid; sharp pulses reach 2 with
/// one harmonic and 2 sqrt(n) with n.

#include <cmath>

#include <xsift/core/constants.hpp>
#include <xsift/core/host_device.hpp>
#include <xsift/timing/noncentral_chi2.hpp>

namespace xsift::timing {

/// sqrt(2 lambda / n_photons); 0 when lambda is negative.
XSIFT_HD inline double amplitude_of(double lambda, double n_photons) {
    return lambda > 0.0 && n_photons > 0.0 ? std::sqrt(2.0 * lambda / n_photons) : 0.0;
}

/// What reading out every `frame_time` s leaves of a modulation at f: sinc(pi f t); 1 when it is not known.
XSIFT_HD inline double frame_attenuation(double f, double frame_time) {
    const double x = constants::pi * f * frame_time;
    if (!(x > 0.0)) return 1.0;
    return x < 1e-4 ? 1.0 - x * x / 6.0 : std::fabs(std::sin(x)) / x;
}

/// A pulsed fraction with its interval.
struct PulsedFraction {
    double value = 0.0, lo = 0.0, hi = 0.0;
};

/// The pulsed fraction of a statistic with the noise of Z2_n, maximised over frequency near the signal.
///
/// The maximisation adds one degree of freedom to the 2n of the amplitudes. The value, sqrt(2 (z - 2n) / N),
/// is unbiased as an amplitude: the mean of a noncentral chi with k degrees of freedom is sqrt(lambda) + (k -
/// 1) / (2 sqrt(lambda)). The ends of the interval are the lambda at which z - 1 lies at the quantiles (1 +-
/// confidence)/2. For strong modulations the interval is too wide: the variance of |alpha| is (2 - |alpha|^2)
/// / N, not 2 / N.
inline PulsedFraction pulsed_fraction(double z, int n, double n_photons, double confidence) {
    const double tail = 0.5 * (1.0 - confidence);
    return {amplitude_of(z - 2.0 * n, n_photons),
            amplitude_of(noncentrality_at(z - 1.0, n, 1.0 - tail), n_photons),
            amplitude_of(noncentrality_at(z - 1.0, n, tail), n_photons)};
}

/// Upper limit on the pulsed fraction of any signal in a band where z is the highest statistic at its trials:
/// the lambda that would give a value above z with probability `confidence`; 0 when noise alone would.
inline double pulsed_fraction_limit(double z, int n, double n_photons, double confidence) {
    return amplitude_of(noncentrality_at(z, n, 1.0 - confidence), n_photons);
}

/// The same where z is the highest statistic of a band maximised over frequency, which adds a degree of
/// freedom.
///
/// The amplitude of a deep modulation scatters less than that of a shallow one, since its photons stand
/// together: the variance of |alpha| is (2 + 2 c - |alpha|^2) / N with c the mean of cos 2 (phase - peak)
/// over the photons (0 for a sinusoid, up to 1 for a sharp pulse, whose amplitude scatters more again).
/// @param double_angle c as measured; NaN: not known, the variance is 2 / N. Of n = 1 only.
double maximised_fraction_limit(double z, int n, double n_photons, double confidence, double double_angle);

/// The statistic of Z2_1's distribution that a Lomb-Scargle power of n points stands for: the fall of chi2 in
/// units of the variance of the residuals.
XSIFT_HD inline double chi2_of_power(double power, double n) {
    return n > 3.0 && power < 1.0 ? (n - 3.0) * power / (1.0 - power) : static_cast<double>(NAN);
}

}  // namespace xsift::timing
