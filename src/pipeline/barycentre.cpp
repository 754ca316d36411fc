#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <optional>

#include <erfa.h>

#include <xsift/core/constants.hpp>
#include <xsift/core/error.hpp>
#include <xsift/pipeline/barycentre.hpp>

namespace xsift::pipeline {
namespace {

constexpr double mjd_zero = 2400000.5;     // JD of MJD 0
constexpr double au_km = 149597870.7;      // IAU 2012
constexpr double light_km_s = 299792.458;  // CODATA
constexpr double au_light_s = au_km / light_km_s;
constexpr double tt_minus_tai = 32.184;  // s
// Schwarzschild radius of the Sun, au (2 G M/c^2, as ERFA_SRS), as a light time: 2 G M/c^3.
constexpr double sun_s = 1.97412574336e-8 * au_light_s;
constexpr double earth_gm = 398600.4418;  // km^3/s^2
/// Largest error of a position between rows, km: 1 microsecond.
constexpr double position_error = 0.3;
constexpr double orbit_step = 30.0, earth_step = 600.0;

bool is_word(const std::string& text, const char* word) {
    std::size_t i = 0;
    for (; i < text.size() && word[i] != '\0'; ++i)
        if (std::toupper(static_cast<unsigned char>(text[i])) != word[i]) return false;
    return i == text.size() && word[i] == '\0';
}

std::optional<TimeScale> scale_of(const std::string& name) {
    if (is_word(name, "TT") || is_word(name, "TDT") || is_word(name, "ET")) return TimeScale::tt;
    if (is_word(name, "UTC")) return TimeScale::utc;
    if (is_word(name, "TDB")) return TimeScale::tdb;
    if (is_word(name, "TAI")) return TimeScale::tai;
    return std::nullopt;
}

/// TAI - UTC at an MJD (UTC), s.
double leap_seconds(double mjd) {
    int year = 0, month = 0, day = 0;
    double fraction = 0.0, delta = 0.0;
    if (eraJd2cal(mjd_zero, mjd, &year, &month, &day, &fraction) != 0 ||
        eraDat(year, month, day, fraction, &delta) < 0)
        throw Error(ErrorKind::input, "BAD_TIME_SYSTEM", "a reference date that UTC does not know");
    return delta;
}

/// Days of the date, split in two so that microseconds are kept.
std::array<double, 2> date_of(double mjd_reference, double time) {
    const double whole = std::floor(mjd_reference);
    const double seconds = (mjd_reference - whole) * constants::seconds_per_day + time;
    return {mjd_zero + whole, seconds / constants::seconds_per_day};
}

/// Lagrange's cubic through the values at 0, 1, 2, 3.
double cubic(const std::array<double, 4>& y, double x) {
    const double a = x, b = x - 1.0, c = x - 2.0, d = x - 3.0;
    return -y[0] * b * c * d / 6.0 + y[1] * a * c * d / 2.0 - y[2] * a * b * d / 2.0 + y[3] * a * b * c / 6.0;
}

/// The outcome before anything is computed; nullopt: it can be done.
std::optional<BarycentreOutcome> obstacle(const Exposure& exposure, double ra, double dec) {
    const bool at_barycentre = is_word(exposure.time_reference, "SOLARSYSTEM");
    if (at_barycentre)
        return exposure.barycentred() ? BarycentreOutcome::already : BarycentreOutcome::contradictory;
    if (!std::isfinite(ra) || !std::isfinite(dec)) return BarycentreOutcome::no_position;
    if (!scale_of(exposure.time_system) || !std::isfinite(exposure.mjd_reference))
        return BarycentreOutcome::unknown_time_system;
    return std::nullopt;
}

/// Corrects the times (relative to exposure.time_zero) of one exposure that start and end with a span.
class Corrector {
  public:
    Corrector(Exposure& exposure, double ra, double dec, const std::vector<io::Orbit>& orbits, double first,
              double last)
        : exposure_(exposure), scale_(*scale_of(exposure.time_system)) {
        const double begin = tt(first), end = tt(last);
        for (const io::Orbit& orbit : orbits) {
            const bool same =
                orbit.mission.empty() || exposure.mission.empty() || orbit.mission == exposure.mission;
            if (!same) continue;
            const BarycentreCorrection candidate(ra, dec, exposure.mjd_reference, &orbit);
            if (!candidate.covers(begin, end)) continue;
            correction_.emplace(candidate);
            with_orbit_ = true;
            break;
        }
        if (!correction_) correction_.emplace(ra, dec, exposure.mjd_reference, nullptr);
        old_zero_ = exposure.time_zero;
        shift_ = std::round(tt(0.0) - old_zero_ + correction_->direct(tt(0.0)));
    }

    void apply(std::vector<double>& times) const {
        std::vector<double> observed;
        observed.reserve(times.size());
        for (const double t : times) observed.push_back(tt(t));
        const std::vector<double> delay = (*correction_)(observed);
        // The scale's offset is added to the small part, so that nothing of the times is lost.
        const double offset = to_tt(scale_, exposure_.mjd_reference, 0.0) - shift_;
        for (std::size_t i = 0; i < times.size(); ++i) {
            const double einstein_done =
                scale_ == TimeScale::tdb ? correction_->terms(observed[i]).einstein : 0.0;
            times[i] += delay[i] - einstein_done + offset;
        }
    }

    BarycentreOutcome finish() {
        exposure_.time_zero = old_zero_ + shift_;
        exposure_.time_system = "TDB";
        exposure_.time_reference = "SOLARSYSTEM";
        exposure_.flags &= ~static_cast<std::uint32_t>(exposure_not_barycentred);
        exposure_.flags |= exposure_barycentred_here;
        if (!with_orbit_) exposure_.flags |= exposure_geocentre;
        return with_orbit_ ? BarycentreOutcome::corrected : BarycentreOutcome::geocentre;
    }

  private:
    double tt(double t) const { return to_tt(scale_, exposure_.mjd_reference, exposure_.time_zero + t); }

    Exposure& exposure_;
    TimeScale scale_;
    std::optional<BarycentreCorrection> correction_;
    bool with_orbit_ = false;
    double old_zero_ = 0.0, shift_ = 0.0;
};

}  // namespace

double to_tt(TimeScale scale, double mjd_reference, double time) {
    switch (scale) {
        case TimeScale::utc:
            return time + leap_seconds(mjd_reference) + tt_minus_tai;
        case TimeScale::tai:
            return time + tt_minus_tai;
        default:  // TDB differs by 2 ms at most, in which nothing moves by more than 60 m
            return time;
    }
}

BarycentreCorrection::BarycentreCorrection(double ra, double dec, double mjd_reference,
                                           const io::Orbit* orbit)
    : mjd_reference_(mjd_reference), orbit_(orbit) {
    const double cos_dec = std::cos(dec * constants::degree);
    direction_ = {cos_dec * std::cos(ra * constants::degree), cos_dec * std::sin(ra * constants::degree),
                  std::sin(dec * constants::degree)};
    if (orbit_ == nullptr) return;
    orbit_offset_ = (mjd_reference_ - orbit_->mjd_reference) * constants::seconds_per_day;
    const auto scale = scale_of(orbit_->time_system).value_or(TimeScale::tt);
    orbit_offset_ -= to_tt(scale, orbit_->mjd_reference, 0.0);
}

BarycentreCorrection::Vector BarycentreCorrection::spacecraft(double time_tt) const {
    if (orbit_ == nullptr) return {0.0, 0.0, 0.0};
    const double t = time_tt + orbit_offset_;
    const std::vector<double>& time = orbit_->time;
    const auto after = std::upper_bound(time.begin(), time.end(), t) - time.begin();
    const auto first = static_cast<std::size_t>(
        std::clamp<std::ptrdiff_t>(after - 2, 0, static_cast<std::ptrdiff_t>(time.size()) - 4));
    Vector sum{0.0, 0.0, 0.0};
    for (std::size_t i = first; i < first + 4; ++i) {  // Lagrange on the four rows around
        double weight = 1.0;
        for (std::size_t j = first; j < first + 4; ++j)
            if (j != i) weight *= (t - time[j]) / (time[i] - time[j]);
        sum.x += weight * orbit_->x[i];
        sum.y += weight * orbit_->y[i];
        sum.z += weight * orbit_->z[i];
    }
    return sum;
}

bool BarycentreCorrection::covers(double first_tt, double last_tt) const {
    if (orbit_ == nullptr) return true;
    const std::vector<double>& time = orbit_->time;
    const double first = first_tt + orbit_offset_, last = last_tt + orbit_offset_;
    if (first < time.front() || last > time.back()) return false;
    for (std::size_t i = 1; i < time.size(); ++i) {
        if (!(time[i] > first && time[i - 1] < last)) continue;
        // Error of Lagrange's cubic in the middle of equal steps: 3/128 h^4 times the fourth derivative, on a
        // Kepler orbit (G M)^2 / r^5.
        const double step = time[i] - time[i - 1];
        const double radius = std::min(std::hypot(orbit_->x[i - 1], orbit_->y[i - 1], orbit_->z[i - 1]),
                                       std::hypot(orbit_->x[i], orbit_->y[i], orbit_->z[i]));
        const double fourth = earth_gm * earth_gm / std::pow(radius, 5.0);
        if (3.0 / 128.0 * std::pow(step, 4.0) * fourth > position_error) return false;
    }
    return true;
}

BarycentreCorrection::Terms BarycentreCorrection::terms(double time_tt) const {
    const auto [day, fraction] = date_of(mjd_reference_, time_tt);
    // UT of day only enters terms of an observer on the ground, which are left to v.d/c^2 below.
    const double geocentric = eraDtdb(day, fraction, fraction - std::floor(fraction), 0.0, 0.0, 0.0);
    double heliocentric[2][3], barycentric[2][3];
    eraEpv00(day, fraction + geocentric / constants::seconds_per_day, heliocentric, barycentric);
    const Vector craft = spacecraft(time_tt);
    const double local[3] = {craft.x, craft.y, craft.z};
    const double direction[3] = {direction_.x, direction_.y, direction_.z};
    double along = 0.0, along_sun = 0.0, sun_distance = 0.0, clock = 0.0;
    for (std::size_t k = 0; k < 3; ++k) {
        const double offset = local[k] / au_km, from_sun = heliocentric[0][k] + offset;
        along += direction[k] * (barycentric[0][k] + offset);
        along_sun += direction[k] * from_sun;
        sun_distance += from_sun * from_sun;
        clock += barycentric[1][k] * offset;  // au^2/day
    }
    const double to_seconds = au_light_s * au_light_s / constants::seconds_per_day;
    const double cosine = along_sun / std::sqrt(sun_distance);
    // Behind the Sun's disc nothing is seen; the bound only keeps the logarithm finite.
    const double shapiro = sun_s * std::log(std::max(1.0 + cosine, 1e-6));
    return {geocentric + clock * to_seconds, along * au_light_s, shapiro};
}

double BarycentreCorrection::direct(double time_tt) const {
    return terms(time_tt).sum();
}

std::vector<double> BarycentreCorrection::operator()(const std::vector<double>& times_tt) const {
    const double step = orbit_ != nullptr ? orbit_step : earth_step;
    std::array<double, 4> node{};
    double first = std::numeric_limits<double>::quiet_NaN();  // number of node[0]
    std::vector<double> out;
    out.reserve(times_tt.size());
    for (const double t : times_tt) {
        const double wanted = std::floor(t / step) - 1.0;
        if (wanted != first) {
            const double moved = wanted - first;
            if (moved >= 1.0 && moved <= 3.0) {
                const auto n = static_cast<std::size_t>(moved);
                std::copy(node.begin() + static_cast<std::ptrdiff_t>(n), node.end(), node.begin());
                for (std::size_t i = 4 - n; i < 4; ++i)
                    node[i] = direct((wanted + static_cast<double>(i)) * step);
            } else {
                for (std::size_t i = 0; i < 4; ++i)
                    node[i] = direct((wanted + static_cast<double>(i)) * step);
            }
            first = wanted;
        }
        // Nodes beyond the orbit's ends would be extrapolated from it.
        const bool inside =
            orbit_ == nullptr || (first * step + orbit_offset_ >= orbit_->time.front() &&
                                  (first + 3.0) * step + orbit_offset_ <= orbit_->time.back());
        out.push_back(inside ? cubic(node, t / step - first) : direct(t));
    }
    return out;
}

BarycentreOutcome barycentre(EventList& events, double ra, double dec, const std::vector<io::Orbit>& orbits) {
    if (const auto found = obstacle(events.exposure, ra, dec)) return *found;
    if (events.time.empty()) return BarycentreOutcome::already;
    double first = events.time.front(), last = events.time.back();
    if (events.gti.size() > 0) {
        first = std::min(first, events.gti.start.front());
        last = std::max(last, events.gti.stop.back());
    }
    Corrector corrector(events.exposure, ra, dec, orbits, first, last);
    corrector.apply(events.time);
    corrector.apply(events.gti.start);
    corrector.apply(events.gti.stop);
    return corrector.finish();
}

BarycentreOutcome barycentre(LightCurve& curve, double ra, double dec, const std::vector<io::Orbit>& orbits) {
    if (const auto found = obstacle(curve.exposure, ra, dec)) return *found;
    if (curve.time.empty()) return BarycentreOutcome::already;
    Corrector corrector(curve.exposure, ra, dec, orbits, curve.time.front(), curve.time.back());
    corrector.apply(curve.time);
    return corrector.finish();
}

std::string describe(BarycentreOutcome outcome) {
    switch (outcome) {
        case BarycentreOutcome::corrected:
            return "corrected to the barycentre with the spacecraft's orbit";
        case BarycentreOutcome::geocentre:
            return "corrected to the barycentre from the Earth's centre, no orbit covers it: wrong by up to "
                   "the light "
                   "time to the spacecraft (23 ms in low orbit, 0.4 s XMM-Newton, 0.5 s Chandra)";
        case BarycentreOutcome::already:
            return "barycentred already (TIMEREF SOLARSYSTEM, TIMESYS TDB): left as it is";
        case BarycentreOutcome::contradictory:
            return "TIMEREF is SOLARSYSTEM but TIMESYS is not TDB: left as it is, and flagged";
        case BarycentreOutcome::no_position:
            return "the source's position is unknown, so its times cannot be barycentred: flagged";
        case BarycentreOutcome::unknown_time_system:
            return "TIMESYS (TT, UTC, TAI, TDB) or MJDREF is missing or not understood, so its times cannot "
                   "be "
                   "barycentred: flagged";
    }
    return {};
}

}  // namespace xsift::pipeline
