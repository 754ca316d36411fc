#include <algorithm>
#include <cmath>
#include <numeric>

#include <xsift/core/constants.hpp>
#include <xsift/core/error.hpp>
#include <xsift/core/random.hpp>
#include <xsift/refine/monte_carlo.hpp>

namespace xsift::refine {
namespace {

constexpr std::size_t photons_a_stretch = 50, most_stretches = 16;
/// Share of the draws that the tail is made of.
constexpr double tail_share = 0.1;
constexpr std::size_t fewest_draws = 20;

/// Good time that has passed, and back.
class GoodClock {
  public:
    explicit GoodClock(const EventList& events) : start_(events.gti.start) {
        if (start_.empty()) {
            start_ = {events.time.front()};
            passed_ = {0.0, events.time.back() - events.time.front()};
            return;
        }
        passed_ = {0.0};
        for (std::size_t i = 0; i < start_.size(); ++i)
            passed_.push_back(passed_.back() + events.gti.stop[i] - start_[i]);
    }
    double total() const { return passed_.back(); }
    double passed(double time) const {
        const auto after = std::upper_bound(start_.begin(), start_.end(), time) - start_.begin();
        const auto i = static_cast<std::size_t>(std::max<std::ptrdiff_t>(after - 1, 0));
        return std::clamp(passed_[i] + time - start_[i], passed_[i], passed_[i + 1]);
    }
    double time(double passed) const {
        const auto after = std::upper_bound(passed_.begin(), passed_.end(), passed) - passed_.begin();
        const auto i =
            std::min(static_cast<std::size_t>(std::max<std::ptrdiff_t>(after - 1, 0)), start_.size() - 1);
        return start_[i] + (passed - passed_[i]);
    }

  private:
    std::vector<double> start_, passed_;
};

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
    RandomStream random(seed, index);
    const GoodClock clock(events);
    const std::size_t n = events.size(),
                      stretches = std::clamp<std::size_t>(n / photons_a_stretch, 1, most_stretches);
    std::vector<double> edge{0.0};
    for (std::size_t k = 1; k < stretches; ++k) edge.push_back(clock.passed(events.time[k * n / stretches]));
    edge.push_back(clock.total());
    EventList drawn;
    drawn.exposure = events.exposure;
    drawn.gti = events.gti;
    for (std::size_t j = 0; j < n; ++j) {
        const double u = random.uniform() * static_cast<double>(stretches);
        const auto k = std::min(static_cast<std::size_t>(u), stretches - 1);
        drawn.time.push_back(clock.time(edge[k] + (u - static_cast<double>(k)) * (edge[k + 1] - edge[k])));
    }
    std::sort(drawn.time.begin(), drawn.time.end());
    drawn.weight = events.weight;
    for (std::size_t j = drawn.weight.size(); j > 1; --j)  // Fisher & Yates
        std::swap(drawn.weight[j - 1],
                  drawn.weight[std::min(static_cast<std::size_t>(random.uniform() * static_cast<double>(j)),
                                        j - 1)]);
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
