#pragma once
// Event lists of simulated sources that do not pulsate.

#include <cstdint>
#include <vector>

#include <xsift/core/random.hpp>
#include <xsift/data/events.hpp>

/// Good time intervals: an exposure that flares of the background and a read-out gap have cut.
inline const xsift::GoodTimeIntervals cut_exposure{{0.0, 11'000.0, 26'500.0}, {10'000.0, 26'000.0, 40'000.0}};

/// What a mission would say of them: barycentred, so that nothing is flagged.
inline void describe(xsift::Exposure& exposure) {
    exposure.file = "constant";
    exposure.time_system = "TDB";
    exposure.time_reference = "SOLARSYSTEM";
}

/// The times at which so much good time has passed; `good` ascends.
inline std::vector<double> times_of(const std::vector<double>& good, const xsift::GoodTimeIntervals& gti) {
    std::vector<double> times;
    std::size_t i = 0;
    double before = 0.0;
    for (const double g : good) {
        while (i + 1 < gti.size() && g >= before + gti.stop[i] - gti.start[i]) {
            before += gti.stop[i] - gti.start[i];
            ++i;
        }
        times.push_back(gti.start[i] + g - before);
    }
    return times;
}

/// A constant source: ordered uniform times in the good time, as normalised sums of exponential deviates.
inline xsift::EventList draw_constant(std::int64_t photons, const xsift::GoodTimeIntervals& gti,
                                      xsift::RandomStream& random) {
    xsift::EventList events;
    describe(events.exposure);
    events.gti = gti;
    std::vector<double> good;
    double sum = 0.0;
    for (std::int64_t j = 0; j < photons; ++j) good.push_back(sum += random.exponential());
    sum += random.exponential();
    for (double& g : good) g *= gti.exposure() / sum;
    events.time = times_of(good, gti);
    return events;
}
