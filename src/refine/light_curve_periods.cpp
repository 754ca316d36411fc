#include "candidate_rows.hpp"
#include "limit_rows.hpp"
#include "noise_levels.hpp"
#include "pulsations.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <xsift/core/step_limit.hpp>
#include <xsift/refine/limits.hpp>
#include <xsift/refine/periods.hpp>
#include <xsift/timing/aliases.hpp>
#include <xsift/timing/light_curve.hpp>
#include <xsift/timing/lomb_scargle.hpp>
#include <xsift/timing/multi_term.hpp>
#include <xsift/timing/phase.hpp>
#include <xsift/timing/photon_moments.hpp>
#include <xsift/timing/pulsed_fraction.hpp>
#include <xsift/timing/significance.hpp>
#include <xsift/timing/uncertainty.hpp>

namespace xsift::refine {
namespace {

using timing::settle;
using timing::SettledTrial;
using timing::TrialValue;

/// A candidate is explained by stronger ones when less than this fraction of its power is left without them.
constexpr double explained_fraction = 0.2;
/// Harmonics of a stronger candidate that are tried.
constexpr int harmonic_orders = 20;
/// Power that is not significant at this level (log10) in the harmonics that a faster fundamental does not
/// have makes the faster one the fundamental.
constexpr double log10_spare_harmonics = -3.0;
/// Harmonics with which twice the period is tried, and the significance (log10) of its odd ones that is
/// reported.
constexpr int half_period_terms = 4;
constexpr double log10_half_period = -6.0;

/// Peaks polished, in all and of an octave.
constexpr std::size_t most_frequencies = 32;
constexpr int most_in_octave = 10;
/// Where the noise without a signal is computed anew: below this many 1/T, and this many 1/T around the
/// signal.
constexpr std::size_t fewest_for_floor = 16;
constexpr double low_multiples = 64.0, near_multiples = 32.0;
/// Bins whose phasors are made at once.
constexpr std::size_t pass_bins = 256;

/// Light curve with normalised weights; sinusoids can be taken out of it.
class WeightedCurve {
  public:
    explicit WeightedCurve(const timing::UsableBins& bins)
        : time_(bins.time), value_(bins.value), weight_(bins.weight) {
        double sum = 0.0, mean = 0.0, square = 0.0;
        for (const double w : weight_) sum += w;
        for (double& w : weight_) w /= sum;
        sum_w_ = sum;
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
        require_time_left();
        static const timing::MomentKernels& kernels = timing::best_moments();
        timing::LombScargleSums<double> m;
        m.c2 = 0.0;
        for (std::size_t from = 0; from < time_.size(); from += pass_bins) {
            alignas(64) double t[pass_bins], cosine[pass_bins], sine[pass_bins];
            const std::size_t n = std::min(pass_bins, time_.size() - from);
            const std::size_t padded =
                (n + timing::moment_lanes - 1) / timing::moment_lanes * timing::moment_lanes;
            std::copy_n(time_.data() + from, n, t);
            std::fill(t + n, t + padded, 0.0);
            kernels.phasors(frequency, t, cosine, sine, padded);
            for (std::size_t l = 0; l < n; ++l) {
                const double w = weight_[from + l], y = value_[from + l], wy = w * y;
                const double wc = w * cosine[l], ws = w * sine[l];
                m.y += wy;
                m.yy += wy * y;
                m.c += wc;
                m.s += ws;
                m.yc += wy * cosine[l];
                m.ys += wy * sine[l];
                m.c2 += wc * cosine[l] - ws * sine[l];  // of the double angle
                m.s2 += 2.0 * ws * cosine[l];
            }
        }
        return m;
    }
    double power(double frequency) const { return timing::lomb_scargle_power(sums(frequency)); }
    double power(double frequency, int terms) const {
        if (terms == 1) return power(frequency);
        return timing::multi_term_power(sums(frequency, terms), fit(frequency, terms), terms);
    }
    /// chi2 of the constant model.
    double chi2() const {
        double y = 0.0, yy = 0.0;
        for (std::size_t j = 0; j < time_.size(); ++j) {
            y += weight_[j] * value_[j];
            yy += weight_[j] * value_[j] * value_[j];
        }
        return sum_w_ * (yy - y * y);
    }

    /// Takes the best profile of some harmonics at a frequency out of the values.
    void subtract(double frequency, int terms) {
        if (terms == 1) return subtract(frequency);
        const timing::MultiTermFit<double> best = fit(frequency, terms);
        for (std::size_t j = 0; j < time_.size(); ++j) {
            const timing::FixedPhase phase = timing::fixed_phase(frequency, time_[j]);
            for (int k = 1; k <= terms; ++k) {
                const timing::Phasor p = timing::phasor(static_cast<timing::FixedPhase>(k) * phase);
                value_[j] -= best.coefficient[2 * k - 2] * p.cosine + best.coefficient[2 * k - 1] * p.sine;
            }
        }
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
    timing::MultiTermSums<double> sums(double frequency, int terms) const {
        require_time_left();
        timing::MultiTermSums<double> m;
        for (std::size_t j = 0; j < time_.size(); ++j) {
            const double w = weight_[j], wy = w * value_[j];
            const timing::FixedPhase phase = timing::fixed_phase(frequency, time_[j]);
            m.y += wy;
            m.yy += wy * value_[j];
            for (int k = 1; k <= 2 * terms; ++k) {
                const timing::Phasor p = timing::phasor(static_cast<timing::FixedPhase>(k) * phase);
                m.c[k] += w * p.cosine;
                m.s[k] += w * p.sine;
                if (k > terms) continue;
                m.yc[k] += wy * p.cosine;
                m.ys[k] += wy * p.sine;
            }
        }
        return m;
    }
    timing::MultiTermFit<double> fit(double frequency, int terms) const {
        return timing::fit_terms(sums(frequency, terms), terms, true);
    }

    std::vector<double> time_, value_, weight_;
    double time_variance_ = 0.0, mean_value_ = 0.0, sum_w_ = 0.0;
};

class LightCurvePolisher {
  public:
    LightCurvePolisher(const LightCurve& curve, const timing::FrequencyGrid& grid,
                       const timing::SearchOptions& options)
        : curve_(curve),
          grid_(grid),
          options_(options),
          data_(timing::usable_bins(curve)),
          span_(timing::time_span(curve)) {
        const double filled = static_cast<double>(data_.size()) * curve.bin_width;
        exposure_ = filled > 0.0 ? std::min(span_, filled) : span_;
    }

    std::vector<PeriodCandidate> run(std::span<const timing::StatisticPeaks> found) {
        std::vector<PeriodCandidate> all;
        for (const auto& [frequency, terms] : screened(found))
            all.push_back(fastest_fundamental(polish(frequency, terms), found));
        std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
            return a.log10_fap != b.log10_fap ? a.log10_fap < b.log10_fap : a.statistic > b.statistic;
        });
        if (found.size() > 1) all = distinct(std::move(all));
        for (PeriodCandidate& c : all) c.log10_fap_local = c.log10_fap_white;
        LocalNoise noise({}, 1.0);
        if (std::any_of(all.begin(), all.end(),
                        [&](const auto& c) { return c.log10_fap_white <= options_.log10_fap; }))
            noise = judge_locally(all);
        std::stable_sort(all.begin(), all.end(), [&](const auto& a, const auto& b) {
            const double first = standing(a, options_), second = standing(b, options_);
            return first != second ? first < second : a.statistic > b.statistic;
        });
        veto(all);
        std::vector<std::vector<PeriodCandidate>> frequencies;
        bool offered = false;
        for (auto& c : all) {
            const bool first = !offered && c.veto == 0 && c.log10_fap <= options_.log10_fap;
            if (first && half_period_possible(c)) c.flags |= candidate_half_period_possible;
            frequencies.push_back({c});
            if (!first) continue;
            offered = true;
            for (const auto& s : found) {
                PeriodCandidate other = polish(c.frequency, s.statistic.harmonics);
                LocalNoise around = noise;
                judge_locally(other, around);
                if (other.n_harmonics != c.n_harmonics) frequencies.back().push_back(std::move(other));
            }
        }
        std::vector<PeriodCandidate> rows = rank_rows(std::move(frequencies), options_);
        for (PeriodCandidate& c : rows)
            c.statistic = timing::normalised_power(c.statistic, options_.gls_normalisation, data_.chi2());
        return rows;
    }

    std::vector<PulsedFractionLimit> limits(std::span<const timing::StatisticPeaks> found,
                                            std::span<const PeriodCandidate> candidates) const {
        if (!(data_.mean_value() > 0.0)) return {};
        LimitSetting setting;
        setting.exposure = &curve_.exposure;
        setting.method = "GLS";
        setting.kind = timing::Statistic::Kind::gls;
        setting.span = span_;
        setting.confirmable = nyquist();
        setting.frame_time = curve_.bin_width;
        setting.flags = limit_of_all;
        if (!(curve_.bin_width > 0.0)) setting.flags |= limit_frame_time_unknown;
        return limit_rows(setting, grid_, found, candidates, options_, [&](const timing::Peak& peak) {
            const int terms = timing::usable_terms(peak.frequency, nyquist(), peak.harmonics);
            const auto n = static_cast<double>(data_.size()) - 2.0 * (terms - 1);
            // The amplitude of a sinusoid and the chi2 that it takes away say what an amplitude is worth.
            const double power = data_.power(peak.frequency),
                         amplitude = timing::lomb_scargle_sinusoid(data_.sums(peak.frequency)).amplitude() /
                                     data_.mean_value();
            const double all = data_.power(peak.frequency, terms);
            return BandMaximum{peak.frequency,
                               timing::normalised_power(all, options_.gls_normalisation, data_.chi2()),
                               timing::chi2_of_power(all, n),
                               terms,
                               2.0 * timing::chi2_of_power(power, n) / (amplitude * amplitude),
                               /*maximised=*/false,
                               not_measured};
        });
    }

  private:
    /// The peaks to polish with their harmonics, most significant first: what may be significant, and some
    /// more to fill the rows; and as for events the highest of each band that may be significant.
    std::vector<std::pair<double, int>> screened(std::span<const timing::StatisticPeaks> found) const {
        struct Screened {
            double log10_fap, frequency;
            int terms;
            bool of_band;
        };
        std::vector<Screened> peaks;
        const auto add = [&](double value, double frequency, int harmonics, int terms, bool of_band) {
            const auto significance = timing::multi_term_significance(
                value, static_cast<double>(data_.size()), harmonics, bandwidth(), data_.time_variance());
            peaks.push_back({significance.log10_fap, frequency, terms, of_band});
        };
        for (const auto& statistic : found) {
            const int terms = statistic.statistic.harmonics;
            for (const auto& peak : statistic.peaks)
                add(peak.value, peak.frequency, peak.harmonics, terms, false);
            for (const auto& band : statistic.band_maxima) {
                if (band.empty()) continue;
                // At the end of a band it may lie on the slope of a peak of the next.
                const SettledTrial trial = settle(band.front().index, 0, grid_.count, [&](std::int64_t i) {
                    const double f = grid_.frequency(i);
                    return TrialValue{data_.power(f, timing::usable_terms(f, nyquist(), terms)), NAN};
                });
                const double f = grid_.frequency(trial.index);
                add(trial.value, f, timing::usable_terms(f, nyquist(), terms), terms, true);
            }
        }
        std::stable_sort(peaks.begin(), peaks.end(),
                         [](const Screened& a, const Screened& b) { return a.log10_fap < b.log10_fap; });
        std::vector<std::pair<double, int>> chosen;
        std::map<int, int> in_octave;
        for (const Screened& peak : peaks) {
            const bool significant = peak.log10_fap <= options_.log10_fap + 1.0;
            const bool enough =
                chosen.size() >=
                (significant ? most_frequencies : static_cast<std::size_t>(options_.max_candidates));
            if (enough && !significant) break;
            if (peak.of_band &&
                (!significant || std::any_of(chosen.begin(), chosen.end(), [&](const auto& c) {
                    return c.second == peak.terms && std::fabs(c.first - peak.frequency) < 1.0 / span_;
                })))
                continue;
            if (!peak.of_band && enough) continue;
            if (in_octave[std::ilogb(peak.frequency / grid_.df)]++ < most_in_octave || peak.of_band)
                chosen.emplace_back(peak.frequency, peak.terms);
        }
        return chosen;
    }

    void set_significance(PeriodCandidate& c) const {
        const auto n = static_cast<double>(data_.size());
        const auto significance = timing::multi_term_significance(c.statistic, n, c.n_harmonics, bandwidth(),
                                                                  data_.time_variance());
        c.log10_p_single = timing::log10_multi_term_single(c.statistic, n, c.n_harmonics);
        c.n_trials = significance.trials;
        c.log10_fap = c.log10_fap_white = significance.log10_fap;
    }

    /// A power of some harmonics on the scale of Z2: -(n - 1 - 2 terms) ln(1 - z). With one its survival in
    /// white noise is exp(-x/2), with more about that of chi2.
    double as_z2(double power, int terms) const {
        return -(static_cast<double>(data_.size()) - 1.0 - 2.0 * terms) *
               std::log1p(-std::min(power, 1.0 - 1e-12));
    }
    double as_z2(double power) const { return as_z2(power, 1); }
    /// Its inverse.
    double of_z2(double z2, int terms) const {
        return -std::expm1(-z2 / (static_cast<double>(data_.size()) - 1.0 - 2.0 * terms));
    }

    /// A frequency that is left out of the noise.
    struct Excluded {
        double frequency, resolutions;
        bool subtracted;  ///< from the curve too
    };

    /// Takes a candidate and its family out of the curve.
    void take_out(const PeriodCandidate& c, WeightedCurve& curve, std::vector<Excluded>& excluded) const {
        curve.subtract(c.frequency, c.n_harmonics);
        for (int k = 1; k <= c.n_harmonics; ++k)
            excluded.push_back(
                {k * c.frequency, k == 1 ? excluded_resolutions : excluded_family_resolutions, true});
        const double cycles = c.frequency * span_;
        if (cycles < lowest_family || cycles >= highest_family) return;
        for (int k = 1; k <= timing::family_orders; ++k) {
            const double member = 0.5 * k * c.frequency;
            if ((k % 2 == 0 && k / 2 <= c.n_harmonics) || member > fmax()) continue;
            curve.subtract(member);
            excluded.push_back({member, excluded_family_resolutions, true});
        }
    }

    double fmax() const { return grid_.frequency(grid_.count - 1); }
    double bandwidth() const { return static_cast<double>(grid_.count) * grid_.df; }

    /// Powers of the noise of a curve from which signals were taken out, as fractions of the variance of the
    /// whole curve. Near the signals and at the lowest frequencies they are made anew.
    LocalNoise noise_of(const WeightedCurve& residual, const std::vector<Excluded>& excluded) const {
        const double scale = residual.chi2() / data_.chi2();
        std::vector<timing::NoisePower> powers;
        for (const timing::NoisePower& sample : samples_) {
            const double f = sample.frequency;
            bool inside = false, anew = false;
            for (const Excluded& e : excluded) {
                const double distance = std::fabs(f - e.frequency) * span_;
                inside |= distance < e.resolutions;
                anew |= e.subtracted && (f * span_ < low_multiples || distance < near_multiples);
            }
            if (inside) continue;
            powers.push_back({f, as_z2(anew ? scale * residual.power(f) : sample.power) / floor_});
        }
        return {powers, exposure_};
    }

    /// Red noise is part of the variance that powers are fractions of, so white noise at high frequencies
    /// lies below 1: its level there, from the highest octave, at most 1.
    double white_floor() const {
        std::vector<double> powers;
        for (const timing::NoisePower& sample : samples_)
            if (2.0 * sample.frequency > samples_.back().frequency) powers.push_back(as_z2(sample.power));
        if (powers.size() < fewest_for_floor) return 1.0;
        const auto middle = powers.begin() + static_cast<std::ptrdiff_t>(powers.size() / 2);
        std::nth_element(powers.begin(), middle, powers.end());
        return std::clamp(*middle / (2.0 * std::log(2.0)), 1e-3, 1.0);
    }

    /// The share of the trials at which noise reaches a whitened power and, with the same false-alarm
    /// probability, is a candidate in white noise too: of fewer trials the local probability would not come
    /// out as often as it says. Powers are fractions of the variance of the curve, so where the noise lies
    /// below the mean of that, it takes more to be one in white noise.
    double deciding_share(double whitened, LocalNoise& noise) const {
        constexpr int steps = 24, iterations = 20;
        const double low = grid_.frequency(0), ratio = fmax() / low, y = 0.5 * whitened;
        std::vector<std::pair<double, double>> trials;  // number, level over the mean variance
        double all = 0.0;
        for (int i = 0; i < steps; ++i) {
            const double f = low * std::pow(ratio, (i + 0.5) / steps);
            all += f;
            // Next to what has too few cycles steep noise has a slope and no maximum.
            if (f * span_ >= options_.min_cycles + 1.0)
                trials.emplace_back(f, std::max(floor_ * noise.at(f).estimate, 1e-3));
        }
        double share = 1.0;
        for (int i = 0; i < iterations && share > 0.0; ++i) {
            const double in_white = y - std::log(share);
            double sum = 0.0;
            for (const auto& [number, level] : trials)
                sum += number * std::exp(-std::max(0.0, in_white / level - y));
            const double before = std::exchange(share, sum / all);
            if (share > 0.99 * before) break;
        }
        return share;
    }

    void judge_locally(PeriodCandidate& c, LocalNoise& noise) const {
        const timing::NoiseLevel& level = noise.at(c.frequency);
        const double whitened = as_z2(c.statistic, c.n_harmonics) / (floor_ * level.estimate);
        const double local = timing::log10_chi2_survival_local(whitened, c.n_harmonics, level.powers);
        const double log10_p =
            std::max(c.log10_p_single, timing::log10_mixture(level.white, c.log10_p_single, local));
        // As many trials as a power in white noise has that is as high over it as this one over its noise.
        const double trials =
            timing::multi_term_significance(of_z2(whitened, c.n_harmonics), static_cast<double>(data_.size()),
                                            c.n_harmonics, bandwidth(), data_.time_variance())
                .trials;
        c.noise_level = std::max(1.0, floor_ * level.level);
        c.log10_fap_local = std::max(
            c.log10_fap_white,
            timing::log10_false_alarm(log10_p, std::max(1.0, trials * deciding_share(whitened, noise))));
        c.log10_fap = c.log10_fap_local;
        c.flags &= ~std::uint32_t{candidate_red_noise};
        if (level.white < 0.5 && c.noise_level > 1.0) c.flags |= candidate_red_noise;
    }

    /// As for events: each without itself and without those that stand out of the noise.
    /// @return the noise without any of the signals
    LocalNoise judge_locally(std::vector<PeriodCandidate>& all) {
        for (const std::int64_t index : timing::noise_indices(grid_, 1.0 / span_)) {
            const double f = static_cast<double>(index) * grid_.df;
            samples_.push_back({f, data_.power(f)});
        }
        floor_ = white_floor();
        WeightedCurve residual = data_;
        std::vector<Excluded> excluded;
        std::vector<bool> removed(all.size(), false);
        for (std::size_t i = 0; i < all.size(); ++i) {
            PeriodCandidate& c = all[i];
            if (c.log10_fap_white > options_.log10_fap) continue;
            WeightedCurve without = residual;
            std::vector<Excluded> more = excluded;
            take_out(c, without, more);
            LocalNoise around = noise_of(without, more);
            judge_locally(c, around);
            removed[i] = c.log10_fap <= std::min(options_.log10_fap, log10_certain);
            if (!removed[i]) continue;
            residual = std::move(without);
            excluded = std::move(more);
        }
        // Once more, now that all signals are known. What is in doubt stays in the noise of the others.
        LocalNoise base = noise_of(residual, excluded);
        for (std::size_t i = 0; i < all.size(); ++i) {
            PeriodCandidate& c = all[i];
            if (c.log10_fap_white > options_.log10_fap) continue;
            LocalNoise around = base;
            if (!removed[i]) {
                WeightedCurve without = residual;
                std::vector<Excluded> more = excluded;
                take_out(c, without, more);
                around = noise_of(without, more);
            }
            judge_locally(c, around);
        }
        return base;
    }

    /// Highest frequency that the bins can show.
    double nyquist() const {
        return curve_.bin_width > 0.0 ? timing::nyquist_frequency(curve_.bin_width) : INFINITY;
    }

    /// The maximum of the power of some harmonics near a trial, by repeated parabolas through three points.
    PeriodCandidate polish(double start, int wanted_terms) const {
        const int terms = timing::usable_terms(start, nyquist(), wanted_terms);
        const auto power = [&](double frequency) { return data_.power(frequency, terms); };
        double f = start, centre = power(f);
        for (double h = 0.5 * grid_.df; h > 1e-4 * grid_.df; h *= 0.3) {
            const double left = power(f - h), right = power(f + h), bend = left - 2.0 * centre + right;
            const double shift = bend < 0.0 ? 0.5 * h * (left - right) / bend : (left > right ? -h : h);
            const double next = std::clamp(f + std::clamp(shift, -h, h), start - grid_.df, start + grid_.df);
            const double there = power(next);
            if (there > centre) {
                f = next;
                centre = there;
            }
        }
        const double h2 = 0.05 / (span_ * terms);
        const double curvature = (power(f - h2) - 2.0 * centre + power(f + h2)) / (h2 * h2);
        PeriodCandidate c;
        c.exposure = curve_.exposure.file;
        c.instrument = curve_.exposure.instrument;
        c.obs_id = curve_.exposure.obs_id;
        c.span = span_;
        c.method = "GLS";
        c.n_harmonics = terms;
        c.frequency = f;
        c.frequency_error = timing::frequency_error_from_power(
            centre, curvature, static_cast<double>(data_.size()) - 2.0 * (terms - 1));
        c.period = 1.0 / f;
        c.period_error = timing::period_error(f, c.frequency_error);
        c.statistic = centre;
        if (std::isnan(c.frequency_error)) c.flags |= candidate_unresolved_error;
        if (!curve_.exposure.barycentred()) c.flags |= candidate_not_barycentred;
        if (curve_.exposure.flags & exposure_geocentre) c.flags |= candidate_geocentre;
        set_significance(c);
        const double amplitude = timing::lomb_scargle_sinusoid(data_.sums(f)).amplitude();
        if (data_.mean_value() > 0.0)
            set_pulsed_fraction(curve_, data_.power(f), amplitude / data_.mean_value(),
                                static_cast<double>(data_.size()), options_.confidence, c);
        return c;
    }

    /// log10 of the probability that the harmonics of `many` at f which `few` at d f do not have hold
    /// nothing: their share of what the latter leave of chi2.
    double log10_spare(double f, int many, int d, int few) const {
        const double all = data_.power(f, many), multiples = data_.power(d * f, few);
        const double left = multiples < 1.0 ? std::max(0.0, (all - multiples) / (1.0 - multiples)) : 0.0;
        return timing::log10_multi_term_single(left, static_cast<double>(data_.size()) - 2.0 * few,
                                               many - few);
    }

    /// When the harmonics of c are all multiples of d, the fundamental is d times faster. Noise is left where
    /// it was found, as for events.
    PeriodCandidate fastest_fundamental(PeriodCandidate c,
                                        std::span<const timing::StatisticPeaks> found) const {
        for (bool again = c.log10_fap <= options_.log10_fap; again;) {
            again = false;
            const int most = c.n_harmonics;
            for (int d = most; d >= 2 && !again; --d) {
                if (d * c.frequency > grid_.frequency(grid_.count - 1) + grid_.df) continue;
                const int few = most / d;
                if (log10_spare(c.frequency, most, d, few) < log10_spare_harmonics) continue;
                int terms = most;  // the smallest number searched that holds these
                for (const auto& s : found)
                    if (s.statistic.harmonics >= few) terms = std::min(terms, s.statistic.harmonics);
                PeriodCandidate faster = polish(d * c.frequency, terms);
                if (faster.log10_fap > options_.log10_fap) continue;
                c = std::move(faster);
                again = true;
            }
        }
        return c;
    }

    /// Whether twice the period, fitted with its odd harmonics too, is much better: eruptions or dips that
    /// alternate.
    bool half_period_possible(const PeriodCandidate& c) const {
        const double half = 0.5 * c.frequency;
        const int few = std::max(c.n_harmonics, half_period_terms / 2),
                  many = std::min(2 * few, timing::most_terms);
        if (half * span_ < options_.min_cycles || many < 2 * few) return false;
        return log10_spare(half, many, 2, few) < log10_half_period;
    }

    /// One entry a frequency, the most significant.
    std::vector<PeriodCandidate> distinct(std::vector<PeriodCandidate> all) const {
        std::vector<PeriodCandidate> out;
        for (PeriodCandidate& c : all)
            if (std::none_of(out.begin(), out.end(), [&](const PeriodCandidate& o) {
                    return std::fabs(o.frequency - c.frequency) < 0.5 / span_;
                }))
                out.push_back(std::move(c));
        return out;
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
                return timing::is_harmonically_related(c.frequency, f, 1.0 / span_, c.n_harmonics,
                                                       harmonic_orders);
            });
            PeriodCandidate left = c;
            left.statistic = residual.power(c.frequency, c.n_harmonics);
            set_significance(left);
            const bool explained = !sources.empty() && (left.log10_fap > options_.log10_fap ||
                                                        left.statistic < explained_fraction * c.statistic);
            if (related)
                c.veto |= veto_harmonic;
            else if (explained)
                c.veto |= veto_window;
            if (related || explained) continue;
            sources.push_back(c.frequency);
            residual.subtract(c.frequency, c.n_harmonics);
        }
    }

    const LightCurve& curve_;
    const timing::FrequencyGrid& grid_;
    const timing::SearchOptions& options_;
    WeightedCurve data_;
    double span_, exposure_ = 0.0, floor_ = 1.0;
    std::vector<timing::NoisePower> samples_;  ///< powers (0..1) of the whole curve; empty until asked for
};

}  // namespace

std::vector<PeriodCandidate> polish_light_curve(const LightCurve& curve, const timing::FrequencyGrid& grid,
                                                std::span<const timing::StatisticPeaks> found,
                                                const timing::SearchOptions& options) {
    return LightCurvePolisher(curve, grid, options).run(found);
}

std::vector<PulsedFractionLimit> pulsed_fraction_limits(const LightCurve& curve,
                                                        const timing::FrequencyGrid& grid,
                                                        std::span<const timing::StatisticPeaks> found,
                                                        std::span<const PeriodCandidate> candidates,
                                                        const timing::SearchOptions& options) {
    return LightCurvePolisher(curve, grid, options).limits(found, candidates);
}

}  // namespace xsift::refine
