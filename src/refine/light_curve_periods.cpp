#include "candidate_rows.hpp"
#include "noise_levels.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <xsift/refine/periods.hpp>
#include <xsift/timing/aliases.hpp>
#include <xsift/timing/light_curve.hpp>
#include <xsift/timing/lomb_scargle.hpp>
#include <xsift/timing/phase.hpp>
#include <xsift/timing/significance.hpp>
#include <xsift/timing/uncertainty.hpp>

namespace xsift::refine {
namespace {

/// A candidate is explained by stronger ones when less than this fraction of its power is left without them.
constexpr double explained_fraction = 0.2;
/// Harmonics of a stronger candidate that are tried.
constexpr int harmonic_orders = 20;
/// Peaks polished, in all and of an octave.
constexpr std::size_t most_frequencies = 32;
constexpr int most_in_octave = 10;
/// Where the noise without a signal is computed anew: below this many 1/T, and this many 1/T around the
/// signal.
constexpr double low_multiples = 64.0, near_multiples = 32.0;

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
    /// Weighted variance of the values.
    double variance() const {
        double mean = 0.0, square = 0.0;
        for (std::size_t j = 0; j < value_.size(); ++j) mean += weight_[j] * value_[j];
        for (std::size_t j = 0; j < value_.size(); ++j)
            square += weight_[j] * (value_[j] - mean) * (value_[j] - mean);
        return square;
    }

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
                       const timing::SearchOptions& options, const timing::NoiseSamples& noise)
        : curve_(curve),
          grid_(grid),
          options_(options),
          data_(timing::usable_bins(curve)),
          span_(timing::time_span(curve)),
          samples_(noise) {
        const double filled = static_cast<double>(data_.size()) * curve.bin_width;
        exposure_ = filled > 0.0 ? std::min(span_, filled) : span_;
        if (samples_.index.empty()) samples_.index = timing::noise_indices(grid, 1.0 / span_);
    }

    std::vector<PeriodCandidate> run(std::span<const timing::StatisticPeaks> found) {
        std::vector<PeriodCandidate> all;
        for (const double frequency : screened(found)) all.push_back(polish(frequency));
        std::stable_sort(all.begin(), all.end(),
                         [](const auto& a, const auto& b) { return a.statistic > b.statistic; });
        judge_locally(all);
        veto(all);
        std::vector<std::vector<PeriodCandidate>> frequencies;
        for (auto& c : all) frequencies.push_back({std::move(c)});
        return rank_rows(std::move(frequencies), options_);
    }

  private:
    /// The peaks to polish, strongest first: what may be significant, and some more to fill the rows.
    std::vector<double> screened(std::span<const timing::StatisticPeaks> found) const {
        std::vector<double> frequencies;
        std::map<int, int> in_octave;
        for (const auto& statistic : found)
            for (const auto& peak : statistic.peaks) {
                const double log10_fap =
                    timing::lomb_scargle_significance(peak.value, static_cast<double>(data_.size()), fmax(),
                                                      data_.time_variance())
                        .log10_fap;
                const bool significant = log10_fap <= options_.log10_fap + 1.0;
                if (frequencies.size() >=
                    (significant ? most_frequencies : static_cast<std::size_t>(options_.max_candidates)))
                    break;
                if (in_octave[std::ilogb(peak.frequency / grid_.df)]++ < most_in_octave)
                    frequencies.push_back(peak.frequency);
            }
        return frequencies;
    }

    void set_significance(PeriodCandidate& c) const {
        const auto n = static_cast<double>(data_.size());
        const auto significance =
            timing::lomb_scargle_significance(c.statistic, n, fmax(), data_.time_variance());
        c.log10_p_single = timing::log10_lomb_scargle_single(c.statistic, n);
        c.n_trials = significance.trials;
        c.log10_fap = c.log10_fap_white = significance.log10_fap;
    }

    /// A power on the scale of Z2_1: -(n - 3) ln(1 - z), whose survival in white noise is exp(-x/2).
    double as_z2(double power) const {
        return -(static_cast<double>(data_.size()) - 3.0) * std::log1p(-std::min(power, 1.0 - 1e-12));
    }

    /// A frequency that is left out of the noise.
    struct Excluded {
        double frequency, resolutions;
        bool subtracted;  ///< from the curve too
    };

    /// Takes a candidate and its family out of the curve.
    void take_out(double frequency, WeightedCurve& curve, std::vector<Excluded>& excluded) const {
        curve.subtract(frequency);
        excluded.push_back({frequency, excluded_resolutions, true});
        if (frequency * span_ >= family_multiples) return;
        for (int k = 1; k <= timing::family_orders; ++k) {
            const double member = 0.5 * k * frequency;
            if (k == 2 || member > fmax() || member * span_ < 1.0) continue;
            curve.subtract(member);
            excluded.push_back({member, excluded_family_resolutions, true});
        }
    }

    double fmax() const { return grid_.frequency(grid_.count - 1); }

    /// Powers of the noise of a curve from which signals were taken out, as fractions of the variance of the
    /// whole curve. Near the signals and at the lowest frequencies they are made anew; elsewhere they are the
    /// engine's.
    LocalNoise noise_of(const WeightedCurve& residual, const std::vector<Excluded>& excluded) const {
        const double scale = residual.variance() / data_.variance();
        std::vector<timing::NoisePower> powers;
        for (std::size_t i = 0; i < samples_.index.size(); ++i) {
            const double f = static_cast<double>(samples_.index[i]) * grid_.df;
            bool inside = false, anew = samples_.power.empty();
            for (const Excluded& e : excluded) {
                const double distance = std::fabs(f - e.frequency) * span_;
                inside |= distance < e.resolutions;
                anew |= e.subtracted && (f * span_ < low_multiples || distance < near_multiples);
            }
            if (inside) continue;
            powers.push_back(
                {f, as_z2(anew ? scale * residual.power(f) : static_cast<double>(samples_.power[i]))});
        }
        return {std::move(powers), exposure_};
    }

    void judge_locally(PeriodCandidate& c, LocalNoise& noise) const {
        const timing::NoiseLevel& level = noise.at(c.frequency);
        const double local =
            timing::log10_chi2_survival_local(as_z2(c.statistic) / level.estimate, 1, level.powers);
        const double log10_p =
            std::max(c.log10_p_single, timing::log10_mixture(level.white, c.log10_p_single, local));
        c.noise_level = level.level;
        c.log10_fap_local = std::max(c.log10_fap_white, timing::log10_false_alarm(log10_p, c.n_trials));
        c.log10_fap = c.log10_fap_local;
        c.flags &= ~std::uint32_t{candidate_red_noise};
        if (level.white < 0.5) c.flags |= candidate_red_noise;
    }

    /// As for events: each without itself and without those that stand out of the noise.
    void judge_locally(std::vector<PeriodCandidate>& all) const {
        WeightedCurve residual = data_;
        std::vector<Excluded> excluded;
        std::vector<bool> removed(all.size(), false);
        for (std::size_t i = 0; i < all.size(); ++i) {
            PeriodCandidate& c = all[i];
            if (c.log10_fap_white > options_.log10_fap) continue;
            WeightedCurve without = residual;
            std::vector<Excluded> more = excluded;
            take_out(c.frequency, without, more);
            LocalNoise around = noise_of(without, more);
            judge_locally(c, around);
            removed[i] = c.log10_fap <= options_.log10_fap;
            if (!removed[i]) continue;
            residual = std::move(without);
            excluded = std::move(more);
        }
        // Once more, now that all signals are known. What is in doubt stays in the noise of the others.
        const LocalNoise base = noise_of(residual, excluded);
        for (std::size_t i = 0; i < all.size(); ++i) {
            PeriodCandidate& c = all[i];
            LocalNoise around = base;
            if (!removed[i] && c.log10_fap_white <= options_.log10_fap) {
                WeightedCurve without = residual;
                std::vector<Excluded> more = excluded;
                take_out(c.frequency, without, more);
                around = noise_of(without, more);
            }
            judge_locally(c, around);
        }
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
        if (data_.mean_value() > 0.0) c.pulsed_fraction = std::min(1.0, amplitude / data_.mean_value());
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
            set_significance(left);  // in white noise
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
    double span_, exposure_ = 0.0;
    timing::NoiseSamples samples_;
};

}  // namespace

std::vector<PeriodCandidate> polish_light_curve(const LightCurve& curve, const timing::FrequencyGrid& grid,
                                                std::span<const timing::StatisticPeaks> found,
                                                const timing::SearchOptions& options,
                                                const timing::NoiseSamples& noise) {
    return LightCurvePolisher(curve, grid, options, noise).run(found);
}

}  // namespace xsift::refine
