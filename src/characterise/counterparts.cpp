#include <algorithm>
#include <atomic>
#include <cmath>
#include <tuple>

#include <xsift/characterise/counterparts.hpp>
#include <xsift/core/constants.hpp>
#include <xsift/data/source.hpp>

namespace xsift::characterise {

namespace {

using constants::degree;

constexpr double arcsec = degree / constants::arcsec_per_degree;  ///< rad
constexpr double whole_sky = 4.0 * constants::pi / (degree * degree);
constexpr std::size_t objects_a_task = 65536;
constexpr std::int64_t filter_bits = std::int64_t{1} << 25;

/// Pixels somewhat larger than the search radius, so that few sources are compared with an object in vain.
std::int64_t index_nside(double radius) {
    std::int64_t nside = 8192;
    while (nside > 1 && HealpixRings(nside).resolution() * constants::arcsec_per_degree < 1.5 * radius)
        nside /= 2;
    return nside;
}

double value_at(const std::vector<double>& column, std::size_t row) {
    return column.empty() ? not_measured : column[row];
}

/// Along the larger axis, arcsec.
double major_error_of(const SkyObjects& objects, std::size_t row, double otherwise) {
    const double major = value_at(objects.error_major, row), minor = value_at(objects.error_minor, row);
    if (!(major > 0.0)) return otherwise;
    return minor > major ? minor : major;
}

PositionError error_of(const SkyObjects& objects, std::size_t row, double otherwise) {
    const double major = value_at(objects.error_major, row), minor = value_at(objects.error_minor, row);
    const double angle = value_at(objects.error_angle, row);
    if (!(major > 0.0)) return circular_error(otherwise);
    if (!(minor > 0.0) || !std::isfinite(angle)) return circular_error(major);
    return elliptical_error(major, minor, angle);
}

}  // namespace

PositionError circular_error(double sigma) {
    return {sigma * sigma, 0.0, sigma * sigma};
}

PositionError elliptical_error(double major, double minor, double angle) {
    const double east = std::sin(angle * degree), north = std::cos(angle * degree);
    const double a = major * major, b = minor * minor;
    return {a * east * east + b * north * north, (a - b) * east * north, a * north * north + b * east * east};
}

double log10_bayes_factor(double east, double north, const PositionError& a, const PositionError& b) {
    const double xx = a.xx + b.xx, xy = a.xy + b.xy, yy = a.yy + b.yy;
    const double determinant = xx * yy - xy * xy;
    const double pull = (yy * east * east - 2.0 * xy * east * north + xx * north * north) / determinant;
    return std::log10(2.0 / (std::sqrt(determinant) * arcsec * arcsec)) - 0.5 * pull / constants::ln10;
}

double MagnitudePrior::weight(double magnitude) const {
    if (ratio.empty() || !std::isfinite(magnitude) || !(magnitude >= edge.front() && magnitude < edge.back()))
        return 1.0;
    const auto bin = std::upper_bound(edge.begin(), edge.end(), magnitude) - edge.begin() - 1;
    return ratio[static_cast<std::size_t>(bin)];
}

CounterpartMatcher::CounterpartMatcher(std::span<const MatchSource> sources, MatchOptions options)
    : options_(std::move(options)),
      sources_(sources.begin(), sources.end()),
      rings_(index_nside(options_.radius)),
      occupied_(static_cast<std::size_t>(filter_bits / 64)),
      covered_(sources.size()),
      candidates_(sources.size()) {
    std::vector<std::int64_t> near;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
        const Direction& at = sources_[i].position;
        if (!std::isfinite(at.longitude) || !(std::fabs(at.latitude) <= 90.0)) continue;
        rings_.pixels_near(at, options_.radius / constants::arcsec_per_degree, near);
        for (const std::int64_t pixel : near) {
            index_.emplace_back(pixel, static_cast<std::int32_t>(i));
            const std::int64_t bit = pixel % filter_bits;
            occupied_[static_cast<std::size_t>(bit / 64)] |= std::uint64_t{1} << (bit % 64);
        }
    }
    std::sort(index_.begin(), index_.end());
}

Direction CounterpartMatcher::place(const SkyObjects& objects, std::size_t row) const {
    Direction at{objects.ra[row], objects.dec[row]};
    if (!std::isfinite(at.longitude) || !(std::fabs(at.latitude) <= 90.0))
        return {not_measured, not_measured};
    const double pm_ra = value_at(objects.pm_ra, row), pm_dec = value_at(objects.pm_dec, row);
    if (options_.years != 0.0 && std::isfinite(pm_ra) && std::isfinite(pm_dec))
        at = moved(at, pm_ra, pm_dec, options_.years);
    return at;
}

template <typename Visit>
void CounterpartMatcher::each_source(const Direction& at, Visit&& visit) {
    if (!std::isfinite(at.latitude)) return;
    const std::int64_t pixel = rings_.pixel(at), bit = pixel % filter_bits;
    if ((occupied_[static_cast<std::size_t>(bit / 64)] >> (bit % 64) & 1u) == 0) return;
    auto near = std::lower_bound(index_.begin(), index_.end(), std::pair(pixel, std::int32_t{0}));
    for (; near != index_.end() && near->first == pixel; ++near) {
        const auto source = static_cast<std::size_t>(near->second);
        // Several threads may say the same.
        std::atomic_ref(covered_[source]).store(1, std::memory_order_relaxed);
        const Direction& position = sources_[source].position;
        if (std::fabs(position.latitude - at.latitude) * constants::arcsec_per_degree >
            1.001 * options_.radius)
            continue;
        const double distance = separation(position, at);
        if (distance <= options_.radius) visit(source, distance);
    }
}

std::vector<std::size_t> CounterpartMatcher::near(const SkyObjects& positions, const ThreadPool& pool) {
    n_objects_ += static_cast<std::int64_t>(positions.size());
    const std::size_t tasks = (positions.size() + objects_a_task - 1) / objects_a_task;
    std::vector<std::vector<std::size_t>> found(tasks);
    pool.for_each(tasks, [&](std::size_t task) {
        const std::size_t end = std::min(positions.size(), (task + 1) * objects_a_task);
        for (std::size_t row = task * objects_a_task; row < end; ++row) {
            bool any = false;
            each_source(place(positions, row), [&](std::size_t, double) { any = true; });
            if (any) found[task].push_back(row);
        }
    });
    std::vector<std::size_t> rows;
    for (const std::vector<std::size_t>& part : found) rows.insert(rows.end(), part.begin(), part.end());
    return rows;
}

void CounterpartMatcher::take(const SkyObjects& objects) {
    for (std::size_t row = 0; row < objects.size(); ++row) {
        const Direction at = place(objects, row);
        each_source(at, [&](std::size_t index, double distance) {
            const MatchSource& source = sources_[index];
            const double angle = position_angle(source.position, at) * degree;
            Candidate& candidate = candidates_[index].emplace_back();
            candidate.log10_bayes =
                log10_bayes_factor(distance * std::sin(angle), distance * std::cos(angle), source.error,
                                   error_of(objects, row, options_.default_error));
            candidate.prior = options_.prior.weight(value_at(objects.prior_magnitude, row));
            Counterpart& found = candidate.found;
            found.catalogue = options_.name;
            found.id = objects.id.empty() ? "" : objects.id[row];
            found.separation = distance;
            found.ra = at.longitude;
            found.dec = at.latitude;
            found.position_error = major_error_of(objects, row, options_.default_error);
            found.pm_ra = value_at(objects.pm_ra, row);
            found.pm_dec = value_at(objects.pm_dec, row);
            found.parallax = value_at(objects.parallax, row);
            found.parallax_error = value_at(objects.parallax_error, row);
            for (std::size_t band = 0; band < magnitude_bands.size(); ++band)
                found.magnitude[band] = value_at(objects.magnitude[band], row);
        });
    }
}

void CounterpartMatcher::add(const SkyObjects& objects, const ThreadPool& pool) {
    take(objects.rows(near(objects, pool)));
}

std::vector<std::vector<Counterpart>> CounterpartMatcher::finish() {
    // The chance of a match by accident is the density of the catalogue: N + 1 objects over its area.
    const double objects_on_sky = static_cast<double>(n_objects_ + 1) * whole_sky / options_.area;
    std::vector<std::vector<Counterpart>> matches(sources_.size());
    for (std::size_t i = 0; i < sources_.size(); ++i) {
        std::vector<Candidate>& all = candidates_[i];
        double sum = 0.0;
        for (Candidate& c : all) {
            c.found.p_i = std::pow(10.0, c.log10_bayes) * c.prior * options_.completeness / objects_on_sky;
            sum += c.found.p_i;
        }
        for (Candidate& c : all) {
            c.found.p_any = sum / (1.0 + sum);
            c.found.p_i = sum > 0.0 ? c.found.p_i / sum : 0.0;
            matches[i].push_back(std::move(c.found));
        }
        all = {};
        std::sort(matches[i].begin(), matches[i].end(), [](const Counterpart& a, const Counterpart& b) {
            return std::tie(b.p_i, a.separation, a.id) < std::tie(a.p_i, b.separation, b.id);
        });
        for (Counterpart& match : matches[i])
            match.match_flag = &match == &matches[i].front()                              ? 1
                               : match.p_i > options_.acceptable * matches[i].front().p_i ? 2
                                                                                          : 0;
    }
    return matches;
}

}  // namespace xsift::characterise
