#include "candidate_rows.hpp"

#include <algorithm>
#include <cmath>

#include <xsift/timing/aliases.hpp>

namespace xsift::refine {
namespace {

using Rows = std::vector<PeriodCandidate>;

/// Lower is kept first.
int precedence(const Rows& rows, double log10_fap) {
    if (rows.size() > 1) return 0;
    const PeriodCandidate& best = rows.front();
    if ((best.veto & (veto_harmonic | veto_window)) != 0) return 4;
    if (!(best.log10_fap <= log10_fap)) return 3;
    return best.veto == 0 ? 1 : 2;
}

}  // namespace

std::uint32_t frequency_veto(double frequency, double f_frame, double span,
                             const timing::SearchOptions& options) {
    std::uint32_t veto = 0;
    if (frequency > 0.5 * f_frame) veto |= veto_above_nyquist;
    if (frequency * span < options.min_cycles) veto |= veto_few_cycles;
    const double resolution = 1.0 / span;
    if (!std::isnan(f_frame) && timing::is_frame_alias(frequency, f_frame, 0.0, 1.5 * resolution, {}))
        veto |= veto_frame_alias;
    return veto;
}

Rows rank_rows(std::vector<Rows> frequencies, const timing::SearchOptions& options) {
    const auto more_significant = [&](const PeriodCandidate& a, const PeriodCandidate& b) {
        const double first = standing(a, options), second = standing(b, options);
        return first != second ? first < second : a.statistic > b.statistic;
    };
    for (Rows& rows : frequencies) std::stable_sort(rows.begin(), rows.end(), more_significant);
    std::stable_sort(frequencies.begin(), frequencies.end(), [&](const Rows& a, const Rows& b) {
        const int first = precedence(a, options.log10_fap), second = precedence(b, options.log10_fap);
        return first != second ? first < second : more_significant(a.front(), b.front());
    });
    std::size_t left = static_cast<std::size_t>(std::max(options.max_candidates, 0));
    for (Rows& rows : frequencies) {
        rows.resize(std::min(rows.size(), left));
        left -= rows.size();
    }
    std::erase_if(frequencies, [](const Rows& rows) { return rows.empty(); });
    std::stable_sort(frequencies.begin(), frequencies.end(),
                     [&](const Rows& a, const Rows& b) { return more_significant(a.front(), b.front()); });
    Rows out;
    std::int32_t rank = 0;
    for (Rows& rows : frequencies) {
        ++rank;
        for (PeriodCandidate& row : rows) {
            row.rank = rank;
            out.push_back(std::move(row));
        }
    }
    return out;
}

}  // namespace xsift::refine
