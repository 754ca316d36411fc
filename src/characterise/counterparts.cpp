#include <algorithm>
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
/// Pixels of 1.7 arcmin: larger than search radii, small enough that most of the sky has no source near.
constexpr std::int64_t index_nside = 2048;
constexpr std::size_t objects_a_task = 65536;

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
      rings_(index_nside),
      occupied_(static_cast<std::size_t>(rings_.pixels() / 64 + 1)),
      candidates_(sources.size()) {
    std::vector<std::int64_t> near;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
        const Direction& at = sources_[i].position;
        if (!std::isfinite(at.longitude) || !(std::fabs(at.latitude) <= 90.0)) continue;
        rings_.pixels_near(at, options_.radius / constants::arcsec_per_degree, near);
        for (const std::int64_t pixel : near) {
            index_.emplace_back(pixel, static_cast<std::int32_t>(i));
            occupied_[static_cast<std::size_t>(pixel / 64)] |= std::uint64_t{1} << (pixel % 64);
        }
    }
    std::sort(index_.begin(), index_.end());
}

void CounterpartMatcher::add(const SkyObjects& objects, const ThreadPool& pool) {
    n_objects_ += static_cast<std::int64_t>(objects.size());
    const std::size_t tasks = (objects.size() + objects_a_task - 1) / objects_a_task;
    std::vector<std::vector<std::pair<std::int32_t, Candidate>>> found(tasks);
    pool.for_each(tasks, [&](std::size_t task) {
        const std::size_t end = std::min(objects.size(), (task + 1) * objects_a_task);
        for (std::size_t row = task * objects_a_task; row < end; ++row) {
            Direction at{objects.ra[row], objects.dec[row]};
            if (!std::isfinite(at.longitude) || !(std::fabs(at.latitude) <= 90.0)) continue;
            const double pm_ra = value_at(objects.pm_ra, row), pm_dec = value_at(objects.pm_dec, row);
            if (options_.years != 0.0 && std::isfinite(pm_ra) && std::isfinite(pm_dec))
                at = moved(at, pm_ra, pm_dec, options_.years);
            const std::int64_t pixel = rings_.pixel(at);
            if ((occupied_[static_cast<std::size_t>(pixel / 64)] >> (pixel % 64) & 1u) == 0) continue;
            auto near = std::lower_bound(index_.begin(), index_.end(), std::pair(pixel, std::int32_t{0}));
            for (; near != index_.end() && near->first == pixel; ++near) {
                const MatchSource& source = sources_[static_cast<std::size_t>(near->second)];
                const double distance = separation(source.position, at);
                if (distance > options_.radius) continue;
                const double angle = position_angle(source.position, at) * degree;
                Candidate candidate;
                candidate.log10_bayes =
                    log10_bayes_factor(distance * std::sin(angle), distance * std::cos(angle), source.error,
                                       error_of(objects, row, options_.default_error));
                candidate.prior = options_.prior.weight(value_at(objects.prior_magnitude, row));
                candidate.found.catalogue = options_.name;
                candidate.found.id = objects.id.empty() ? "" : objects.id[row];
                candidate.found.separation = distance;
                candidate.found.ra = at.longitude;
                candidate.found.dec = at.latitude;
                candidate.found.position_error = major_error_of(objects, row, options_.default_error);
                candidate.found.pm_ra = pm_ra;
                candidate.found.pm_dec = pm_dec;
                candidate.found.parallax = value_at(objects.parallax, row);
                candidate.found.parallax_error = value_at(objects.parallax_error, row);
                for (std::size_t band = 0; band < magnitude_bands.size(); ++band)
                    candidate.found.magnitude[band] = value_at(objects.magnitude[band], row);
                found[task].emplace_back(near->second, std::move(candidate));
            }
        }
    });
    for (auto& part : found)
        for (auto& [source, candidate] : part)
            candidates_[static_cast<std::size_t>(source)].push_back(std::move(candidate));
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
