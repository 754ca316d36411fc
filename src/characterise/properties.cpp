#include <algorithm>
#include <cmath>

#include <xsift/characterise/brightness.hpp>
#include <xsift/characterise/properties.hpp>

namespace xsift::characterise {

namespace {

constexpr std::array<PropertyText, n_properties> texts{{
    {"HR_MS", "hardness (M-S)/(M+S)", false},
    {"HR_HM", "hardness (H-M)/(H+M)", false},
    {"HR_HMS", "hardness (H-M-S)/(H+M+S)", false},
    {"P_INTRA", "probability of variability within an observation", false},
    {"P_INTER", "probability of variability between observations", false},
    {"GAMMA", "photon index", false},
    {"LOG_KT", "log kT (keV)", false},
    {"LOG_PERIOD", "log period (s)", false},
    {"LOG_B", "log of Galactic latitude (|b| + 0.1 deg)", false},
    {"FX_G", "log X-ray to optical flux ratio", true},
    {"FX_J", "X-ray to J ratio log Fx + 0.4 J", true},
    {"FX_K", "X-ray to K ratio log Fx + 0.4 K", true},
    {"FX_W1", "X-ray to infrared ratio log Fx + 0.4 W1", true},
    {"BP_RP", "colour BP-RP", true},
    {"G_RP", "colour G-RP", true},
    {"G_J", "colour G-J", true},
    {"G_K", "colour G-K", true},
    {"G_W1", "colour G-W1", true},
    {"J_H", "colour J-H", true},
    {"H_K", "colour H-K", true},
    {"J_K", "colour J-K", true},
    {"K_W1", "colour K-W1", true},
    {"J_W1", "colour J-W1", true},
    {"W1_W2", "colour W1-W2", true},
    {"W2_W3", "colour W2-W3", true},
    {"PARALLAX_SN", "significance of the parallax, log(1 + s)", true},
    {"ABS_G", "absolute G magnitude", true},
    {"ABS_W1", "absolute W1 magnitude", true},
    {"LOG_LX", "log X-ray luminosity (erg/s)", true},
    {"LOG_PM", "log proper motion (mas/yr)", true},
    {"FX_G_ABOVE", "lower limit of the log X-ray to optical flux ratio", true},
    {"FX_J_ABOVE", "lower limit of the X-ray to J ratio log Fx + 0.4 J", true},
    {"FX_K_ABOVE", "lower limit of the X-ray to K ratio log Fx + 0.4 K", true},
    {"FX_W1_ABOVE", "lower limit of the X-ray to infrared ratio log Fx + 0.4 W1", true},
}};

/// Index of the photon spectrum where a slope is not known: STONKS' conversions use it too.
constexpr double usual_index = 1.7;
constexpr double most_gamma_error = 0.6;
constexpr double least_parallax_over_error = 5.0;

double logarithm(double value) {
    return value > 0.0 ? std::log10(value) : not_measured;
}

double hardness(double hard, double soft) {
    return hard >= 0.0 && soft >= 0.0 && hard + soft > 0.0 ? (hard - soft) / (hard + soft) : not_measured;
}

/// Photon index that gives two bands their flux ratio.
double index_between(double low, double lo1, double hi1, double high, double lo2, double hi2) {
    if (!(low > 0.0 && high > 0.0)) return usual_index;
    double soft = 8.0, hard = -4.0;
    for (int i = 0; i < 60; ++i) {
        const double middle = 0.5 * (soft + hard);
        const double share = power_law_share(middle, lo1, hi2, lo2, hi2);
        const double below = power_law_share(middle, lo1, hi2, lo1, hi1);
        (share * low > below * high ? hard : soft) = middle;
    }
    return 0.5 * (soft + hard);
}

}  // namespace

const PropertyText& describe(Property property) {
    return texts[static_cast<std::size_t>(property)];
}

std::optional<Property> bounded_by(Property limit) {
    switch (limit) {
        case Property::fx_g_above:
            return Property::fx_g;
        case Property::fx_j_above:
            return Property::fx_j;
        case Property::fx_k_above:
            return Property::fx_k;
        case Property::fx_w1_above:
            return Property::fx_w1;
        default:
            return std::nullopt;
    }
}

std::optional<Property> property_of(std::string_view name) {
    for (std::size_t i = 0; i < texts.size(); ++i)
        if (texts[i].name == name) return static_cast<Property>(i);
    return std::nullopt;
}

double power_law_share(double index, double lo, double hi, double a, double b) {
    const auto integral = [&](double from, double to) {
        const double power = 2.0 - index;
        return std::fabs(power) < 1e-9 ? std::log(to / from)
                                       : (std::pow(to, power) - std::pow(from, power)) / power;
    };
    return integral(a, b) / integral(lo, hi);
}

void set_bands_from_xmm(const std::array<double, 4>& flux, Observables& observed) {
    const auto [f2, f3, f4, f5] = flux;
    if (f3 > 0.0) {
        const double index =
            f2 > 0.0 ? index_between(f2, 0.5, 1.0, f3, 1.0, 2.0) : index_between(f3, 1.0, 2.0, f4, 2.0, 4.5);
        const double below = f3 * power_law_share(index, 1.0, 2.0, 1.0, 1.2);
        observed.flux_medium = f3 - below;
        if (f2 > 0.0) observed.flux_soft = f2 + below;
    }
    if (f4 > 0.0)
        observed.flux_hard = f4 + (f5 > 0.0 ? f5 * power_law_share(index_between(f4, 2.0, 4.5, f5, 4.5, 12.0),
                                                                   4.5, 12.0, 4.5, 7.0)
                                            : f4 * power_law_share(usual_index, 2.0, 4.5, 4.5, 7.0));
}

Properties properties_of(const Observables& o) {
    Properties found;
    found.fill(not_measured);
    const auto set = [&](Property property, double value) {
        if (std::isfinite(value)) found[static_cast<std::size_t>(property)] = value;
    };
    set(Property::hr_ms, hardness(o.flux_medium, o.flux_soft));
    set(Property::hr_hm, hardness(o.flux_hard, o.flux_medium));
    set(Property::hr_hms, hardness(o.flux_hard, o.flux_medium + o.flux_soft));
    if (!std::isfinite(o.period)) set(Property::p_intra, o.p_intra);  // the period would say it twice
    set(Property::p_inter, o.p_inter);
    if (o.gamma_error <= most_gamma_error) set(Property::gamma, o.gamma);
    set(Property::log_kt, logarithm(o.kt));
    set(Property::log_period, logarithm(o.period));
    set(Property::log_b, std::log10(std::fabs(o.galactic_latitude) + 0.1));

    const auto [g, bp, rp, j, h, k, w1, w2, w3] = o.magnitude;
    const double log_fx = logarithm(o.flux_broad);
    const auto set_ratio = [&](Property property, Property above, double seen, double fainter, double zero) {
        set(property, log_fx + 0.4 * seen - zero);
        if (!std::isfinite(seen)) set(above, log_fx + 0.4 * fainter - zero);
    };
    const Magnitudes& fainter = o.fainter_than;
    set_ratio(Property::fx_g, Property::fx_g_above, g, fainter[0], std::log10(gaia_g_zero_physical));
    set_ratio(Property::fx_j, Property::fx_j_above, j, fainter[3], 0.0);
    set_ratio(Property::fx_k, Property::fx_k_above, k, fainter[5], 0.0);
    set_ratio(Property::fx_w1, Property::fx_w1_above, w1, fainter[6], 0.0);
    set(Property::bp_rp, bp - rp);
    set(Property::g_rp, g - rp);
    set(Property::g_j, g - j);
    set(Property::g_k, g - k);
    set(Property::g_w1, g - w1);
    set(Property::j_h, j - h);
    set(Property::h_k, h - k);
    set(Property::j_k, j - k);
    set(Property::k_w1, k - w1);
    set(Property::j_w1, j - w1);
    set(Property::w1_w2, w1 - w2);
    set(Property::w2_w3, w2 - w3);
    const double significance = o.parallax_over_error;
    set(Property::parallax_sn, std::copysign(std::log10(1.0 + std::fabs(significance)), significance));
    if (!(significance <= least_parallax_over_error) && o.distance > 0.0) {
        const double modulus = 5.0 * std::log10(o.distance) - 5.0;
        set(Property::abs_g, g - modulus);
        set(Property::abs_w1, w1 - modulus);
        set(Property::log_lx, logarithm(luminosity(o.flux_broad, o.distance)));
    }
    set(Property::log_pm, logarithm(o.proper_motion));
    return found;
}

}  // namespace xsift::characterise
