#include "photon_sums.hpp"

#include <algorithm>
#include <cmath>

#include <xsift/timing/screened_peaks.hpp>
#include <xsift/timing/z2.hpp>

namespace xsift::refine {
namespace {

using timing::Complex;

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

/// Solves rows (coefficients and right-hand side) by elimination with pivots; empty when they are nearly
/// dependent.
std::vector<double> solve(std::vector<std::vector<double>> rows) {
    constexpr double smallest_pivot = 0.02;  // of coefficients whose scale is 1/2 to 1
    const std::size_t n = rows.size();
    for (std::size_t i = 0; i < n; ++i) {
        std::size_t pivot = i;
        for (std::size_t r = i + 1; r < n; ++r)
            if (std::fabs(rows[r][i]) > std::fabs(rows[pivot][i])) pivot = r;
        if (std::fabs(rows[pivot][i]) < smallest_pivot) return {};
        std::swap(rows[i], rows[pivot]);
        for (std::size_t r = 0; r < n; ++r) {
            if (r == i) continue;
            const double factor = rows[r][i] / rows[i][i];
            for (std::size_t c = i; c <= n; ++c) rows[r][c] -= factor * rows[i][c];
        }
    }
    std::vector<double> x;
    for (std::size_t i = 0; i < n; ++i) x.push_back(rows[i][n] / rows[i][i]);
    return x;
}

}  // namespace

PhotonSums::PhotonSums(const EventList& events) : photons_{events.time, events.weight, 0.0} {
    if (empty()) return;
    gti_start_ = events.gti.start;
    gti_stop_ = events.gti.stop;
    if (gti_start_.empty()) {
        gti_start_ = {events.time.front()};
        gti_stop_ = {events.time.back()};
    }
    photons_.origin = 0.5 * (gti_start_.front() + gti_stop_.back());
    for (auto* times : {&gti_start_, &gti_stop_})
        for (double& t : *times) t -= photons_.origin;
    for (std::size_t j = 0; j < events.size(); ++j) {
        const double w = events.weight.empty() ? 1.0 : static_cast<double>(events.weight[j]);
        sum_w_ += w;
        sum_w2_ += w * w;
    }
}

Evaluation PhotonSums::evaluate(double frequency, int harmonics) const {
    const auto moments = timing::photon_moments(photons_, frequency, frequency, harmonics);
    std::vector<Complex> zeroths;
    for (const auto& m : moments) zeroths.push_back(m.total(0));
    Evaluation out = statistics(zeroths, sum_w2_);
    double slope = 0.0, curvature = 0.0;
    for (int k = 1; k <= harmonics; ++k) {
        const auto& of_k = moments[static_cast<std::size_t>(k - 1)];
        const timing::HarmonicMoments m{of_k.total(0), of_k.total(1), of_k.total(2)};
        slope += timing::z2_slope(m, k, sum_w2_);
        curvature += timing::z2_curvature(m, k, sum_w2_);
        out.slope.push_back(slope);
        out.curvature.push_back(curvature);
    }
    return out;
}

std::vector<Complex> PhotonSums::sums(double frequency, int harmonics) const {
    return timing::progression(photons_, frequency, frequency, harmonics);
}

Complex PhotonSums::window(double frequency) const {
    return timing::gti_window(frequency, gti_start_.data(), gti_stop_.data(),
                              static_cast<int>(gti_start_.size()));
}

double PhotonSums::window_reach(double amplitude) const {
    return static_cast<double>(gti_start_.size()) / (constants::pi * good_time() * amplitude);
}

double PhotonSums::good_time() const {
    double sum = 0.0;
    for (std::size_t i = 0; i < gti_start_.size(); ++i) sum += gti_stop_[i] - gti_start_[i];
    return sum;
}

double PhotonSums::window_limit() const {
    return timing::window_limit(effective_photons(), static_cast<int>(gti_start_.size()),
                                std::max(good_time(), 1e-300));
}

std::vector<Complex> PhotonSums::amplitudes(double frequency, int harmonics) const {
    const std::vector<Complex> s = sums(frequency, harmonics);
    const auto n = static_cast<std::size_t>(harmonics), size = 2 * n + 1;
    std::vector<Complex> plain;
    for (const Complex& sum : s) plain.push_back(sum * (2.0 / sum_w_));
    if (frequency >= window_limit()) return plain;
    std::vector<Complex> w;  // W(j f), j = -n .. 2n
    for (int j = 0; j <= 2 * harmonics; ++j) w.push_back(window(j * frequency));
    const auto at = [&](std::ptrdiff_t j) {
        return j < 0 ? w[static_cast<std::size_t>(-j)].conjugate() : w[static_cast<std::size_t>(j)];
    };
    // S_m = R (W_m + sum over k of (alpha_k W_{m-k} + conj(alpha_k) W_{m+k}) / 2) in R and R alpha_k.
    std::vector<std::vector<double>> rows;
    const auto add = [&](std::ptrdiff_t m, double Complex::*part, double sum) {
        std::vector<double> row{at(m).*part};
        for (std::ptrdiff_t k = 1; k <= harmonics; ++k) {
            const Complex down = at(m - k) * 0.5, up = at(m + k) * 0.5;
            const Complex re = down + up, im = Complex{0.0, 1.0} * (down - up);
            row.push_back(re.*part);
            row.push_back(im.*part);
        }
        row.push_back(sum);
        rows.push_back(std::move(row));
    };
    add(0, &Complex::re, sum_w_);
    for (std::size_t k = 1; k <= n; ++k) {
        add(static_cast<std::ptrdiff_t>(k), &Complex::re, s[k - 1].re);
        add(static_cast<std::ptrdiff_t>(k), &Complex::im, s[k - 1].im);
    }
    const std::vector<double> x = solve(std::move(rows));
    if (x.size() != size || !(x[0] > 0.0)) return plain;
    std::vector<Complex> alpha;
    for (std::size_t k = 0; k < n; ++k) alpha.push_back(Complex{x[2 * k + 1], x[2 * k + 2]} * (1.0 / x[0]));
    return alpha;
}

Evaluation PhotonSums::residual(double frequency, int harmonics, const std::vector<Line>& lines) const {
    std::vector<Complex> left = sums(frequency, harmonics);
    for (int k = 1; k <= harmonics; ++k) {
        const double f = k * frequency;
        Complex& s = left[static_cast<std::size_t>(k - 1)];
        s = s - constant(f);
        for (const Line& line : lines)
            s = s - line.sum * window(f - line.frequency) - line.sum.conjugate() * window(f + line.frequency);
    }
    return statistics(left, sum_w2_);
}

}  // namespace xsift::refine
