#include "resources.hpp"

#include <cmath>
#include <cstring>

#include <xsift/characterise/column_density.hpp>
#include <xsift/characterise/sky.hpp>
#include <xsift/core/hash.hpp>
#include <xsift/data/source.hpp>

namespace xsift::characterise {

const SkyMap& embedded_column_map() {
    static const SkyMap map = [] {
        SkyMap made;
        made.nside = 64;
        const auto bytes = hi4pi_resource();
        made.values.resize(bytes.size() / sizeof(float));
        std::memcpy(made.values.data(), bytes.data(), bytes.size());
        made.origin = "HI4PI nside 64";
        made.checksum = content_hash(bytes.data(), bytes.size());
        return made;
    }();
    return map;
}

double column_density(const SkyMap& map, double ra, double dec) {
    if (!std::isfinite(ra) || !(std::fabs(dec) <= 90.0)) return not_measured;
    const Direction direction = map.galactic ? galactic(ra, dec) : Direction{ra, dec};
    const auto around = HealpixRings(map.nside).interpolation(direction);
    double sum = 0.0;
    for (std::size_t k = 0; k < around.pixel.size(); ++k)
        sum += around.weight[k] * static_cast<double>(map.values[static_cast<std::size_t>(around.pixel[k])]);
    return sum;
}

ColumnComparison compare_columns(double lo, double hi, double galactic) {
    if (!(std::isfinite(lo) && std::isfinite(hi) && std::isfinite(galactic)))
        return ColumnComparison::unknown;
    if (hi < galactic) return ColumnComparison::below;
    if (lo > galactic) return ColumnComparison::above;
    return ColumnComparison::agrees;
}

}  // namespace xsift::characterise
