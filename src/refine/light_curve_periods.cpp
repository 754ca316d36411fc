#include "candidate_rows.hpp"
#include "pulsations.hpp"

#include <algorithm>
#include <cmath>

#include <xsift/refine/periods.hpp>
#include <xsift/timing/aliases.hpp>
#include <xsift/timing/light_curve.hpp>
#include <xsift/timing/lomb_scargle.hpp>
#include <xsift/timing/phase.hpp>
#include <xsift/timing/uncertainty.hpp>

namespace xsift::refine {
namespace {

/// A candidate is explained by stronger ones when less than this fraction of its power is left without them.
constexpr double explained_fraction = 0.2;
/// Harmonics of a stronger candidate that are tried.
constexpr int harmonic_orders = 20;

/// Light curve with normalised weights; sinusoids can be taken out of it.
class WeightedCurve {
  public:
    explicit WeightedCurve(const timing::UsableBins& bins)
        : time_(bins.time), value_(bins.value), weight_(bins.weight) {
        double sum = 0.0, mean = 0.0, square = 0.0;
        for (const double w : weight_) sum += w;
        for (double& w : weight_) w /= sum;
        for (std::size_t j = 0; j < time_.size(); ++j) mean += weight_[j] * time_[j];
        for (double& t : time_) t -= mean;
        for (std::size_t j = 0; j < time_.size(); ++j) {
            square += weight_[j] * time_[j] * time_[j];
            mean_value_ += weight_[j] * value_[j];
        }
        time_variance_ = square;
    }

    std::size_t size() const { return time_.size(); }
    double time_variance() const { return time_variance_; }
    double mean_value() const { return mean_value_; }

    timing::LombScargleSums<double> sums(double frequency) const {
        timing::LombScargleSums<double> m;
        m.c2 = 0.0;
        for (std::size_t j = 0; j < time_.size(); ++j) {
            const double w = weight_[j], wy = w * value_[j];
            const timing::FixedPhase phase = timing::fixed_phase(frequency, time_[j]);
            const timing::Phasor one = timing::phasor(phase), two = timing::phasor(2 * phase);
            m.y += wy;
            m.yy += wy * value_[j];
            m.c += w * one.cosine;
            m.s += w * one.sine;
            m.yc += wy * one.cosine;
            m.ys += wy * one.sine;
            m.c2 += w * two.cosine;
            m.s2 += w * two.sine;
        }
        return m;
    }
    double power(double frequency) const { return timing::lomb_scargle_power(sums(frequency)); }

    /// Takes the best sinusoid at a frequency out of the values.
    void subtract(double frequency) {
        const timing::Sinusoid fit = timing::lomb_scargle_sinusoid(sums(frequency));
        for (std::size_t j = 0; j < time_.size(); ++j) {
            const timing::Phasor p = timing::phasor(timing::fixed_phase(frequency, time_[j]));
            value_[j] -= fit.cosine * p.cosine + fit.sine * p.sine;
        }
    }

  private:
    std::vector<double> time_, value_, weight_;
    double time_variance_ = 0.0, mean_value_ = 0.0;
};

class LightCurvePolisher {
  public:
    LightCurvePolisher(const LightCurve& curve, const timing::FrequencyGrid& grid,
                       const timing::SearchOptions& options)
        : curve_(curve),
          grid_(grid),
          options_(options),
          data_(timing::usable_bins(curve)),
          span_(timing::time_span(curve)) {}

    std::vector<PeriodCandidate> run(std::span<const timing::StatisticPeaks> found) {
        std::vector<PeriodCandidate> all;
        for (const auto& statistic : found)
            for (const auto& peak : statistic.peaks) all.push_back(polish(peak.frequency));
        std::stable_sort(all.begin(), all.end(),
                         [](const auto& a, const auto& b) { return a.statistic > b.statistic; });
        veto(all);
        std::vector<std::vector<PeriodCandidate>> frequencies;
        for (auto& c : all) frequencies.push_back({std::move(c)});
        return rank_rows(std::move(frequencies), options_);
    }

  private:
    void set_significance(PeriodCandidate& c) const {
        const auto n = static_cast<double>(data_.size());
        const double fmax = grid_.frequency(grid_.count - 1);
        const auto significance =
            timing::lomb_scargle_significance(c.statistic, n, fmax, data_.time_variance());
        c.log10_p_single = timing::log10_lomb_scargle_single(c.statistic, n);
        c.n_trials = significance.trials;
        c.log10_fap = significance.log10_fap;
    }

    /// The maximum of the power near a trial, by repeated parabolas through three points.
    PeriodCandidate polish(double start) const {
        double f = start, h = 0.5 * grid_.df, centre = data_.power(f);
        for (int iteration = 0; iteration < 20; ++iteration) {
            const double left = data_.power(f - h), right = data_.power(f + h),
                         bend = left - 2.0 * centre + right;
            double shift = bend < 0.0 ? 0.5 * h * (left - right) / bend : (left > right ? -h : h);
            shift = std::clamp(shift, -h, h);
            const double next = data_.power(f + shift);
            if (next > centre) {
                f = std::clamp(f + shift, start - grid_.df, start + grid_.df);
                centre = data_.power(f);
            }
            h *= 0.5;
        }
        const double h2 = 0.05 / span_;
        const double curvature = (data_.power(f - h2) - 2.0 * centre + data_.power(f + h2)) / (h2 * h2);
        PeriodCandidate c;
        c.exposure = curve_.exposure.file;
        c.instrument = curve_.exposure.instrument;
        c.method = "GLS";
        c.n_harmonics = 1;
        c.frequency = f;
        c.frequency_error =
            timing::frequency_error_from_power(centre, curvature, static_cast<double>(data_.size()));
        c.period = 1.0 / f;
        c.period_error = timing::period_error(f, c.frequency_error);
        c.statistic = centre;
        if (std::isnan(c.frequency_error)) c.flags |= candidate_unresolved_error;
        if (!curve_.exposure.barycentred()) c.flags |= candidate_not_barycentred;
        set_significance(c);
        const double amplitude = timing::lomb_scargle_sinusoid(data_.sums(f)).amplitude();
        if (data_.mean_value() > 0.0)
            set_pulsed_fraction(curve_, amplitude / data_.mean_value(), static_cast<double>(data_.size()),
                                options_.confidence, c);
        return c;
    }

    /// Vetoes few cycles, and what stronger candidates explain: the power that disappears once their
    /// sinusoids are taken out of the light curve is an image of theirs in the gaps.
    void veto(std::vector<PeriodCandidate>& all) const {
        WeightedCurve residual = data_;
        std::vector<double> sources;
        for (PeriodCandidate& c : all) {
            if (c.frequency * span_ < options_.min_cycles) c.veto |= veto_few_cycles;
            if (c.log10_fap > options_.log10_fap) continue;
            const bool related = std::any_of(sources.begin(), sources.end(), [&](double f) {
                return timing::is_harmonically_related(c.frequency, f, 1.0 / span_, 1, harmonic_orders);
            });
            PeriodCandidate left = c;
            left.statistic = residual.power(c.frequency);
            set_significance(left);
            const bool explained = !sources.empty() && (left.log10_fap > options_.log10_fap ||
                                                        left.statistic < explained_fraction * c.statistic);
            if (related)
                c.veto |= veto_harmonic;
            else if (explained)
                c.veto |= veto_window;
            if (related || explained) continue;
            sources.push_back(c.frequency);
            residual.subtract(c.frequency);
        }
    }

    const LightCurve& curve_;
    const timing::FrequencyGrid& grid_;
    const timing::SearchOptions& options_;
    WeightedCurve data_;
    double span_;
};

}  // namespace

std::vector<PeriodCandidate> polish_light_curve(const LightCurve& curve, const timing::FrequencyGrid& grid,
                                                std::span<const timing::StatisticPeaks> found,
                                                const timing::SearchOptions& options) {
    return LightCurvePolisher(curve, grid, options).run(found);
}

}  // namespace xsift::refine
