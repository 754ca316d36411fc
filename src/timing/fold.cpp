#include <algorithm>
#include <cmath>

#include <xsift/timing/fold.hpp>

namespace xsift::timing {

PhaseProfile fold(const EventList& events, double frequency) {
    constexpr double seconds_per_day = 86400.0;
    PhaseProfile profile;
    profile.exposure = events.exposure.file;
    profile.instrument = events.exposure.instrument;
    profile.frequency = frequency;
    profile.epoch = events.exposure.mjd_reference + events.exposure.time_zero / seconds_per_day;
    ProfileBins variance{};
    double w2 = 1.0;  // of one photon, for bins that hold none
    if (!events.weight.empty()) {
        w2 = 0.0;
        for (const float w : events.weight) w2 += static_cast<double>(w) * static_cast<double>(w);
        w2 /= static_cast<double>(events.size());
    }
    for (std::size_t j = 0; j < events.size(); ++j) {
        const double phase = static_cast<double>(fixed_phase(frequency, events.time[j])) * 0x1p-64;
        const std::size_t b =
            std::min(profile_bins - 1, static_cast<std::size_t>(phase * static_cast<double>(profile_bins)));
        const double w = events.weight.empty() ? 1.0 : static_cast<double>(events.weight[j]);
        profile.counts[b] += w;
        variance[b] += w * w;
    }
    for (std::size_t i = 0; i < events.gti.size(); ++i)
        add_phase_exposure(frequency, events.gti.start[i], events.gti.stop[i], profile.exposure_time.data(),
                           static_cast<int>(profile_bins));
    if (events.gti.size() == 0 && !events.time.empty())
        add_phase_exposure(frequency, events.time.front(), events.time.back(), profile.exposure_time.data(),
                           static_cast<int>(profile_bins));
    // Less than this is rounding at the edge of an interval.
    const double least = 1e-9 * std::max(1.0, 1.0 / frequency);
    for (std::size_t b = 0; b < profile_bins; ++b) {
        const double exposed = profile.exposure_time[b];
        profile.rate[b] = exposed > least ? profile.counts[b] / exposed : not_measured;
        profile.rate_error[b] =
            exposed > least ? std::sqrt(variance[b] > 0.0 ? variance[b] : w2) / exposed : not_measured;
    }
    return profile;
}

}  // namespace xsift::timing
