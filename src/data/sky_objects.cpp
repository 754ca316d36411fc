#include <xsift/data/sky_objects.hpp>

namespace xsift {

SkyObjects SkyObjects::rows(std::span<const std::size_t> wanted) const {
    SkyObjects some;
    const auto take = [&](const auto& column, auto& into) {
        if (column.empty()) return;
        into.reserve(wanted.size());
        for (const std::size_t row : wanted) into.push_back(column[row]);
    };
    take(id, some.id);
    for (auto column : {&SkyObjects::ra, &SkyObjects::dec, &SkyObjects::error_major, &SkyObjects::error_minor,
                        &SkyObjects::error_angle, &SkyObjects::pm_ra, &SkyObjects::pm_dec,
                        &SkyObjects::parallax, &SkyObjects::parallax_error, &SkyObjects::prior_magnitude})
        take(this->*column, some.*column);
    for (std::size_t band = 0; band < magnitude.size(); ++band) take(magnitude[band], some.magnitude[band]);
    return some;
}

}  // namespace xsift
