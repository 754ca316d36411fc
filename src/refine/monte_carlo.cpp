#include "candidate_rows.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <xsift/core/constants.hpp>
#include <xsift/core/error.hpp>
#include <xsift/refine/monte_carlo.hpp>

namespace xsift::refine {
namespace {

/// Share of the draws that the tail is made of.
constexpr double tail_share = 0.1;
constexpr std::size_t fewest_draws = 20;

}  // namespace

std::uint64_t simulation_seed(const std::string& source, const Exposure& exposure) {
    std::uint64_t hash = 14695981039346656037ull;
    for (const std::string& text : {source, exposure.file, exposure.instrument, exposure.exposure_id}) {
        for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
        hash = (hash ^ 0xffu) * 1099511628211ull;
    }
    return hash;
}

EventList simulated_constant(const EventList& events, std::uint64_t seed, std::uint64_t index) {
    return simulated_constant(events, timing::ConstantSource(events), seed, index);
}

EventList simulated_constant(const EventList& events, const timing::ConstantSource& source,
                             std::uint64_t seed, std::uint64_t index) {
    timing::DrawnPhotons photons =
        timing::draw_photons(source.rate(), events.size(), events.weight, seed, index);
    EventList drawn;
    drawn.exposure = events.exposure;
    drawn.gti = events.gti;
    drawn.time = std::move(photons.time);
    drawn.weight = std::move(photons.weight);
    return drawn;
}

SimulatedTail::SimulatedTail(std::vector<double> log10_fap) : x_(std::move(log10_fap)) {
    if (x_.size() < fewest_draws) throw Error(ErrorKind::internal, "INTERNAL", "too few simulated sources");
    for (double& x : x_) x *= -constants::ln10;
    std::sort(x_.begin(), x_.end());
    const auto m = static_cast<std::size_t>(std::ceil(tail_share * static_cast<double>(x_.size())));
    threshold_ = x_[x_.size() - m - 1];
    above_ = static_cast<double>(m) / static_cast<double>(x_.size());
    const double mean =
        std::accumulate(x_.end() - static_cast<std::ptrdiff_t>(m), x_.end(), 0.0) / static_cast<double>(m);
    mean_excess_ = std::max(mean - threshold_, 1e-3);
}

double SimulatedTail::log10_probability(double log10_fap) const {
    const double x = -log10_fap * constants::ln10;
    if (x > threshold_) return std::log10(above_) - (x - threshold_) / mean_excess_ / constants::ln10;
    const auto k = static_cast<double>(x_.end() - std::lower_bound(x_.begin(), x_.end(), x));
    return std::log10((k + 1.0) / (static_cast<double>(x_.size()) + 1.0));
}

bool SimulatedTail::beyond(double log10_fap) const {
    return -log10_fap * constants::ln10 > x_.back();
}

double smallest_log10_fap(const std::vector<PeriodCandidate>& rows) {
    double smallest = 0.0;
    for (const PeriodCandidate& c : rows)
        if (c.veto == 0) smallest = std::min(smallest, c.log10_fap_white);
    return smallest;
}

double smallest_log10_fap(std::span<const timing::FoundMaximum> maxima, double f_frame, double span,
                          const timing::SearchOptions& options) {
    double smallest = 0.0;
    for (const timing::FoundMaximum& m : maxima)
        if (frequency_veto(m.frequency, f_frame, span, options) == 0)
            smallest = std::min(smallest, m.log10_fap);
    return smallest;
}

void apply_simulated(const SimulatedTail& tail, std::vector<PeriodCandidate>& rows) {
    for (PeriodCandidate& c : rows) {
        if ((c.method != "Z2" && c.method != "H") || !std::isnan(c.fdot)) continue;
        c.flags |= candidate_simulated;
        if (tail.beyond(c.log10_fap_white)) c.flags |= candidate_extrapolated;
        c.log10_fap = tail.log10_probability(c.log10_fap);
        c.log10_fap_white = tail.log10_probability(c.log10_fap_white);
        c.log10_fap_local = tail.log10_probability(c.log10_fap_local);
    }
}

}  // namespace xsift::refine
