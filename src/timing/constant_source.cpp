#include <algorithm>

#include <xsift/timing/constant_source.hpp>

namespace xsift::timing {
namespace {

constexpr std::size_t photons_a_stretch = 50, most_stretches = 16;

}  // namespace

ConstantSource::ConstantSource(const EventList& events) : start_(events.gti.start) {
    if (start_.empty()) {
        start_ = {events.time.front()};
        passed_ = {0.0, events.time.back() - events.time.front()};
    } else {
        passed_ = {0.0};
        for (std::size_t i = 0; i < start_.size(); ++i)
            passed_.push_back(passed_.back() + events.gti.stop[i] - start_[i]);
    }
    const auto passed = [&](double time) {
        const auto after = std::upper_bound(start_.begin(), start_.end(), time) - start_.begin();
        const auto i = static_cast<std::size_t>(std::max<std::ptrdiff_t>(after - 1, 0));
        return std::clamp(passed_[i] + time - start_[i], passed_[i], passed_[i + 1]);
    };
    const std::size_t n = events.size(),
                      stretches = std::clamp<std::size_t>(n / photons_a_stretch, 1, most_stretches);
    edge_ = {0.0};
    for (std::size_t k = 1; k < stretches; ++k) edge_.push_back(passed(events.time[k * n / stretches]));
    edge_.push_back(passed_.back());
}

DrawnPhotons draw_photons(const ConstantRate& rate, std::size_t n, std::span<const float> weight,
                          std::uint64_t seed, std::uint64_t index) {
    DrawnPhotons drawn;
    RandomStream random(seed, index);
    drawn.time.reserve(n);
    for (std::size_t j = 0; j < n; ++j) drawn.time.push_back(rate.time(random.uniform()));
    std::sort(drawn.time.begin(), drawn.time.end());
    drawn.weight.assign(weight.begin(), weight.end());
    shuffle_weights(drawn.weight.data(), drawn.weight.size(), seed, index);
    return drawn;
}

}  // namespace xsift::timing
