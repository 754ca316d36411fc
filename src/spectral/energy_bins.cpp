#include <cmath>

#include <xsift/spectral/energy_bins.hpp>

namespace xsift::spectral {

EnergyBins EnergyBins::from_bounds(std::span<const double> lo, std::span<const double> hi) {
    EnergyBins bins;
    bins.left.reserve(lo.size());
    for (std::size_t i = 0; i < lo.size(); ++i) {
        if (i == 0 || lo[i] != hi[i - 1]) bins.edge.push_back(lo[i]);
        bins.left.push_back(static_cast<std::int32_t>(bins.edge.size()) - 1);
        bins.edge.push_back(hi[i]);
    }
    for (double e : bins.edge) bins.log_edge.push_back(std::log(e));
    return bins;
}

EnergyBins EnergyBins::logarithmic(double lo, double hi, int bins_per_decade) {
    const auto n = static_cast<std::size_t>(std::ceil(std::log10(hi / lo) * bins_per_decade));
    const double step = std::log(hi / lo) / static_cast<double>(n);
    std::vector<double> edge(n + 1, lo);
    for (std::size_t i = 1; i < n; ++i) edge[i] = lo * std::exp(step * static_cast<double>(i));
    edge[n] = hi;
    return from_bounds(std::span(edge).first(n), std::span(edge).last(n));
}

}  // namespace xsift::spectral
