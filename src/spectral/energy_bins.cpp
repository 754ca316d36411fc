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

std::vector<double> merged_means(std::span<const double> quantity, std::span<const double> photons,
                                 std::span<const double> width, std::span<const std::int32_t> merged) {
    const std::size_t n = merged.empty() ? 0 : static_cast<std::size_t>(merged.back()) + 1;
    std::vector<double> sum(n, 0.0), weight(n, 0.0), plain(n, 0.0), whole(n, 0.0);
    for (std::size_t i = 0; i < merged.size(); ++i) {
        const auto e = static_cast<std::size_t>(merged[i]);
        const double w = photons.empty() ? 0.0 : photons[i];
        sum[e] += w * quantity[i];
        weight[e] += w;
        plain[e] += width[i] * quantity[i];
        whole[e] += width[i];
    }
    for (std::size_t e = 0; e < n; ++e) sum[e] = weight[e] > 0.0 ? sum[e] / weight[e] : plain[e] / whole[e];
    return sum;
}

}  // namespace xsift::spectral
