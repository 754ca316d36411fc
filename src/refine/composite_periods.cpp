#include "candidate_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/core/step_limit.hpp>
#include <xsift/refine/composite_periods.hpp>
#include <xsift/timing/aliases.hpp>
#include <xsift/timing/epoch_folding.hpp>
#include <xsift/timing/significance.hpp>
#include <xsift/timing/trials.hpp>
#include <xsift/timing/uncertainty.hpp>
#include <xsift/timing/z2.hpp>

namespace xsift::refine {
namespace {

using timing::Complex;
using Kind = timing::Statistic::Kind;
using Rows = std::vector<PeriodCandidate>;

/// Derivatives nearer to 0 than this many of their errors are none.
constexpr double drift_sigmas = 3.0;
/// Harmonics of a stronger candidate that are tried.
constexpr int harmonic_orders = 20;
/// Headers round the frame time to a millisecond.
constexpr double frame_tolerance = 0.01;
/// Frequencies at which the local noise level is sampled, and how near the candidate none is, in 1/T.
constexpr int noise_samples = 40;
constexpr double noise_distance = 3.0;
/// chi2 of fewer expected counts in a bin is approximate.
constexpr double enough_counts = 5.0;
/// Overlap of exposures that are phase-connected, as a fraction of the shorter.
constexpr double least_overlap = 0.5;
constexpr double one_instrument_sigmas = 3.0;

/// Photons as the sums need them.
struct Member {
    std::span<const double> time;
    std::span<const float> weight;
    std::span<const double> gti_start, gti_stop, gti_rate;
    double confirmable = std::numeric_limits<double>::infinity();
    double sum_w = 0.0, sum_w2 = 0.0, window_limit = 0.0;

    double weight_of(std::size_t j) const { return weight.empty() ? 1.0 : static_cast<double>(weight[j]); }
    void sum_up() {
        double exposure = 0.0;
        for (std::size_t j = 0; j < time.size(); ++j) {
            sum_w += weight_of(j);
            sum_w2 += weight_of(j) * weight_of(j);
        }
        for (std::size_t i = 0; i < gti_start.size(); ++i) exposure += gti_stop[i] - gti_start[i];
        if (exposure > 0.0 && sum_w2 > 0.0)
            window_limit =
                timing::window_limit(sum_w * sum_w / sum_w2, static_cast<int>(gti_start.size()), exposure);
    }
};

Member member_of(const EventList& events) {
    Member m;
    m.time = events.time;
    m.weight = events.weight;
    m.gti_start = events.gti.start;
    m.gti_stop = events.gti.stop;
    m.confirmable = timing::confirmable_frequency(events.exposure);
    m.sum_up();
    return m;
}

Member member_of(const JointGroup& group) {
    Member m;
    m.time = group.time;
    m.weight = group.weight;
    m.gti_start = group.gti_start;
    m.gti_stop = group.gti_stop;
    m.gti_rate = group.gti_rate;
    m.confirmable = group.confirmable;
    m.sum_up();
    return m;
}

/// Z2_n summed over members with its derivatives in frequency and fdot.
struct Surface {
    double z2 = 0.0, slope_f = 0.0, slope_d = 0.0, bend_ff = 0.0, bend_fd = 0.0, bend_dd = 0.0;
};

Surface surface(std::span<const Member> members, double f, double fdot, int n) {
    Surface out;
    for (const Member& m : members) {
        require_time_left();
        std::vector<Complex> moments(static_cast<std::size_t>(5 * n));
        for (std::size_t j = 0; j < m.time.size(); ++j) {
            const double t = m.time[j];
            const timing::Phasor p = timing::phasor(timing::fixed_phase(f, t) + timing::drift_phase(fdot, t));
            const Complex turn{p.cosine, p.sine};
            Complex e = turn * m.weight_of(j);
            for (int k = 0; k < n; ++k) {
                Complex power = e;
                for (int q = 0; q < 5; ++q) {
                    Complex& a = moments[static_cast<std::size_t>(5 * k + q)];
                    a = a + power;
                    power = power * t;
                }
                e = e * turn;
            }
        }
        for (int k = 1; k <= n; ++k) {
            if (k > 1 && k * f > m.confirmable) break;
            const Complex* a = &moments[static_cast<std::size_t>(5 * (k - 1))];
            const auto dot = [](Complex x, Complex y) { return x.re * y.re + x.im * y.im; };
            const double w = constants::two_pi * k, v = constants::pi * k, scale = 2.0 / m.sum_w2;
            const Complex i{0.0, 1.0}, by_f = i * a[1] * w, by_d = i * a[2] * v;
            out.z2 += scale * a[0].norm();
            out.slope_f += 2.0 * scale * dot(a[0], by_f);
            out.slope_d += 2.0 * scale * dot(a[0], by_d);
            out.bend_ff += 2.0 * scale * (by_f.norm() - w * w * dot(a[0], a[2]));
            out.bend_fd += 2.0 * scale * (dot(by_f, by_d) - w * v * dot(a[0], a[3]));
            out.bend_dd += 2.0 * scale * (by_d.norm() - v * v * dot(a[0], a[4]));
        }
    }
    return out;
}

/// Z2_n less what a constant source shows through the good time intervals.
double clean_z2(std::span<const Member> members, double f, double fdot, int n) {
    double z2 = 0.0;
    for (const Member& m : members) {
        require_time_left();
        std::vector<Complex> sums(static_cast<std::size_t>(n));
        for (std::size_t j = 0; j < m.time.size(); ++j) {
            const timing::Phasor p =
                timing::phasor(timing::fixed_phase(f, m.time[j]) + timing::drift_phase(fdot, m.time[j]));
            const Complex turn{p.cosine, p.sine};
            Complex e = turn * m.weight_of(j);
            for (Complex& sum : sums) {
                sum = sum + e;
                e = e * turn;
            }
        }
        for (int k = 1; k <= n; ++k) {
            if (k > 1 && k * f > m.confirmable) break;
            Complex s = sums[static_cast<std::size_t>(k - 1)];
            if (k * f < m.window_limit)
                s = s - timing::drift_window(k * f, k * fdot, m.gti_start.data(), m.gti_stop.data(),
                                             m.gti_rate.empty() ? nullptr : m.gti_rate.data(),
                                             static_cast<int>(m.gti_start.size())) *
                            m.sum_w;
            z2 += timing::z2_term(s.re, s.im, m.sum_w2);
        }
    }
    return z2;
}

/// Local noise: median of Z2_n at frequencies around f over that of white noise, at least 1.
double noise_level(std::span<const Member> members, double f, double span, int n) {
    std::vector<double> values;
    const double low = std::max(0.5 * f, 1.0 / span), high = 2.0 * f;
    const double step = std::max((high - low) / noise_samples, 1.0 / span);
    for (double g = low; g <= high; g += step) {
        const double ratio = std::max(g / f, f / g), whole = std::rint(ratio);
        if (std::fabs(ratio - whole) * std::min(f, g) * span < noise_distance)
            continue;  // f itself and its harmonics
        values.push_back(clean_z2(members, g, 0.0, n));
    }
    if (values.size() < 5) return 1.0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    const double dof = 2.0 * n * static_cast<double>(members.size());
    return std::max(1.0,
                    *middle / (dof * std::pow(1.0 - 2.0 / (9.0 * dof), 3)));  // Wilson & Hilferty's median
}

/// A maximum of the surface.
struct Maximum {
    double frequency = 0.0, fdot = 0.0, z2 = -1.0;
    double frequency_error = not_measured, fdot_error = not_measured;
};

/// Newton steps within a box; where the surface is not curved down, or a step does not climb, half of it.
Maximum climb(std::span<const Member> members, double f0, double d0, int n, double f_box, double d_box) {
    double f = f0, d = d0;
    Surface here = surface(members, f, d, n);
    const bool drifting = d_box > 0.0;
    for (int iteration = 0; iteration < 25; ++iteration) {
        double step_f, step_d = 0.0;
        const double determinant = here.bend_ff * here.bend_dd - here.bend_fd * here.bend_fd;
        if (drifting && here.bend_ff < 0.0 && determinant > 0.0) {
            step_f = -(here.bend_dd * here.slope_f - here.bend_fd * here.slope_d) / determinant;
            step_d = -(here.bend_ff * here.slope_d - here.bend_fd * here.slope_f) / determinant;
        } else if (!drifting && here.bend_ff < 0.0) {
            step_f = -here.slope_f / here.bend_ff;
        } else {  // uphill in units of the box
            const double uf = here.slope_f * f_box, ud = here.slope_d * d_box, length = std::hypot(uf, ud);
            if (!(length > 0.0)) break;
            step_f = 0.3 * f_box * uf / length;
            step_d = 0.3 * d_box * ud / length;
        }
        bool climbed = false;
        double scale = 1.0;
        for (int halving = 0; halving < 12 && !climbed; ++halving, scale *= 0.5) {
            const double next_f = std::clamp(f + scale * step_f, f0 - f_box, f0 + f_box);
            const double next_d = std::clamp(d + scale * step_d, d0 - d_box, d0 + d_box);
            const Surface there = surface(members, next_f, next_d, n);
            if (!(there.z2 > here.z2)) continue;
            climbed = true;
            f = next_f;
            d = next_d;
            here = there;
        }
        if (!climbed || (std::fabs(step_f) < 1e-6 * f_box && std::fabs(step_d) <= 1e-6 * d_box)) break;
    }
    Maximum m{f, d, here.z2};
    const double determinant = here.bend_ff * here.bend_dd - here.bend_fd * here.bend_fd;
    if (drifting && here.bend_ff < 0.0 && determinant > 0.0) {
        // 1 sigma is where Z2 has dropped by 1: the covariance is -2 times the inverse of the curvature.
        m.frequency_error = std::sqrt(-2.0 * here.bend_dd / determinant);
        m.fdot_error = std::sqrt(-2.0 * here.bend_ff / determinant);
    } else if (!drifting) {
        m.frequency_error = timing::frequency_error_from_curvature(here.bend_ff);
    }
    return m;
}

/// What candidates of one exposure, or of all jointly, have in common.
struct Frame {
    double span = 0.0;         ///< s
    double confirmable = 0.0;  ///< Hz
    std::vector<double> frame_frequencies;
    std::uint32_t flags = 0;
    const timing::FrequencyGrid& grid;
    timing::SearchExtent extent;
    const timing::SearchOptions& options;

    /// Trials of frequency at a value of Z2_n, for each of the drifts.
    double trials(double z2, int n, double drifts) const { return drifts * timing::z2_trials(z2, n, extent); }
    void set_frequency(PeriodCandidate& c, double f, double error) const {
        c.frequency = f;
        c.frequency_error = error;
        c.period = 1.0 / f;
        c.period_error = timing::period_error(f, error);
        c.flags |= flags;
        if (std::isnan(error)) c.flags |= candidate_unresolved_error;
    }
    /// @param log10_p in white noise, then in noise of the local level
    void set_significance(PeriodCandidate& c, double log10_p, double log10_p_local, double level,
                          double n_trials) const {
        c.log10_p_single = log10_p;
        c.n_trials = n_trials;
        c.noise_level = level;
        c.log10_fap_white = timing::log10_false_alarm(log10_p, n_trials);
        c.log10_fap_local = std::max(c.log10_fap_white, timing::log10_false_alarm(log10_p_local, n_trials));
        c.log10_fap = c.log10_fap_local;
    }
    /// Vetoes from the frequency and from other rows: those of a row at the same frequency; harmonics of
    /// stronger ones.
    void veto(PeriodCandidate& c, std::span<const PeriodCandidate> others, int own_orders) const {
        if (c.frequency * span < options.min_cycles) c.veto |= veto_few_cycles;
        if (c.frequency > confirmable) c.veto |= veto_above_nyquist;
        for (const double frame : frame_frequencies)
            if (timing::is_frame_alias(c.frequency, frame, 0.0, frame_tolerance * frame, {}))
                c.veto |= veto_frame_alias;
        for (const PeriodCandidate& o : others) {
            const bool same = std::fabs(o.frequency - c.frequency) < 1.5 / span;
            if (same) c.veto |= o.veto;
            if (!same && o.veto == 0 && o.log10_fap < c.log10_fap && o.log10_fap <= options.log10_fap &&
                timing::is_harmonically_related(c.frequency, o.frequency, 1.0 / span, own_orders,
                                                harmonic_orders))
                c.veto |= veto_harmonic;
        }
    }
};

std::uint32_t flags_of(const EventList& events) {
    std::uint32_t flags = 0;
    if (!events.exposure.barycentred()) flags |= candidate_not_barycentred;
    if (!(events.exposure.frame_time > 0.0)) flags |= candidate_frame_time_unknown;
    if (!events.weight.empty()) flags |= candidate_weighted;
    return flags;
}

Frame frame_of(const EventList& events, const timing::FrequencyGrid& grid,
               const timing::SearchOptions& options) {
    Frame frame{timing::time_span(events),
                timing::confirmable_frequency(events.exposure),
                {},
                flags_of(events),
                grid,
                timing::search_extent(events, grid),
                options};
    if (events.exposure.frame_time > 0.0) frame.frame_frequencies.push_back(1.0 / events.exposure.frame_time);
    return frame;
}

/// Profile of the photons at a frequency.
timing::FoldedChi2 fold(const Member& m, double f, int bins) {
    timing::FoldedProfile<double> profile;
    for (std::size_t j = 0; j < m.time.size(); ++j)
        profile.add(timing::phase_bin(timing::fixed_phase(f, m.time[j]), bins), m.weight_of(j));
    std::vector<double> share(static_cast<std::size_t>(bins), m.gti_start.empty() ? 1.0 : 0.0);
    for (std::size_t g = 0; g < m.gti_start.size(); ++g)
        timing::add_phase_exposure(f * m.gti_start[g], f * m.gti_stop[g], 1.0, bins, share.data());
    return timing::folded_chi2(profile, share.data(), bins);
}

PeriodCandidate folded_row(const EventList& events, const Frame& frame, const CompositeStart& start,
                           double drifts) {
    const Member member = member_of(events);
    const int bins = start.statistic.harmonics, n = std::max(1, std::min(bins / 2, 20));
    double best = start.frequency, width = frame.grid.df;
    timing::FoldedChi2 highest = fold(member, best, bins);
    for (int round = 0; round < 3; ++round, width /= 10.0) {
        const double middle = best;
        for (int i = -10; i <= 10; ++i) {
            const double f = middle + 0.1 * i * width;
            const timing::FoldedChi2 there = fold(member, f, bins);
            if (there.chi2 > highest.chi2) {
                highest = there;
                best = f;
            }
        }
    }
    PeriodCandidate c;
    c.exposure = events.exposure.file;
    c.instrument = events.exposure.instrument;
    c.obs_id = events.exposure.obs_id;
    c.span = frame.span;
    c.method = "EF";
    c.n_harmonics = bins;
    const Surface curve = surface(std::span(&member, 1), best, 0.0, n);
    frame.set_frequency(c, best, timing::frequency_error_from_curvature(curve.bend_ff));
    c.statistic = highest.chi2;
    if (highest.least_expected < enough_counts) c.flags |= candidate_few_counts_per_bin;
    const double level = noise_level(std::span(&member, 1), best, frame.span, n);
    frame.set_significance(c, timing::log10_chi2_survival_dof(highest.chi2, highest.dof),
                           timing::log10_chi2_survival_dof(highest.chi2 / level, highest.dof), level,
                           frame.trials(highest.chi2, n, drifts));
    return c;
}

PeriodCandidate drifting_row(const EventList& events, const Frame& frame, const CompositeStart& start,
                             const timing::DriftGrid& drift) {
    const Member member = member_of(events);
    const int n = start.statistic.harmonics;
    const double d_box =
        1.5 * (drift.acceleration ? drift.step * start.frequency / constants::speed_of_light : drift.step);
    const Maximum top =
        climb(std::span(&member, 1), start.frequency, start.fdot, n, 2.0 * frame.grid.df, d_box);
    PeriodCandidate c;
    c.exposure = events.exposure.file;
    c.instrument = events.exposure.instrument;
    c.obs_id = events.exposure.obs_id;
    c.span = frame.span;
    c.method = "Z2";
    c.n_harmonics = n;
    frame.set_frequency(c, top.frequency, top.frequency_error);
    c.fdot = top.fdot;
    c.fdot_error = top.fdot_error;
    c.epoch = events.exposure.mjd_reference + events.exposure.time_zero / constants::seconds_per_day;
    c.statistic = top.z2;
    const double evidence = std::min(top.z2, clean_z2(std::span(&member, 1), top.frequency, top.fdot, n));
    const double level = noise_level(std::span(&member, 1), top.frequency, frame.span, n);
    frame.set_significance(c, timing::log10_z2_single(evidence, n, frame.extent),
                           timing::log10_chi2_survival(evidence / level, n), level,
                           frame.trials(evidence, n, static_cast<double>(drift.count())));
    return c;
}

bool more_significant(const PeriodCandidate& a, const PeriodCandidate& b) {
    return a.log10_fap != b.log10_fap ? a.log10_fap < b.log10_fap : a.statistic > b.statistic;
}

/// Of rows of the same method and frequency the most significant, strongest first.
Rows distinct(Rows rows, double distance) {
    std::stable_sort(rows.begin(), rows.end(), more_significant);
    Rows out;
    for (PeriodCandidate& c : rows)
        if (std::none_of(out.begin(), out.end(), [&](const PeriodCandidate& o) {
                const double drift = std::isnan(c.fdot) ? 0.0 : std::fabs(c.fdot - o.fdot) * 0.5 / distance;
                return o.method == c.method && std::fabs(o.frequency - c.frequency) < 0.5 * distance + drift;
            }))
            out.push_back(std::move(c));
    return out;
}

/// Rows of an exposure ranked anew; a row within half a resolution of a frequency joins its rows.
Rows rank_anew(Rows rows, Rows added, double resolution, const timing::SearchOptions& options) {
    std::map<std::int32_t, Rows> by_rank;
    for (PeriodCandidate& c : rows) by_rank[c.rank].push_back(std::move(c));
    std::vector<Rows> frequencies;
    for (auto& [rank, of_rank] : by_rank) frequencies.push_back(std::move(of_rank));
    for (PeriodCandidate& c : added) {
        const auto home = std::find_if(frequencies.begin(), frequencies.end(), [&](const Rows& r) {
            return std::isnan(c.fdot) && std::isnan(r.front().fdot) &&
                   std::fabs(r.front().frequency - c.frequency) < 0.5 * resolution;
        });
        if (home != frequencies.end())
            home->push_back(std::move(c));
        else
            frequencies.push_back({std::move(c)});
    }
    return rank_rows(std::move(frequencies), options);
}

double overlap(double a0, double a1, double b0, double b1) {
    return std::max(0.0, std::min(a1, b1) - std::max(a0, b0));
}

/// Start and stop of a list, s since its mjd_reference.
std::pair<double, double> extent(const EventList& list) {
    const bool gti = list.gti.size() > 0;
    const double a = gti ? list.gti.start.front() : list.time.front(),
                 b = gti ? list.gti.stop.back() : list.time.back();
    return {list.exposure.time_zero + a, list.exposure.time_zero + b};
}

/// What to add to times of b (relative to its time_zero) to get times relative to the time_zero of a.
double offset_between(const EventList& a, const EventList& b) {
    return (b.exposure.mjd_reference - a.exposure.mjd_reference) * constants::seconds_per_day +
           (b.exposure.time_zero - a.exposure.time_zero);
}

bool phase_connected(const EventList& a, const EventList& b) {
    const Exposure &x = a.exposure, &y = b.exposure;
    if (!(std::isfinite(x.mjd_reference) && std::isfinite(y.mjd_reference)) ||
        x.barycentred() != y.barycentred() || x.time_system != y.time_system ||
        x.time_reference != y.time_reference || a.weight.empty() != b.weight.empty())
        return false;
    const auto [a0, a1] = extent(a);
    auto [b0, b1] = extent(b);
    const double shift = (y.mjd_reference - x.mjd_reference) * constants::seconds_per_day;
    b0 += shift;
    b1 += shift;
    return overlap(a0, a1, b0, b1) >= least_overlap * std::min(a1 - a0, b1 - b0);
}

}  // namespace

timing::DriftGrid make_drift(const EventList& events, const timing::FrequencyGrid& grid,
                             const timing::SearchOptions& options) {
    timing::DriftGrid drift;
    const bool acceleration = options.max_acceleration > 0.0;
    const double range = acceleration ? options.max_acceleration : options.max_fdot;
    if (!(range > 0.0)) return drift;
    if (acceleration && options.max_fdot > 0.0)
        throw Error(ErrorKind::usage, "BAD_SETTING", "--fdot and --accel cannot be searched at once", {},
                    "Set one of them to 0.");
    int n = 1;
    for (const int harmonics : options.z2_harmonics) n = std::max(n, harmonics);
    const double variance = timing::quadratic_variance(events.gti.start.data(), events.gti.stop.data(),
                                                       static_cast<int>(events.gti.size()));
    if (!(variance > 0.0)) return drift;
    drift.acceleration = acceleration;
    double step = timing::drift_step(options.coherence_loss, n, variance);
    if (acceleration) step *= constants::speed_of_light / grid.frequency(grid.count - 1);
    const double half = std::ceil(range / step),
                 trials = (2.0 * half + 1.0) * static_cast<double>(grid.count);
    if (trials > static_cast<double>(options.max_trials))
        throw Error(
            ErrorKind::input, "GRID_TOO_LARGE", events.exposure.file + " cannot be searched for drifts",
            fmt::format("{:.4g} trials of frequency and drift are more than {}", trials, options.max_trials),
            "Lower --fmax, --fdot or --accel, or raise --coherence-loss or --max-trials.");
    drift.half = static_cast<std::int64_t>(half);
    drift.step = range / half;
    return drift;
}

std::vector<PeriodCandidate> add_composite_rows(const EventList& events, const timing::FrequencyGrid& grid,
                                                const timing::DriftGrid& drift,
                                                std::span<const CompositeStart> found,
                                                std::vector<PeriodCandidate> rows,
                                                const timing::SearchOptions& options) {
    const Frame frame = frame_of(events, grid, options);
    Rows folded, drifting;
    const auto most = static_cast<std::size_t>(std::max(options.max_candidates, 1));
    std::size_t n_folded = 0, n_drifting = 0;
    for (const CompositeStart& start : found) {
        if (start.statistic.kind == Kind::ef) {
            if (n_folded++ < most) folded.push_back(folded_row(events, frame, start, 1.0));
        } else if (start.fdot != 0.0 && n_drifting++ < most * options.z2_harmonics.size()) {
            PeriodCandidate c = drifting_row(events, frame, start, drift);
            if (std::fabs(c.fdot) > drift_sigmas * c.fdot_error) drifting.push_back(std::move(c));
        }
    }
    const double resolution = 1.0 / frame.span;
    drifting = distinct(std::move(drifting), resolution);
    folded = distinct(std::move(folded), resolution);
    for (std::size_t i = 0; i < drifting.size(); ++i) {
        PeriodCandidate& c = drifting[i];
        frame.veto(c, rows, c.n_harmonics);
        frame.veto(c, std::span(drifting).first(i), c.n_harmonics);
        if (c.veto != 0 || c.log10_fap > options.log10_fap) continue;
        // At a constant frequency a drifting signal shows weakly all over the frequencies that it covers.
        for (PeriodCandidate& o : rows)
            if (o.log10_fap > c.log10_fap && std::fabs(o.frequency - c.frequency) <
                                                 0.5 * std::fabs(c.fdot) * frame.span + 1.5 * resolution)
                o.veto |= veto_harmonic;
    }
    Rows added = std::move(drifting);
    for (PeriodCandidate& c : folded) {
        frame.veto(c, rows, c.n_harmonics);
        frame.veto(c, added, c.n_harmonics);  // the drifting ones, and the stronger folded ones
        added.push_back(std::move(c));
    }
    return rank_anew(std::move(rows), std::move(added), resolution, options);
}

std::vector<JointGroup> joint_groups(std::span<const EventList* const> lists) {
    std::vector<std::vector<const EventList*>> groups;
    for (const EventList* list : lists) {
        const auto home = std::find_if(groups.begin(), groups.end(), [&](const auto& group) {
            return std::all_of(group.begin(), group.end(),
                               [&](const EventList* other) { return phase_connected(*other, *list); });
        });
        if (home != groups.end())
            home->push_back(list);
        else
            groups.push_back({list});
    }
    std::vector<JointGroup> out;
    for (const auto& group : groups) {
        JointGroup joined;
        joined.confirmable = std::numeric_limits<double>::infinity();
        for (const EventList* list : group) {
            const double shift = list == group.front() ? 0.0 : offset_between(*group.front(), *list);
            const double rate =
                list->gti.exposure() > 0.0 ? static_cast<double>(list->size()) / list->gti.exposure() : 1.0;
            for (const double t : list->time) joined.time.push_back(t + shift);
            joined.weight.insert(joined.weight.end(), list->weight.begin(), list->weight.end());
            for (std::size_t i = 0; i < list->gti.size(); ++i) {
                joined.gti_start.push_back(list->gti.start[i] + shift);
                joined.gti_stop.push_back(list->gti.stop[i] + shift);
                joined.gti_rate.push_back(rate);
            }
            joined.confirmable = std::min(joined.confirmable, timing::confirmable_frequency(list->exposure));
        }
        out.push_back(std::move(joined));
    }
    return out;
}

timing::SearchExtent joint_extent(std::span<const EventList* const> lists, const timing::FrequencyGrid& grid,
                                  int groups) {
    timing::SearchExtent extent;
    double variance = 0.0, photons = 0.0;
    for (const EventList* list : lists) {
        extent = timing::search_extent(*list, grid);
        variance += extent.time_variance;
        photons += extent.photons;
    }
    extent.time_variance = variance / static_cast<double>(lists.size());
    extent.photons = photons / groups;
    extent.groups = groups;
    return extent;
}

timing::FrequencyGrid joint_grid(std::span<const EventList* const> lists,
                                 const timing::SearchOptions& options) {
    timing::FrequencyGrid best;
    double end = std::numeric_limits<double>::infinity();
    for (const EventList* list : lists) {
        const timing::FrequencyGrid grid = timing::make_grid(*list, options);
        end = std::min(end, grid.frequency(grid.count - 1));
        if (best.count == 0 || grid.df < best.df) best = grid;
    }
    best.count = std::clamp<std::int64_t>(
        static_cast<std::int64_t>(std::floor(end / best.df * (1.0 + 1e-12))) - best.first + 1, 0, best.count);
    return best;
}

std::vector<PeriodCandidate> joint_rows(std::span<const EventList* const> lists,
                                        std::span<const JointGroup> groups, const timing::FrequencyGrid& grid,
                                        std::span<const CompositeStart> found,
                                        std::span<const PeriodCandidate> single,
                                        const timing::SearchOptions& options) {
    Frame frame{0.0, std::numeric_limits<double>::infinity(), {}, 0, grid, {}, options};
    std::vector<std::string> instruments, observations;
    const auto add_once = [](std::vector<std::string>& all, const std::string& one) {
        if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
    };
    for (const EventList* list : lists) {
        frame.span = std::max(frame.span, timing::time_span(*list));
        frame.confirmable = std::min(frame.confirmable, timing::confirmable_frequency(list->exposure));
        frame.flags |= flags_of(*list);
        if (list->exposure.frame_time > 0.0)
            frame.frame_frequencies.push_back(1.0 / list->exposure.frame_time);
        add_once(instruments, list->exposure.instrument);
        add_once(observations, list->exposure.obs_id);
    }
    std::vector<Member> members;
    for (const JointGroup& group : groups) members.push_back(member_of(group));
    const int g = static_cast<int>(members.size());
    frame.extent = joint_extent(lists, grid, g);
    const auto row_at = [&](double f, int n) {
        const Maximum top = climb(members, f, 0.0, n, grid.df, 0.0);
        PeriodCandidate c;
        c.exposure = "joint";
        c.instrument = fmt::format("{}", fmt::join(instruments, "+"));
        c.obs_id = fmt::format("{}", fmt::join(observations, "+"));
        c.span = frame.span;
        c.method = "Z2";
        c.n_harmonics = n;
        frame.set_frequency(c, top.frequency, top.frequency_error);
        c.statistic = top.z2;
        const double evidence = std::min(top.z2, clean_z2(members, top.frequency, 0.0, n));
        const double level = noise_level(members, top.frequency, frame.span, n);
        frame.set_significance(c, timing::log10_z2_single(evidence, n, frame.extent),
                               timing::log10_chi2_survival(evidence / level, n * g), level,
                               frame.trials(evidence, n, 1.0));
        return c;
    };
    Rows rows;
    std::map<int, int> taken;
    for (const CompositeStart& start : found)
        if (taken[start.statistic.harmonics]++ < options.max_candidates)
            rows.push_back(row_at(start.frequency, start.statistic.harmonics));
    rows = distinct(std::move(rows), 1.0 / frame.span);
    std::vector<Rows> frequencies;
    bool offered = false;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        frame.veto(rows[i], std::span(rows).first(i), rows[i].n_harmonics);
        frame.veto(rows[i], single, rows[i].n_harmonics);
        frequencies.push_back({rows[i]});
        if (offered || rows[i].veto != 0 || rows[i].log10_fap > options.log10_fap) continue;
        offered = true;
        for (const int n : options.z2_harmonics)
            if (n != rows[i].n_harmonics) frequencies.back().push_back(row_at(rows[i].frequency, n));
    }
    return rank_rows(std::move(frequencies), options);
}

void flag_one_instrument(std::span<const EventList* const> lists, std::vector<PeriodCandidate>& rows,
                         const timing::SearchOptions& options) {
    const auto sinc = [](double x) { return std::fabs(x) < 1e-6 ? 1.0 : std::sin(x) / x; };
    for (PeriodCandidate& c : rows) {
        if (c.method != "Z2" || c.veto != 0 || c.log10_fap > options.log10_fap || !std::isnan(c.fdot))
            continue;
        const auto own = std::find_if(lists.begin(), lists.end(), [&](const EventList* list) {
            return list->exposure.file == c.exposure && list->exposure.instrument == c.instrument;
        });
        if (own == lists.end()) continue;
        const EventList& a = **own;
        const Member member_a = member_of(a);
        for (const EventList* other : lists) {
            const EventList& b = *other;
            if (b.exposure.instrument == c.instrument || !phase_connected(a, b)) continue;
            const double span = timing::time_span(b);
            if (c.frequency > timing::confirmable_frequency(b.exposure) ||
                c.frequency * span < options.min_cycles)
                continue;
            const Member member_b = member_of(b);
            const auto response = [&](const EventList& list) {
                return list.exposure.frame_time > 0.0
                           ? std::pow(sinc(constants::pi * c.frequency * list.exposure.frame_time), 2)
                           : 1.0;
            };
            const double photons_a = member_a.sum_w * member_a.sum_w / member_a.sum_w2,
                         photons_b = member_b.sum_w * member_b.sum_w / member_b.sum_w2;
            const int n = c.n_harmonics;
            const double lambda =
                std::max(0.0, c.statistic - 2.0 * n) * photons_b / photons_a * response(b) / response(a);
            double seen = 0.0;
            for (int i = -4; i <= 4; ++i)
                seen = std::max(seen,
                                surface(std::span(&member_b, 1), c.frequency + 0.125 * i / span, 0.0, n).z2);
            if (seen < lambda + 2.0 * n - one_instrument_sigmas * std::sqrt(4.0 * n + 4.0 * lambda))
                c.flags |= candidate_one_instrument_only;
        }
    }
}

}  // namespace xsift::refine
