#include "candidate_rows.hpp"
#include "noise_levels.hpp"
#include "photon_sums.hpp"
#include "pulsations.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <queue>
#include <string>
#include <tuple>

#include <xsift/refine/monte_carlo.hpp>
#include <xsift/refine/periods.hpp>
#include <xsift/timing/aliases.hpp>
#include <xsift/timing/screened_peaks.hpp>
#include <xsift/timing/significance.hpp>
#include <xsift/timing/trials.hpp>
#include <xsift/timing/uncertainty.hpp>
#include <xsift/timing/z2.hpp>

namespace xsift::refine {
namespace {

using timing::harmonic_orders;
using timing::settle;
using timing::SettledTrial;
using timing::Statistic;
using timing::TrialValue;

/// Significant frequencies polished an exposure: enough for the aliases and harmonics of a strong signal and
/// what is beneath them.
constexpr std::size_t most_frequencies = 40;
/// Of these at most so many in an octave: neither red noise nor the images of one signal hide what lies
/// elsewhere.
constexpr int most_in_octave = 10;
/// A candidate is explained by stronger ones when less than this fraction of its statistic is left without
/// them.
constexpr double explained_fraction = 0.2;
/// Half-width of the search for the true frame frequency: headers round FRMTIME to a millisecond.
constexpr double frame_tolerance = 0.01;
/// Photons used for that search when the grid does not reach the frame frequency.
constexpr std::size_t frame_photons = 1000;
constexpr double log10_frame_significance = -10.0;
/// The period is taken from the fewest harmonics with this fraction of the statistic.
constexpr double most_of_the_power = 0.5;

/// One frequency under one statistic.
struct Measured {
    Statistic statistic;
    int harmonics = 1;  ///< of Z2_n as evaluated, or the m of H
    double frequency = 0.0, frequency_error = not_measured, value = 0.0;
    std::vector<double> power;  ///< of each harmonic searched, what a constant source shows subtracted
    double log10_p = 0.0, trials = 1.0;
    double log10_fap = 0.0, log10_fap_white = 0.0, log10_fap_local = 0.0;
    double noise_level = not_measured;
    std::uint32_t veto = 0, flags = 0;
    bool removed = false;  ///< from the noise that others are judged by
};

}  // namespace

class EventPolish::Implementation {
  public:
    Implementation(const EventList& events, const timing::FrequencyGrid& grid,
                   std::span<const timing::StatisticPeaks> found, const timing::SearchOptions& options)
        : events_(events),
          grid_(grid),
          found_(found),
          options_(options),
          sums_(events),
          span_(timing::time_span(events)),
          confirmable_(timing::confirmable_frequency(events.exposure)),
          extent_(timing::search_extent(events, grid)) {
        if (sums_.empty() || grid_.count < 1) return;
        all_ = distinct(polish_screened());
        // Cost as much as thousands of trials: only where they are asked for.
        if (std::any_of(all_.begin(), all_.end(),
                        [&](const Measured& m) { return m.log10_fap_white <= options_.log10_fap; }))
            noise_indices_ = timing::noise_indices(grid_, resolution());
    }

    timing::SumTask noise_task() const { return {sums_.photons(), grid_.df, noise_indices_}; }

    std::optional<double> smallest_log10_fap() const {
        if (static_cast<std::ptrdiff_t>(all_.size()) > options_.max_candidates) return std::nullopt;
        std::vector<timing::FoundMaximum> maxima;
        for (const Measured& m : all_)
            maxima.push_back({0, m.harmonics, m.frequency, m.value, m.log10_p, m.log10_fap_white});
        if (!timing::only_frequencies_veto(maxima, options_.log10_fap, options_.min_cycles, span_,
                                           confirmable_))
            return std::nullopt;
        const double f_frame = events_.exposure.frame_time > 0.0 ? frame_frequency(all_) : not_measured;
        return refine::smallest_log10_fap(maxima, f_frame, span_, options_);
    }

    std::vector<PeriodCandidate> finish(std::span<const timing::Complex> noise_sums) {
        if (all_.empty()) return {};
        PhotonNoise noise(events_, sums_, grid_.df, noise_indices_, noise_sums);
        for (Measured& m : all_) m.log10_fap_local = m.log10_fap_white;
        judge_locally(all_, noise);
        veto_by_frequency(all_);
        veto_explained(all_);
        std::stable_sort(all_.begin(), all_.end(), [&](const Measured& a, const Measured& b) {
            const auto of = [&](const Measured& m) {
                return standing(m.log10_fap, m.log10_fap_white, m.flags, options_);
            };
            return of(a) != of(b) ? of(a) < of(b) : a.value > b.value;
        });
        return rows(all_, noise);
    }

  private:
    double resolution() const { return 1.0 / span_; }
    double fmax() const { return grid_.frequency(grid_.count - 1); }

    /// Harmonics that the data can show at this frequency.
    int usable_harmonics(double frequency, int wanted) const {
        return timing::usable_harmonics(frequency, wanted, confirmable_);
    }

    /// log10 of the probability of a single trial to exceed a value.
    double log10_single(Statistic::Kind kind, double value, int harmonics) const {
        return timing::log10_single({kind, harmonics}, value, extent_);
    }
    double trials(Statistic::Kind kind, double value, int harmonics) const {
        return timing::effective_trials({kind, harmonics}, value, extent_);
    }

    void set_significance(Measured& m) const {
        // A constant source shows itself through the gaps; that part of the statistic is no evidence.
        const int harmonics = usable_harmonics(m.frequency, m.statistic.harmonics);
        double evidence = m.value;
        if (m.frequency < sums_.window_limit()) {
            const Evaluation clean = sums_.residual(m.frequency, harmonics, {});
            evidence = value_of(m.statistic, clean);
            m.power = powers_of(clean);
        }
        m.log10_p = log10_single(m.statistic.kind, evidence, harmonics);
        m.trials = trials(m.statistic.kind, evidence, harmonics);
        m.log10_fap = m.log10_fap_white = timing::log10_false_alarm(m.log10_p, m.trials);
    }

    static std::vector<double> powers_of(const Evaluation& e) {
        std::vector<double> powers;
        for (int k = 1; k <= static_cast<int>(e.z2.size()); ++k) powers.push_back(e.term(k));
        return powers;
    }

    /// The spectral lines of a candidate: its harmonics.
    std::vector<Line> lines_of(const Measured& m) const {
        std::vector<Line> lines;
        for (int k = 1; k <= m.harmonics; ++k) lines.push_back(sums_.line(k * m.frequency));
        return lines;
    }

    /// The false-alarm probability with the power of each harmonic divided by the level of the noise around
    /// it.
    void judge_locally(Measured& m, LocalNoise& noise) const {
        const bool is_h = m.statistic.kind == Statistic::Kind::h;
        std::vector<double> whitened;
        std::vector<timing::NoiseLevel> levels;
        timing::HTest<double> test;
        for (std::size_t k = 1; k <= m.power.size(); ++k) {
            levels.push_back(noise.at(static_cast<double>(k) * m.frequency));
            whitened.push_back(m.power[k - 1] / levels.back().estimate);
            test.add(whitened.back());
        }
        // The noise is as well known as that of the harmonics that hold the power.
        const auto harmonics = static_cast<std::size_t>(is_h ? test.best_m : test.m);
        double sum = 0.0, variance = 0.0, white = 1.0;
        for (std::size_t k = 0; k < harmonics; ++k) {
            sum += whitened[k];
            white = std::min(white, levels[k].white);
            for (std::size_t j = 0; j < harmonics; ++j)
                variance += whitened[k] * whitened[j] / std::sqrt(levels[k].powers * levels[j].powers) *
                            timing::NoiseSpectrum::correlation(static_cast<double>(k + 1),
                                                               static_cast<double>(j + 1));
        }
        const double powers = variance > 0.0 ? sum * sum / variance : 1.0;
        const double local = is_h ? timing::log10_h_single_local(whitened, powers, extent_)
                                  : timing::log10_z2_single_local(test.z2, test.m, powers, extent_);
        const double log10_p = std::max(m.log10_p, timing::log10_mixture(white, m.log10_p, local));
        m.noise_level = levels.front().level;
        m.log10_fap_local =
            timing::log10_false_alarm(log10_p, trials(m.statistic.kind, is_h ? test.h : test.z2, test.m));
        m.log10_fap = std::max(m.log10_fap_white, m.log10_fap_local);
        m.flags &= ~std::uint32_t{candidate_red_noise};
        if (white < 0.5) m.flags |= candidate_red_noise;
    }

    /// What a candidate takes out of the noise: its harmonics and, where they lie close, its family.
    std::vector<Signal> signals_of(const Measured& m) const {
        std::vector<Signal> signals;
        const double cycles = m.frequency * span_;
        const bool family = cycles >= lowest_family && cycles < highest_family;
        const int half_orders = std::max(2 * m.harmonics, timing::family_orders);
        const std::vector<timing::Complex> sums =
            family ? sums_.sums(0.5 * m.frequency, half_orders) : sums_.sums(m.frequency, m.harmonics);
        for (std::size_t i = 0; i < sums.size(); ++i) {
            const double f = static_cast<double>(i + 1) * (family ? 0.5 : 1.0) * m.frequency;
            const bool own = !family || i == 1;
            signals.push_back(
                {sums_.line(f, sums[i]), own ? excluded_resolutions : excluded_family_resolutions});
        }
        return signals;
    }

    /// All candidates, strongest first: each without itself and without those that stand out of the noise;
    /// then once more, when all of these are known.
    void judge_locally(std::vector<Measured>& all, PhotonNoise& noise) const {
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (all[i].log10_fap_white > options_.log10_fap) continue;
            const std::vector<Signal> signals = signals_of(all[i]);
            LocalNoise around = noise.without(signals);
            judge_locally(all[i], around);
            // A subharmonic of a stronger signal has that signal's power, which is out already.
            bool related = false;
            for (std::size_t j = 0; j < i && !related; ++j)
                related = all[j].removed &&
                          timing::is_harmonically_related(all[i].frequency, all[j].frequency, resolution(),
                                                          all[i].harmonics, harmonic_orders);
            all[i].removed = !related && all[i].log10_fap <= std::min(options_.log10_fap, log10_certain);
            if (all[i].removed) noise.remove(signals);
        }
        LocalNoise base = noise.without({});
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (all[i].removed) {
                judge_locally(all[i], base);
                continue;
            }
            if (all[i].log10_fap_white > options_.log10_fap) continue;
            LocalNoise around = noise.without(signals_of(all[i]));
            judge_locally(all[i], around);
        }
    }

    static double value_of(const Statistic& statistic, const Evaluation& e) {
        return statistic.kind == Statistic::Kind::h ? e.h : e.z2.back();
    }

    static timing::StatisticAt statistic_at(const Statistic& statistic, int harmonics, const Evaluation& e) {
        const int m = statistic.kind == Statistic::Kind::h ? e.best_m : harmonics;
        const auto last = static_cast<std::size_t>(m) - 1;
        return {value_of(statistic, e), e.slope[last], e.curvature[last], m};
    }

    /// The maximum of a statistic near a frequency.
    Measured maximise(const Statistic& statistic, double start) const {
        struct Place : timing::StatisticAt {
            std::vector<double> power;
        };
        const int harmonics = usable_harmonics(start, statistic.harmonics);
        const auto highest = timing::climb<Place>(start, grid_.df, [&](double f) {
            const Evaluation e = sums_.evaluate(f, harmonics);
            return Place{statistic_at(statistic, harmonics, e), powers_of(e)};
        });
        Measured best;
        best.statistic = statistic;
        best.harmonics = highest.at.harmonics;
        best.frequency = highest.frequency;
        best.value = highest.at.value;
        best.power = highest.at.power;
        best.frequency_error = highest.error;
        if (std::isnan(best.frequency_error)) best.flags |= candidate_unresolved_error;
        set_significance(best);
        return best;
    }

    /// When the harmonics of m are all multiples of d, the fundamental is d times faster. Noise is left where
    /// it was found: what it holds in the other harmonics is part of its maximum, whose probability is meant.
    /// So is a candidate that would not be significant without them.
    Measured fastest_fundamental(Measured m) const {
        for (bool again = m.log10_fap <= options_.log10_fap; again;) {
            again = false;
            const Evaluation e = sums_.evaluate(m.frequency, m.harmonics);
            for (int d = m.harmonics; d >= 2 && !again; --d) {
                if (d * m.frequency > fmax() + grid_.df) continue;
                if (!timing::may_be_multiple(d, m.harmonics, [&](int k) { return e.term(k); })) continue;
                Statistic statistic = m.statistic;
                if (statistic.kind == Statistic::Kind::z2) statistic = fitting_statistic(m.harmonics / d);
                Measured faster = maximise(statistic, d * m.frequency);
                if (faster.log10_fap > options_.log10_fap) continue;
                m = std::move(faster);
                again = true;
            }
        }
        return m;
    }

    /// The searched Z2_n with the smallest n of at least `harmonics`.
    Statistic fitting_statistic(int harmonics) const {
        Statistic best{Statistic::Kind::z2, 0};
        for (const auto& s : found_)
            if (s.statistic.kind == Statistic::Kind::z2 &&
                (best.harmonics < harmonics
                     ? s.statistic.harmonics > best.harmonics
                     : s.statistic.harmonics >= harmonics && s.statistic.harmonics < best.harmonics))
                best = s.statistic;
        return best;
    }

    /// A statistic in double at a trial, as the engines form it.
    TrialValue at_trial(const Statistic& statistic, std::int64_t trial) const {
        const double f = grid_.frequency(trial);
        const int harmonics = usable_harmonics(f, statistic.harmonics);
        if (f < sums_.window_limit()) return {value_of(statistic, sums_.residual(f, harmonics, {})), NAN};
        const timing::StatisticAt at = statistic_at(statistic, harmonics, sums_.evaluate(f, harmonics));
        return {at.value, timing::offset_of_maximum(at, grid_.df)};
    }

    /// A screened peak; settled: in double.
    struct Screened {
        double log10_fap = 0.0;
        std::size_t statistic = 0;
        double value = 0.0;
        std::int64_t trial = 0;
        bool settled = false;
        bool of_band = false;  ///< the highest of a band, whatever lies above it elsewhere

        /// Whether it is looked at before another.
        bool before(const Screened& o) const {
            return std::tuple(log10_fap, statistic, -value, trial, of_band) <
                   std::tuple(o.log10_fap, o.statistic, -o.value, o.trial, o.of_band);
        }
    };

    Screened screened(std::size_t statistic, std::int64_t trial, double value, bool settled,
                      bool of_band) const {
        const Statistic& s = found_[statistic].statistic;
        const int n = usable_harmonics(grid_.frequency(trial), s.harmonics);
        const double fap = timing::log10_found_by_chance({s.kind, n}, value, extent_);
        return {fap, statistic, value, trial, settled, of_band};
    }

    /// Whether a trial is the highest around it, and not the end of a band on a slope that leads to the next.
    bool is_summit(const Statistic& statistic, std::int64_t trial) const {
        constexpr std::int64_t reach = 2;  // as the next trial may have been the highest when it was screened
        const std::int64_t low = std::max<std::int64_t>(trial - reach, 0),
                           high = std::min(trial + reach + 1, grid_.count);
        const auto at = [&](std::int64_t i) {
            const double f = grid_.frequency(i);
            return TrialValue{
                value_of(statistic, sums_.evaluate(f, usable_harmonics(f, statistic.harmonics))), NAN};
        };
        const std::int64_t top = settle(trial, low, high, at).index;
        return (top > low || low == 0) && (top + 1 < high || high == grid_.count);
    }

    /// Polishes the most significant screened peaks, and the highest of each band if it is significant: red
    /// noise can fill the lists with slow peaks, and what is faster is judged by its own noise. Their order
    /// is that of their values in double: a peak waits at the highest value that its screened one allows and
    /// is settled when its turn comes.
    std::vector<Measured> polish_screened() const {
        const auto later = [](const Screened& a, const Screened& b) { return b.before(a); };
        std::priority_queue<Screened, std::vector<Screened>, decltype(later)> queue(later);
        for (std::size_t s = 0; s < found_.size(); ++s) {
            const auto waiting = [&](const timing::Peak& peak, bool of_band) {
                const double highest = peak.value + timing::screening_tolerance(peak.value);
                return screened(s, peak.index, highest, /*settled=*/false, of_band);
            };
            for (const auto& peak : found_[s].peaks) queue.push(waiting(peak, false));
            for (const auto& band : found_[s].band_maxima) {
                if (band.empty()) continue;
                const Screened highest = waiting(band.front(), true);
                if (highest.log10_fap <= options_.log10_fap && is_summit(found_[s].statistic, highest.trial))
                    queue.push(highest);
            }
        }
        std::vector<int> seen(found_.size(), 0);
        std::vector<double> kept;
        std::map<int, int> in_octave;
        std::vector<Measured> out;
        while (!queue.empty()) {
            const Screened p = queue.top();
            queue.pop();
            const Statistic& statistic = found_[p.statistic].statistic;
            const bool significant = p.log10_fap <= options_.log10_fap;
            const bool enough =
                out.size() >=
                (significant ? most_frequencies : static_cast<std::size_t>(options_.max_candidates));
            if (enough && !significant) break;
            if (p.of_band ? !significant : enough) continue;
            if (!p.settled) {
                const SettledTrial exact =
                    settle(p.trial, 0, grid_.count, [&](std::int64_t i) { return at_trial(statistic, i); });
                queue.push(screened(p.statistic, exact.index, exact.value, /*settled=*/true, p.of_band));
                continue;
            }
            if (!p.of_band && seen[p.statistic]++ >= timing::screened_peaks(options_)) continue;
            const double frequency = grid_.frequency(p.trial);
            const bool known = std::any_of(kept.begin(), kept.end(),
                                           [&](double k) { return std::fabs(k - frequency) < resolution(); });
            if (known) continue;
            if (in_octave[std::ilogb(frequency / grid_.df)]++ >= most_in_octave && !p.of_band) continue;
            kept.push_back(frequency);
            out.push_back(fastest_fundamental(maximise(statistic, frequency)));
        }
        return out;
    }

    /// One entry a frequency, the most significant; strongest first.
    std::vector<Measured> distinct(std::vector<Measured> all) const {
        std::stable_sort(all.begin(), all.end(), more_significant);
        std::vector<Measured> out;
        for (const Measured& m : all)
            if (std::none_of(out.begin(), out.end(), [&](const Measured& o) {
                    return std::fabs(o.frequency - m.frequency) < 0.5 * resolution();
                }))
                out.push_back(m);
        return out;
    }

    static bool more_significant(const Measured& a, const Measured& b) {
        return a.log10_fap != b.log10_fap ? a.log10_fap < b.log10_fap : a.value > b.value;
    }

    /// The true frame frequency: headers round the frame time, the photons know it better. Taken from a
    /// candidate near the nominal one, else searched for when an alias of it could lie in the grid; nominal
    /// when it does not show.
    double frame_frequency(const std::vector<Measured>& all) const {
        const double nominal = 1.0 / events_.exposure.frame_time;
        const auto near = [&](const Measured& m) {
            return std::fabs(m.frequency - nominal) < frame_tolerance * nominal &&
                   m.log10_p < log10_frame_significance;
        };
        const auto seen = std::find_if(all.begin(), all.end(), near);
        if (seen != all.end()) return seen->frequency;
        const bool alias_possible = std::any_of(all.begin(), all.end(), [&](const Measured& m) {
            return m.log10_fap <= options_.log10_fap &&
                   m.frequency > nominal / (2 * timing::AliasOrders{}.signal);
        });
        return alias_possible ? search_frame_frequency(nominal) : nominal;
    }

    double search_frame_frequency(double nominal) const {
        const double step = 0.5 * resolution();
        const std::size_t stride = std::max<std::size_t>(1, events_.size() / frame_photons);
        EventList few;
        for (std::size_t j = 0; j < events_.size(); j += stride) few.time.push_back(events_.time[j]);
        few.gti = events_.gti;
        const PhotonSums sums(few);
        const auto n = static_cast<std::int64_t>(2.0 * frame_tolerance * nominal / step);
        double best = nominal, highest = 0.0;
        for (std::int64_t i = 0; i <= n; ++i) {
            const double f = (1.0 - frame_tolerance) * nominal + static_cast<double>(i) * step;
            const double z = 2.0 * sums.sum(f).norm() / sums.sum_w2();
            if (z > highest) {
                highest = z;
                best = f;
            }
        }
        if (timing::log10_false_alarm(timing::log10_chi2_survival(highest, 1), static_cast<double>(n)) >
            log10_frame_significance)
            return nominal;
        return maximise({Statistic::Kind::z2, 1}, best).frequency;
    }

    void veto_by_frequency(std::vector<Measured>& all) const {
        const bool frame_known = events_.exposure.frame_time > 0.0;
        const double f_frame = frame_known ? frame_frequency(all) : not_measured;
        const double tolerance = 1.5 * resolution();
        for (Measured& m : all) {
            m.veto |= frequency_veto(m.frequency, f_frame, span_, options_);
            if (!frame_known) m.flags |= candidate_frame_time_unknown;
            if (!events_.exposure.barycentred()) m.flags |= candidate_not_barycentred;
            if (events_.exposure.flags & exposure_geocentre) m.flags |= candidate_geocentre;
            if (!events_.weight.empty()) m.flags |= candidate_weighted;
        }
        if (!frame_known) return;
        for (const Measured& signal : all) {
            if (signal.veto != 0 || signal.log10_fap > options_.log10_fap) continue;
            for (Measured& m : all)
                if (m.frequency > signal.frequency &&
                    timing::is_frame_alias(m.frequency, f_frame, signal.frequency, tolerance, {}))
                    m.veto |= veto_frame_alias;
        }
    }

    /// Vetoes what stronger candidates explain: their harmonics, and their images in the gaps between the
    /// GTIs.
    void veto_explained(std::vector<Measured>& all) const {
        std::vector<Line> lines;
        std::vector<double> sources;
        for (Measured& m : all) {
            const int n = usable_harmonics(m.frequency, m.statistic.harmonics);
            const bool related = std::any_of(sources.begin(), sources.end(), [&](double f) {
                return timing::is_harmonically_related(m.frequency, f, resolution(), m.harmonics,
                                                       harmonic_orders);
            });
            const Evaluation left = sums_.residual(m.frequency, n, lines);
            const double value = value_of(m.statistic, left);
            const double fap = timing::log10_false_alarm(log10_single(m.statistic.kind, value, n), m.trials);
            const bool explained = !lines.empty() && m.log10_fap <= options_.log10_fap &&
                                   (fap > options_.log10_fap || value < explained_fraction * m.value);
            if (related)
                m.veto |= veto_harmonic;
            else if (explained)
                m.veto |= veto_window;
            if (related || explained || m.log10_fap > options_.log10_fap) continue;
            sources.push_back(m.frequency);
            for (const Line& line : lines_of(m)) lines.push_back(line);
        }
    }

    PeriodCandidate row(const Measured& m) const {
        PeriodCandidate c;
        c.exposure = events_.exposure.file;
        c.instrument = events_.exposure.instrument;
        c.obs_id = events_.exposure.obs_id;
        c.span = span_;
        c.method = m.statistic.kind == Statistic::Kind::h ? "H" : "Z2";
        c.n_harmonics = m.harmonics;
        c.frequency = m.frequency;
        c.frequency_error = m.frequency_error;
        c.period = 1.0 / m.frequency;
        c.period_error = timing::period_error(m.frequency, m.frequency_error);
        c.statistic = m.value;
        c.log10_p_single = m.log10_p;
        c.n_trials = m.trials;
        c.log10_fap = m.log10_fap;
        c.log10_fap_white = m.log10_fap_white;
        c.log10_fap_local = m.log10_fap_local;
        c.noise_level = m.noise_level;
        c.veto = m.veto;
        c.flags = m.flags;
        set_pulsed_fraction(events_.exposure, sums_, options_.confidence, c);
        return c;
    }

    /// Rows of all frequencies; the one offered as the period has a row for every statistic.
    std::vector<PeriodCandidate> rows(const std::vector<Measured>& all, const PhotonNoise& noise) const {
        std::vector<std::vector<PeriodCandidate>> frequencies;
        bool offered = false;
        for (const Measured& m : all) {
            frequencies.push_back({row(m)});
            if (offered || m.veto != 0 || m.log10_fap > options_.log10_fap) continue;
            offered = true;
            for (const auto& s : found_) {
                if (s.statistic == m.statistic) continue;
                Measured other = maximise(s.statistic, m.frequency);
                LocalNoise around = noise.without(m.removed ? std::vector<Signal>{} : signals_of(m));
                judge_locally(other, around);
                // What is measured anew for each row stays its own.
                other.flags |= m.flags & ~std::uint32_t{candidate_unresolved_error | candidate_red_noise};
                frequencies.back().push_back(row(other));
            }
        }
        return rank_rows(std::move(frequencies), options_);
    }

    const EventList& events_;
    const timing::FrequencyGrid& grid_;
    std::span<const timing::StatisticPeaks> found_;
    const timing::SearchOptions& options_;
    PhotonSums sums_;
    double span_, confirmable_;
    timing::SearchExtent extent_;
    std::vector<Measured> all_;
    std::vector<std::int64_t> noise_indices_;
};

EventPolish::EventPolish(const EventList& events, const timing::FrequencyGrid& grid,
                         std::span<const timing::StatisticPeaks> found, const timing::SearchOptions& options)
    : implementation_(std::make_unique<Implementation>(events, grid, found, options)) {}
EventPolish::~EventPolish() = default;
EventPolish::EventPolish(EventPolish&&) noexcept = default;
EventPolish& EventPolish::operator=(EventPolish&&) noexcept = default;

timing::SumTask EventPolish::noise_task() const {
    return implementation_->noise_task();
}
std::optional<double> EventPolish::smallest_log10_fap() const {
    return implementation_->smallest_log10_fap();
}
std::vector<PeriodCandidate> EventPolish::finish(std::span<const timing::Complex> noise_sums) {
    return implementation_->finish(noise_sums);
}

std::vector<PeriodCandidate> polish_events(const EventList& events, const timing::FrequencyGrid& grid,
                                           std::span<const timing::StatisticPeaks> found,
                                           const timing::SearchOptions& options) {
    EventPolish polish(events, grid, found, options);
    return polish.finish(timing::sums_of(polish.noise_task()));
}

double source_log10_fap(std::span<const PeriodCandidate> candidates, double n_searches) {
    double best = 0.0;
    for (const PeriodCandidate& c : candidates)
        if (c.veto == 0) best = std::min(best, c.log10_fap);
    return timing::log10_false_alarm(best, n_searches);
}

void conclude_period(SourceResult& result, const timing::SearchOptions& options) {
    result.best_period = -1;
    result.log10_fap = not_measured;
    result.flags &= ~std::uint32_t{source_not_barycentred | source_vetoed_stronger};
    for (PeriodCandidate& c : result.candidates) c.flags &= ~std::uint32_t{candidate_offered};
    if (!(result.n_searches > 0.0)) return;
    result.log10_fap = source_log10_fap(result.candidates, result.n_searches);
    result.best_period = select_period(result.candidates, options, result.n_searches);
    if (result.best_period < 0) return;
    PeriodCandidate& offered = result.candidates[static_cast<std::size_t>(result.best_period)];
    offered.flags |= candidate_offered;
    if (offered.flags & candidate_not_barycentred) result.flags |= source_not_barycentred;
    for (const PeriodCandidate& other : result.candidates)
        if (other.veto != 0 && other.log10_fap < offered.log10_fap) result.flags |= source_vetoed_stronger;
}

int select_period(std::span<const PeriodCandidate> candidates, const timing::SearchOptions& options,
                  double n_searches) {
    const auto eligible = [&](const PeriodCandidate& c) {
        return c.veto == 0 && timing::log10_false_alarm(c.log10_fap, n_searches) <= options.log10_fap;
    };
    const PeriodCandidate* best = nullptr;
    for (const PeriodCandidate& c : candidates)
        if (eligible(c) && (!best || standing(c, options) < standing(*best, options))) best = &c;
    if (!best) return -1;
    // Of the rows of its frequency, the one with the fewest harmonics that hold most of the power: the phases
    // of higher harmonics sharpen the frequency only when the profile is stable.
    const PeriodCandidate* chosen = best;
    for (const PeriodCandidate& c : candidates)
        if (eligible(c) && c.exposure == best->exposure && c.rank == best->rank && c.method == "Z2" &&
            best->method != "EF" && c.n_harmonics < chosen->n_harmonics &&
            c.statistic >= most_of_the_power * best->statistic)
            chosen = &c;
    return static_cast<int>(chosen - candidates.data());
}

}  // namespace xsift::refine
