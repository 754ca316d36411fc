#include <algorithm>
#include <cmath>

#include <xsift/characterise/sky.hpp>
#include <xsift/core/constants.hpp>

namespace xsift::characterise {

namespace {

using constants::degree, constants::pi, constants::two_pi;

// North galactic pole in ICRS and the galactic longitude of the north celestial pole, deg.
constexpr double pole_ra = 192.85948, pole_dec = 27.12825, pole_longitude = 122.93192;

double wrapped(double degrees) {
    const double turn = std::fmod(degrees, 360.0);
    return turn < 0.0 ? turn + 360.0 : turn;
}

/// Rotates between two systems given the pole of the other one and both reference longitudes, deg.
Direction rotated(double longitude, double latitude, double pole_at, double pole_height, double origin) {
    const double l = (longitude - pole_at) * degree, b = latitude * degree, p = pole_height * degree;
    const double z = std::sin(p) * std::sin(b) + std::cos(p) * std::cos(b) * std::cos(l);
    const double y = std::cos(b) * std::sin(l);
    const double x = std::cos(p) * std::sin(b) - std::sin(p) * std::cos(b) * std::cos(l);
    return {wrapped(origin - std::atan2(y, x) / degree), std::atan2(z, std::hypot(x, y)) / degree};
}

std::int64_t square_root(std::int64_t value) {
    auto root = static_cast<std::int64_t>(std::sqrt(static_cast<double>(value)));
    while (root * root > value) --root;
    while ((root + 1) * (root + 1) <= value) ++root;
    return root;
}

/// Every second bit of a number, from bit 0 on.
std::int64_t even_bits(std::int64_t value) {
    std::int64_t bits = 0;
    for (int i = 0; i < 31; ++i) bits |= (value >> (2 * i) & 1) << i;
    return bits;
}

}  // namespace

Direction galactic(double ra, double dec) {
    return rotated(ra, dec, pole_ra, pole_dec, pole_longitude);
}

Direction equatorial(double longitude, double latitude) {
    return rotated(longitude, latitude, pole_longitude, pole_dec, pole_ra);
}

double separation(const Direction& a, const Direction& b) {
    const double dl = (b.longitude - a.longitude) * degree;
    const double sa = std::sin(a.latitude * degree), ca = std::cos(a.latitude * degree);
    const double sb = std::sin(b.latitude * degree), cb = std::cos(b.latitude * degree);
    const double across = std::hypot(cb * std::sin(dl), ca * sb - sa * cb * std::cos(dl));
    return std::atan2(across, sa * sb + ca * cb * std::cos(dl)) / degree * constants::arcsec_per_degree;
}

double position_angle(const Direction& a, const Direction& b) {
    const double dl = (b.longitude - a.longitude) * degree;
    const double sa = std::sin(a.latitude * degree), ca = std::cos(a.latitude * degree);
    const double sb = std::sin(b.latitude * degree), cb = std::cos(b.latitude * degree);
    return wrapped(std::atan2(cb * std::sin(dl), ca * sb - sa * cb * std::cos(dl)) / degree);
}

Direction moved(const Direction& position, double pm_ra, double pm_dec, double years) {
    const double mas = degree / (1000.0 * constants::arcsec_per_degree);
    const double east = pm_ra * years * mas, north = pm_dec * years * mas;
    const double l = position.longitude * degree, b = position.latitude * degree;
    // The unit vector plus the motion along its local east and north.
    const double x = std::cos(b) * std::cos(l) - east * std::sin(l) - north * std::sin(b) * std::cos(l);
    const double y = std::cos(b) * std::sin(l) + east * std::cos(l) - north * std::sin(b) * std::sin(l);
    const double z = std::sin(b) + north * std::cos(b);
    return {wrapped(std::atan2(y, x) / degree), std::atan2(z, std::hypot(x, y)) / degree};
}

HealpixRings::HealpixRings(std::int64_t nside) : nside_(nside) {}

double HealpixRings::resolution() const {
    return std::sqrt(4.0 * pi / static_cast<double>(pixels())) / degree;
}

HealpixRings::Ring HealpixRings::ring(std::int64_t index) const {
    const std::int64_t north = std::min(index, 4 * nside_ - index);  // mirrored to the northern half
    const auto n = static_cast<double>(nside_), i = static_cast<double>(north);
    Ring found;
    if (north < nside_) {
        found.count = 4 * north;
        found.first = 2 * north * (north - 1);
        found.shifted = true;
        found.colatitude = 2.0 * std::asin(i / (std::sqrt(6.0) * n));  // z = 1 - i^2 / (3 nside^2)
    } else {
        found.count = 4 * nside_;
        found.first = 2 * nside_ * (nside_ - 1) + (north - nside_) * 4 * nside_;
        found.shifted = ((north - nside_) & 1) == 0;
        found.colatitude = std::acos((2.0 * n - i) * 2.0 / (3.0 * n));
    }
    if (north != index) {
        found.first = pixels() - found.first - found.count;
        found.colatitude = pi - found.colatitude;
    }
    return found;
}

std::int64_t HealpixRings::ring_above(double z) const {
    const auto n = static_cast<double>(nside_);
    if (std::fabs(z) <= 2.0 / 3.0) return static_cast<std::int64_t>(n * (2.0 - 1.5 * z));
    const auto ring = static_cast<std::int64_t>(n * std::sqrt(3.0 * (1.0 - std::fabs(z))));
    return z > 0.0 ? ring : 4 * nside_ - ring - 1;
}

std::int64_t HealpixRings::pixel(const Direction& direction) const {
    const double z = std::sin(direction.latitude * degree);
    const auto n = static_cast<double>(nside_);
    const double quarter = wrapped(direction.longitude) / 90.0;  // 0 to 4
    if (std::fabs(z) <= 2.0 / 3.0) {
        const double up = n * (0.5 + quarter), across = n * z * 0.75;
        const auto ascending = static_cast<std::int64_t>(up - across),
                   descending = static_cast<std::int64_t>(up + across);
        const std::int64_t index = nside_ + 1 + ascending - descending;  // 1 to 2 nside + 1
        const std::int64_t shift = 1 - (index & 1);
        const std::int64_t along = (ascending + descending - nside_ + shift + 1) / 2;
        const std::int64_t wrapped_along = (along + 4 * nside_) % (4 * nside_);
        return 2 * nside_ * (nside_ - 1) + (index - 1) * 4 * nside_ + wrapped_along;
    }
    const double part = quarter - std::floor(quarter);
    // sqrt(3 (1 - |z|)), from the distance to the pole where 1 - |z| would lose digits.
    const double to_pole = (90.0 - std::fabs(direction.latitude)) * degree;
    const double scale = n * std::sqrt(6.0) * std::sin(to_pole / 2.0);
    const auto ascending = static_cast<std::int64_t>(part * scale),
               descending = static_cast<std::int64_t>((1.0 - part) * scale);
    const std::int64_t index = ascending + descending + 1;  // ring from the closer pole
    const std::int64_t along =
        std::min(static_cast<std::int64_t>(quarter * static_cast<double>(index)), 4 * index - 1);
    return z > 0.0 ? 2 * index * (index - 1) + along : pixels() - 2 * index * (index + 1) + along;
}

Direction HealpixRings::centre(std::int64_t pixel) const {
    const std::int64_t cap = 2 * nside_ * (nside_ - 1);
    std::int64_t index = 0;
    if (pixel < cap) {
        index = (1 + square_root(1 + 2 * pixel)) / 2;
    } else if (pixel < pixels() - cap) {
        index = (pixel - cap) / (4 * nside_) + nside_;
    } else {
        index = 4 * nside_ - (1 + square_root(2 * (pixels() - pixel) - 1)) / 2;
    }
    const Ring on = ring(index);
    const double along = static_cast<double>(pixel - on.first) + (on.shifted ? 0.5 : 0.0);
    return {360.0 * along / static_cast<double>(on.count), 90.0 - on.colatitude / degree};
}

std::int64_t HealpixRings::from_nested(std::int64_t nested) const {
    // Row and longitude of the southern corner of the twelve base pixels, in units of their size.
    constexpr std::array<std::int64_t, 12> row{2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4};
    constexpr std::array<std::int64_t, 12> column{1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7};
    const std::int64_t face = nested / (nside_ * nside_), inside = nested % (nside_ * nside_);
    const std::int64_t x = even_bits(inside), y = even_bits(inside >> 1);
    const auto f = static_cast<std::size_t>(face);
    const std::int64_t index = row[f] * nside_ - x - y - 1;
    const Ring on = ring(index);
    const std::int64_t quarter = on.count / 4;
    const std::int64_t shift = on.shifted ? 0 : 1;
    std::int64_t along = (column[f] * quarter + x - y + 1 + shift) / 2;
    if (along > on.count) along -= on.count;
    if (along < 1) along += on.count;
    return on.first + along - 1;
}

HealpixRings::Neighbours HealpixRings::interpolation(const Direction& direction) const {
    const double colatitude = (90.0 - direction.latitude) * degree;
    const double longitude = wrapped(direction.longitude) * degree;
    const std::int64_t above = ring_above(std::cos(colatitude)), below = above + 1;
    const std::int64_t last = 4 * nside_ - 1;
    Neighbours found;
    double colatitude_above = 0.0, colatitude_below = 0.0;
    auto along_ring = [&](std::int64_t index, std::size_t at) {
        const Ring on = ring(index);
        const double step = two_pi / static_cast<double>(on.count);
        const double place = longitude / step - (on.shifted ? 0.5 : 0.0);
        const auto first = static_cast<std::int64_t>(std::floor(place));
        const double part = place - static_cast<double>(first);
        found.pixel[at] = on.first + (first + on.count) % on.count;
        found.pixel[at + 1] = on.first + (first + 1) % on.count;
        found.weight[at] = 1.0 - part;
        found.weight[at + 1] = part;
        return on.colatitude;
    };
    if (above > 0) colatitude_above = along_ring(above, 0);
    if (below <= last) colatitude_below = along_ring(below, 2);
    if (above == 0) {
        const double down = colatitude / colatitude_below;  // the pole is the mean of the four around it
        for (std::size_t k : {2u, 3u}) found.weight[k] = found.weight[k] * down + 0.25 * (1.0 - down);
        for (std::size_t k : {0u, 1u}) {
            found.pixel[k] = (found.pixel[k + 2] + 2) & 3;
            found.weight[k] = 0.25 * (1.0 - down);
        }
    } else if (below > last) {
        const double down = (colatitude - colatitude_above) / (pi - colatitude_above);
        const std::int64_t first = pixels() - 4;
        for (std::size_t k : {0u, 1u}) found.weight[k] = found.weight[k] * (1.0 - down) + 0.25 * down;
        for (std::size_t k : {2u, 3u}) {
            found.pixel[k] = first + ((found.pixel[k - 2] - first + 2) & 3);
            found.weight[k] = 0.25 * down;
        }
    } else {
        const double down = (colatitude - colatitude_above) / (colatitude_below - colatitude_above);
        for (std::size_t k : {0u, 1u}) found.weight[k] *= 1.0 - down;
        for (std::size_t k : {2u, 3u}) found.weight[k] *= down;
    }
    return found;
}

void HealpixRings::pixels_near(const Direction& direction, double radius,
                               std::vector<std::int64_t>& found) const {
    found.clear();
    // A pixel's corners are less than two resolutions from its centre.
    const double reach = radius + 2.0 * resolution();
    const double north = direction.latitude + reach, south = direction.latitude - reach;
    const std::int64_t first =
        north >= 90.0 ? 1 : std::max<std::int64_t>(1, ring_above(std::sin(north * degree)));
    const std::int64_t last =
        south <= -90.0 ? 4 * nside_ - 1 : std::min(4 * nside_ - 1, ring_above(std::sin(south * degree)) + 1);
    // Half the span in longitude of the circle; the whole turn when it holds a pole.
    const double edge = std::sin(std::min(reach, 90.0) * degree) / std::cos(direction.latitude * degree);
    const double span = north >= 90.0 || south <= -90.0 || !(edge < 1.0) ? 180.0 : std::asin(edge) / degree;
    for (std::int64_t index = first; index <= last; ++index) {
        const Ring on = ring(index);
        const double per_pixel = 360.0 / static_cast<double>(on.count);
        const double shift = on.shifted ? 0.5 : 0.0;
        auto lo = static_cast<std::int64_t>(std::floor((direction.longitude - span) / per_pixel - shift));
        auto hi = static_cast<std::int64_t>(std::ceil((direction.longitude + span) / per_pixel - shift));
        hi = std::min(hi, lo + on.count - 1);
        for (; lo <= hi; ++lo) found.push_back(on.first + ((lo % on.count) + on.count) % on.count);
    }
}

}  // namespace xsift::characterise
