#include <algorithm>
#include <cmath>

#include <xsift/engine/direct_sum.hpp>
#include <xsift/engine/oracle_search.hpp>
#include <xsift/engine/search_tasks.hpp>
#include <xsift/timing/multi_term.hpp>
#include <xsift/timing/z2.hpp>

namespace xsift::engine {

std::vector<std::vector<double>> oracle_periodograms(const EventTask& task) {
    const PreparedEvents events(task);
    std::vector<std::vector<double>> result(task.statistics.size());
    for (std::int64_t i = 0; i < task.grid.count; ++i) {
        const std::int64_t index = task.grid.first + i;
        timing::HTest<double> h;
        for (int k = 1; k <= events.harmonics; ++k) {
            double term = 0.0;
            if (index <= last_harmonic_index(task.harmonic_fmax, task.grid.df, k)) {
                timing::Complex sum = direct_sum(
                    events.step.data(), task.weight.empty() ? nullptr : task.weight.data(),
                    static_cast<std::int64_t>(task.time.size()), static_cast<std::uint64_t>(k * index));
                const double f = static_cast<double>(k * index) * task.grid.df;
                if (f < events.window_fmax)
                    sum = sum - timing::gti_window(f, task.gti_start.data(), task.gti_stop.data(),
                                                   static_cast<int>(task.gti_start.size())) *
                                    events.sum_w;
                term = timing::z2_term(sum.re, sum.im, events.sum_w2);
            }
            h.add(term);
            for (std::size_t s = 0; s < result.size(); ++s)
                if (task.statistics[s].harmonics == k)
                    result[s].push_back(task.statistics[s].kind == timing::Statistic::Kind::h ? h.h : h.z2);
        }
    }
    return result;
}

std::vector<std::vector<double>> oracle_periodograms(const LightCurveTask& task) {
    double sum_w = 0.0;
    for (const double w : task.weight) sum_w += w;
    const int terms = max_harmonics(task);
    std::vector<std::vector<double>> result(task.terms.size());
    for (std::int64_t i = 0; i < task.grid.count; ++i) {
        timing::MultiTermSums<double> sums;
        const double f = task.grid.frequency(i);
        for (std::size_t j = 0; j < task.time.size(); ++j) {
            const double w = task.weight[j] / sum_w, y = task.value[j];
            const timing::FixedPhase phase = timing::fixed_phase(f, task.time[j]);
            sums.y += w * y;
            sums.yy += w * y * y;
            for (int k = 1; k <= 2 * terms; ++k) {
                const timing::Phasor p = timing::phasor(static_cast<timing::FixedPhase>(k) * phase);
                sums.c[k] += w * p.cosine;
                sums.s[k] += w * p.sine;
                if (k > terms) continue;
                sums.yc[k] += w * y * p.cosine;
                sums.ys[k] += w * y * p.sine;
            }
        }
        const int usable = timing::usable_terms(f, task.harmonic_fmax, terms);
        const timing::MultiTermFit<double> fit = timing::fit_terms(sums, usable, false);
        for (std::size_t s = 0; s < result.size(); ++s)
            result[s].push_back(timing::multi_term_power(sums, fit, std::min(task.terms[s], usable)));
    }
    return result;
}

std::vector<double> oracle_periodogram(const LightCurveTask& task) {
    return oracle_periodograms(task).at(0);
}

std::vector<timing::Peak> oracle_peaks(const std::vector<double>& periodogram,
                                       const timing::FrequencyGrid& grid, int max_peaks,
                                       double min_separation) {
    const std::int64_t halo = peak_halo(grid, min_separation),
                       n = static_cast<std::int64_t>(periodogram.size());
    PeakList peaks(max_peaks);
    for (std::int64_t i = 0; i < n; ++i) {
        bool highest = true;
        for (std::int64_t j = std::max<std::int64_t>(0, i - halo); j < std::min(n, i + halo + 1); ++j)
            highest = highest && (j < i ? periodogram[j] < periodogram[i] : periodogram[j] <= periodogram[i]);
        if (highest) peaks.add({i, grid.frequency(i), periodogram[i], 1});
    }
    return peaks.sorted();
}

}  // namespace xsift::engine
