#pragma once
// Trigonometric sums of an event list in double, with their derivatives with respect to frequency.

#include <vector>

#include <xsift/data/events.hpp>
#include <xsift/timing/trigonometric_sums.hpp>
#include <xsift/timing/window.hpp>

namespace xsift::refine {

/// A spectral line of the source: its frequency and the trigonometric sum at it.
struct Line {
    double frequency = 0.0;
    timing::Complex sum;
};

/// Z2_1 .. Z2_n at one frequency and their first and second derivatives; H and the m where it lies.
struct Evaluation {
    std::vector<double> z2, slope, curvature;
    double h = 0.0;
    int best_m = 1;

    /// What harmonic k (1-based) adds.
    double term(int k) const { return k == 1 ? z2[0] : z2[k - 1] - z2[k - 2]; }
};

class PhotonSums {
  public:
    /// It refers to the list, which must outlive it.
    explicit PhotonSums(const EventList& events);

    /// From the middle of the exposure, so that the derivatives are well conditioned.
    const timing::Photons& photons() const { return photons_; }

    double sum_w2() const { return sum_w2_; }
    /// (sum w)^2 / sum w^2: the number of photons when there are no weights.
    double effective_photons() const { return sum_w_ * sum_w_ / sum_w2_; }
    bool empty() const { return photons_.time.empty(); }
    /// What the good time intervals show of a signal at a distance in frequency.
    timing::Complex window(double frequency) const;
    /// The distance from which on that is below `amplitude` (< 1), Hz.
    double window_reach(double amplitude) const;
    /// Sum of the good time intervals, s.
    double good_time() const;

    Evaluation evaluate(double frequency, int harmonics) const;
    /// The sums at the first harmonics of a frequency.
    std::vector<timing::Complex> sums(double frequency, int harmonics) const;
    timing::Complex sum(double frequency) const { return sums(frequency, 1).front(); }
    /// Z2_1 .. Z2_n and H after subtracting, harmonic by harmonic, what the good time intervals show of a
    /// constant source and of the lines: S(f) - sum(w) W(f) - sum over lines of S_l W(f - f_l) + conj(S_l)
    /// W(f + f_l).
    Evaluation residual(double frequency, int harmonics, const std::vector<Line>& lines) const;
    /// Amplitudes alpha_k of the harmonics of the rate 1 + sum Re(alpha_k exp(-2 pi i k f t)): 2 S_k / N,
    /// below the limit of the window the ones with which rate and good time intervals give the sums S_0 ..
    /// S_n (a linear system; the plain ones where it has no solution).
    std::vector<timing::Complex> amplitudes(double frequency, int harmonics) const;
    /// The line at a frequency, the constant source subtracted.
    Line line(double frequency) const { return line(frequency, sum(frequency)); }
    /// The same when the sum is known.
    Line line(double frequency, timing::Complex of_photons) const {
        return {frequency, of_photons - constant(frequency)};
    }

    /// The frequency above which the window of the good time intervals does not matter, Hz.
    double window_limit() const;

  private:
    timing::Complex constant(double frequency) const { return window(frequency) * sum_w_; }

    timing::Photons photons_;
    std::vector<double> gti_start_, gti_stop_;
    double sum_w_ = 0.0, sum_w2_ = 0.0;
};

}  // namespace xsift::refine
