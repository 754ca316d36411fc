#include "photon_sums.hpp"

#include <xsift/timing/z2.hpp>

namespace xsift::refine {
namespace {

using timing::Complex;

/// Sum over photons of w e, w t e, w t^2 e with e = exp(2 pi i k f t).
struct Moments {
    Complex zeroth, first, second;
};

Evaluation statistics(const std::vector<Complex>& sums, double sum_w2) {
    Evaluation out;
    timing::HTest<double> h;
    for (const Complex& s : sums) {
        h.add(timing::z2_term(s.re, s.im, sum_w2));
        out.z2.push_back(h.z2);
    }
    out.h = h.h;
    out.best_m = h.best_m;
    return out;
}

}  // namespace

PhotonSums::PhotonSums(const EventList& events) : time_(events.time), weight_(events.weight) {
    if (time_.empty()) return;
    gti_start_ = events.gti.start;
    gti_stop_ = events.gti.stop;
    if (gti_start_.empty()) {
        gti_start_ = {time_.front()};
        gti_stop_ = {time_.back()};
    }
    const double middle = 0.5 * (gti_start_.front() + gti_stop_.back());
    for (auto* times : {&time_, &gti_start_, &gti_stop_})
        for (double& t : *times) t -= middle;
    for (std::size_t j = 0; j < time_.size(); ++j) {
        const double w = weight_.empty() ? 1.0 : static_cast<double>(weight_[j]);
        sum_w_ += w;
        sum_w2_ += w * w;
    }
}

Evaluation PhotonSums::evaluate(double frequency, int harmonics) const {
    std::vector<Moments> moments(static_cast<std::size_t>(harmonics));
    for (std::size_t j = 0; j < time_.size(); ++j) {
        const double t = time_[j], w = weight_.empty() ? 1.0 : static_cast<double>(weight_[j]);
        const timing::Phasor p = timing::phasor(timing::fixed_phase(frequency, t));
        const Complex turn{p.cosine, p.sine};
        Complex e = turn * w;
        for (Moments& m : moments) {
            m.zeroth = m.zeroth + e;
            m.first = m.first + e * t;
            m.second = m.second + e * (t * t);
            e = e * turn;
        }
    }
    std::vector<Complex> sums;
    for (const Moments& m : moments) sums.push_back(m.zeroth);
    Evaluation out = statistics(sums, sum_w2_);
    double slope = 0.0, curvature = 0.0;
    for (int k = 1; k <= harmonics; ++k) {
        // S' = 2 pi i k A and S'' = -(2 pi k)^2 B with A, B the first and second moments.
        const Moments& m = moments[static_cast<std::size_t>(k - 1)];
        const double omega = constants::two_pi * k;
        slope += 4.0 / sum_w2_ * omega * (m.zeroth.im * m.first.re - m.zeroth.re * m.first.im);
        curvature += 4.0 / sum_w2_ * omega * omega *
                     (m.first.norm() - (m.zeroth.re * m.second.re + m.zeroth.im * m.second.im));
        out.slope.push_back(slope);
        out.curvature.push_back(curvature);
    }
    return out;
}

Complex PhotonSums::sum(double frequency) const {
    Complex total;
    for (std::size_t j = 0; j < time_.size(); ++j) {
        const timing::Phasor p = timing::phasor(timing::fixed_phase(frequency, time_[j]));
        total = total + Complex{p.cosine, p.sine} * (weight_.empty() ? 1.0 : static_cast<double>(weight_[j]));
    }
    return total;
}

Complex PhotonSums::window(double frequency) const {
    return timing::gti_window(frequency, gti_start_.data(), gti_stop_.data(),
                              static_cast<int>(gti_start_.size()));
}

Evaluation PhotonSums::residual(double frequency, int harmonics, const std::vector<Line>& lines) const {
    std::vector<Complex> sums;
    for (int k = 1; k <= harmonics; ++k) {
        const double f = k * frequency;
        Complex s = sum(f) - constant(f);
        for (const Line& line : lines)
            s = s - line.sum * window(f - line.frequency) - line.sum.conjugate() * window(f + line.frequency);
        sums.push_back(s);
    }
    return statistics(sums, sum_w2_);
}

}  // namespace xsift::refine
