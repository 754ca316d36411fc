#include <xsift/timing/aliases.hpp>
#include <xsift/timing/screened_peaks.hpp>

namespace xsift::timing {

bool only_frequencies_veto(std::span<const FoundMaximum> maxima, double log10_fap, double min_cycles,
                           double span, double confirmable) {
    for (const FoundMaximum& m : maxima) {
        if (!(m.log10_fap <= log10_fap)) continue;
        // An alias of the frames at up to four times a signal could lie in the search.
        if (!(m.frequency * span < min_cycles) || m.frequency > 0.25 * confirmable) return false;
        for (const FoundMaximum& o : maxima)
            if (!(o.log10_fap <= log10_fap) &&
                is_harmonically_related(o.frequency, m.frequency, 1.0 / span, o.harmonics, harmonic_orders))
                return false;
    }
    return true;
}

}  // namespace xsift::timing
