#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/timing/aliases.hpp>
#include <xsift/timing/search.hpp>

namespace xsift::timing {
namespace {

double median_spacing(const std::vector<double>& time) {
    std::vector<double> spacing;
    for (std::size_t i = 1; i < time.size(); ++i) spacing.push_back(time[i] - time[i - 1]);
    if (spacing.empty()) return 0.0;
    const auto middle = spacing.begin() + static_cast<std::ptrdiff_t>(spacing.size() / 2);
    std::nth_element(spacing.begin(), middle, spacing.end());
    return *middle;
}

double bin_width(const LightCurve& curve) {
    return curve.bin_width > 0.0 ? curve.bin_width : median_spacing(curve.time);
}

/// The grid up to fmax_default, or to options.fmax when that is set.
FrequencyGrid make_grid(const std::string& file, double span, double fmax_default,
                        const SearchOptions& options) {
    if (!(span > 0.0) || !std::isfinite(span))
        throw Error(ErrorKind::input, "NO_SPAN", file + " cannot be searched for periods",
                    "its data span no time", "Check its times and GTIs.");
    FrequencyGrid grid;
    grid.df = 1.0 / (span * options.oversampling);
    const double fmin = std::isnan(options.fmin) ? 1.0 / span : options.fmin;
    const double fmax = std::isnan(options.fmax) ? fmax_default : options.fmax;
    const double first = std::max(1.0, std::ceil(fmin / grid.df * (1.0 - 1e-12)));
    const double count = std::floor(fmax / grid.df * (1.0 + 1e-12)) - first + 1.0;
    if (!(count >= 1.0))
        throw Error(ErrorKind::input, "NO_SPAN", file + " cannot be searched for periods",
                    fmt::format("no trial frequency lies between {:.6g} and {:.6g} Hz", fmin, fmax),
                    "Set --fmax above one over the span of its data.");
    if (count > static_cast<double>(options.max_trials))
        throw Error(ErrorKind::input, "GRID_TOO_LARGE", file + " cannot be searched for periods",
                    fmt::format("{:.4g} trial frequencies up to {:.6g} Hz over {:.6g} s are more than {}",
                                count, fmax, span, options.max_trials),
                    "Lower --fmax or --oversampling.");
    grid.first = static_cast<std::int64_t>(first);
    grid.count = static_cast<std::int64_t>(count);
    return grid;
}

}  // namespace

double time_span(const EventList& events) {
    if (events.gti.size() > 0) return events.gti.stop.back() - events.gti.start.front();
    return events.time.empty() ? 0.0 : events.time.back() - events.time.front();
}

double time_span(const LightCurve& curve) {
    return curve.time.empty() ? 0.0 : curve.time.back() - curve.time.front() + bin_width(curve);
}

double confirmable_frequency(const Exposure& exposure) {
    return exposure.frame_time > 0.0 ? nyquist_frequency(exposure.frame_time)
                                     : std::numeric_limits<double>::infinity();
}

FrequencyGrid make_grid(const EventList& events, const SearchOptions& options) {
    return make_grid(events.exposure.file, time_span(events),
                     std::min(options.default_fmax, confirmable_frequency(events.exposure)), options);
}

FrequencyGrid make_grid(const LightCurve& curve, const SearchOptions& options) {
    const double nyquist =
        bin_width(curve) > 0.0 ? nyquist_frequency(bin_width(curve)) : options.default_fmax;
    return make_grid(curve.exposure.file, time_span(curve), std::min(options.default_fmax, nyquist), options);
}

std::vector<std::int64_t> band_edges(const FrequencyGrid& grid, double confirmable,
                                     const SearchOptions& options) {
    if (grid.count < 1) return {};
    const double low = grid.frequency(0), high = std::min(confirmable, grid.frequency(grid.count - 1));
    std::vector<double> cuts = options.limit_bands;
    if (cuts.empty()) {
        const double room = std::sqrt(10.0);
        for (int decade = -12; decade <= 6; ++decade) {
            const double cut = std::pow(10.0, decade);
            if (cut >= low * room * (1 - 1e-9) && cut <= high / room * (1 + 1e-9)) cuts.push_back(cut);
        }
    }
    if (confirmable < grid.frequency(grid.count - 1))
        cuts.push_back(std::nextafter(confirmable, 2.0 * confirmable));
    std::sort(cuts.begin(), cuts.end());
    std::vector<std::int64_t> edges{0};
    for (const double cut : cuts) {
        const double trial = std::ceil(cut / grid.df * (1.0 - 1e-12)) - static_cast<double>(grid.first);
        if (trial > static_cast<double>(edges.back()) && trial < static_cast<double>(grid.count))
            edges.push_back(static_cast<std::int64_t>(trial));
    }
    edges.push_back(grid.count);
    return edges;
}

std::vector<Statistic> event_statistics(const SearchOptions& options) {
    std::vector<Statistic> statistics;
    for (const int n : options.z2_harmonics) statistics.push_back({Statistic::Kind::z2, n});
    if (options.h_harmonics > 0) statistics.push_back({Statistic::Kind::h, options.h_harmonics});
    return statistics;
}

}  // namespace xsift::timing
