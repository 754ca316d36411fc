#include <algorithm>
#include <cmath>

#include <xsift/core/error.hpp>
#include <xsift/engine/composite_kernel.hpp>
#include <xsift/engine/composite_search.hpp>
#include <xsift/engine/search_tasks.hpp>

namespace xsift::engine {
namespace {

using Kind = timing::Statistic::Kind;

/// Peaks nearer than this many 1/T are one (EventTask::min_separation is made from it).
constexpr double separation_in_resolutions = 1.5;

double weight_of(const CompositeMember& member, std::size_t j) {
    return member.weight.empty() ? 1.0 : static_cast<double>(member.weight[j]);
}

double oracle_z2(const CompositeMember& member, const MemberSums& sums, double f, double fdot,
                 const std::vector<timing::FixedPhase>& phase, int k) {
    timing::Complex sum;
    for (std::size_t j = 0; j < phase.size(); ++j) {
        const timing::Phasor p = timing::phasor(static_cast<timing::FixedPhase>(k) * phase[j]);
        sum = sum + timing::Complex{p.cosine, p.sine} * weight_of(member, j);
    }
    if (k * f < sums.window_fmax)
        sum = sum - timing::drift_window(k * f, k * fdot, member.gti_start.data(), member.gti_stop.data(),
                                         member.gti_rate.empty() ? nullptr : member.gti_rate.data(),
                                         static_cast<int>(member.gti_start.size())) *
                        sums.w;
    return timing::z2_term(sum.re, sum.im, sums.w2);
}

double oracle_fold(const CompositeMember& member, const MemberSums& sums, double f, double fdot,
                   const std::vector<timing::FixedPhase>& phase, int bins) {
    timing::FoldedProfile<double> profile;
    for (std::size_t j = 0; j < phase.size(); ++j)
        profile.add(timing::phase_bin(phase[j], bins), weight_of(member, j));
    std::vector<double> share(static_cast<std::size_t>(bins), f < sums.window_fmax ? 0.0 : 1.0);
    if (f < sums.window_fmax)
        for (std::size_t g = 0; g < member.gti_start.size(); ++g) {
            const double a = member.gti_start[g], b = member.gti_stop[g];
            timing::add_phase_exposure(a * (f + 0.5 * fdot * a), b * (f + 0.5 * fdot * b),
                                       member.gti_rate.empty() ? 1.0 : member.gti_rate[g], bins,
                                       share.data());
        }
    return timing::folded_chi2(profile, share.data(), bins).chi2;
}

}  // namespace

DriftedMember::DriftedMember(const CompositeMember& member, const CompositeTask& task, std::int64_t drift)
    : step(member.time.size()) {
    const timing::DriftTrial trial = task.drift.trial(drift);
    if (trial.any() && !trial.acceleration) offset.resize(step.size());
    for (std::size_t j = 0; j < step.size(); ++j) {
        const timing::DriftedPhase phase = timing::drifted_phase(task.grid.df, member.time[j], trial);
        step[j] = phase.step;
        if (!offset.empty()) offset[j] = phase.offset;
    }
}

MemberSums::MemberSums(const CompositeMember& member) {
    for (std::size_t j = 0; j < member.time.size(); ++j) {
        w += weight_of(member, j);
        w2 += weight_of(member, j) * weight_of(member, j);
    }
    double exposure = 0.0;
    for (std::size_t i = 0; i < member.gti_start.size(); ++i)
        exposure += member.gti_stop[i] - member.gti_start[i];
    if (exposure > 0.0 && w2 > 0.0)
        window_fmax = timing::window_limit(w * w / w2, static_cast<int>(member.gti_start.size()), exposure);
}

std::vector<CompositePeak> merge_drift_peaks(std::vector<CompositePeak> all, const CompositeTask& task) {
    std::stable_sort(all.begin(), all.end(), [](const CompositePeak& a, const CompositePeak& b) {
        if (a.peak.value != b.peak.value) return a.peak.value > b.peak.value;
        return a.drift != b.drift ? a.drift < b.drift : a.peak.index < b.peak.index;
    });
    const double half_span =
        task.min_separation > 0.0 ? 0.5 * separation_in_resolutions / task.min_separation : 0.0;
    std::vector<CompositePeak> kept;
    for (const CompositePeak& p : all) {
        if (kept.size() >= static_cast<std::size_t>(std::max(task.max_peaks, 0))) break;
        const double fdot = task.drift.fdot(p.drift, p.peak.frequency);
        if (std::none_of(kept.begin(), kept.end(), [&](const CompositePeak& q) {
                return p.drift != q.drift &&
                       std::fabs(p.peak.frequency - q.peak.frequency) <
                           task.min_separation +
                               half_span * std::fabs(fdot - task.drift.fdot(q.drift, q.peak.frequency));
            }))
            kept.push_back(p);
    }
    return kept;
}

void check_task(const CompositeTask& task) {
    const auto refuse = [](const char* why) {
        throw Error(ErrorKind::internal, "SEARCH_TASK", "a search task cannot be done", why);
    };
    if (task.members.empty()) refuse("it has no members");
    if (task.statistics.empty() || task.statistics.size() > static_cast<std::size_t>(max_statistics))
        refuse("it has no or too many statistics");
    for (const auto& s : task.statistics) {
        if (s.kind != Kind::z2 && s.kind != Kind::ef) refuse("only Z2 and epoch folding can be combined");
        if (s.harmonics < (s.kind == Kind::ef ? 2 : 1) ||
            (s.kind == Kind::ef && s.harmonics > timing::most_bins))
            refuse("it asks for an impossible number of harmonics or phase bins");
    }
}

bool drifts_alone(const CompositeTask& task) {
    return task.members.size() == 1 && task.members[0].gti_rate.empty() &&
           std::all_of(task.statistics.begin(), task.statistics.end(),
                       [](const timing::Statistic& s) { return s.kind == Kind::z2; });
}

EventTask event_task(const CompositeTask& task) {
    const CompositeMember& member = task.members.at(0);
    EventTask event;
    event.time = member.time;
    event.weight = member.weight;
    event.grid = task.grid;
    event.statistics = task.statistics;
    event.max_peaks = task.max_peaks;
    event.min_separation = task.min_separation;
    event.harmonic_fmax = member.harmonic_fmax;
    event.gti_start = member.gti_start;
    event.gti_stop = member.gti_stop;
    return event;
}

int max_harmonics(const CompositeTask& task) {
    int most = 0;
    for (const auto& s : task.statistics)
        if (s.kind == Kind::z2) most = std::max(most, s.harmonics);
    return most;
}

std::vector<std::vector<double>> oracle_periodograms(const CompositeTask& task) {
    check_task(task);
    const auto count = static_cast<std::size_t>(task.grid.count);
    std::vector<std::vector<double>> result(
        task.statistics.size(), std::vector<double>(count * static_cast<std::size_t>(task.drift.count())));
    for (std::int64_t d = 0; d < task.drift.count(); ++d)
        for (std::size_t i = 0; i < count; ++i) {
            const double f = task.grid.frequency(static_cast<std::int64_t>(i)), fdot = task.drift.fdot(d, f);
            const std::size_t at = static_cast<std::size_t>(d) * count + i;
            for (const CompositeMember& member : task.members) {
                const MemberSums sums(member);
                std::vector<timing::FixedPhase> phase;
                for (const double t : member.time)
                    phase.push_back(timing::fixed_phase(f, t) + timing::drift_phase(fdot, t));
                double z2 = 0.0;
                for (int k = 1; k <= max_harmonics(task); ++k) {
                    if (k == 1 || k * f <= member.harmonic_fmax)
                        z2 += oracle_z2(member, sums, f, fdot, phase, k);
                    for (std::size_t s = 0; s < result.size(); ++s)
                        if (task.statistics[s].kind == Kind::z2 && task.statistics[s].harmonics == k)
                            result[s][at] += z2;
                }
                for (std::size_t s = 0; s < result.size(); ++s)
                    if (task.statistics[s].kind == Kind::ef)
                        result[s][at] +=
                            oracle_fold(member, sums, f, fdot, phase, task.statistics[s].harmonics);
            }
        }
    return result;
}

}  // namespace xsift::engine
