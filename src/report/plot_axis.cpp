#include "plot_axis.hpp"

#include <algorithm>

namespace xsift::report {

std::size_t letters(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

namespace {

/// 10⁻⁴ rather than 1 × 10⁻⁴.
std::string tick_label(double value) {
    const double exponent = std::log10(std::fabs(value));
    if (value > 0.0 && (exponent < -3.5 || exponent > 4.5) &&
        std::fabs(exponent - std::round(exponent)) < 1e-9)
        return power_of_ten(static_cast<int>(std::round(exponent)));
    return pretty(value, 6);
}

}  // namespace

void PlotAxis::include(double value) {
    if (!usable(value)) return;
    lo_ = std::min(lo_, scaled(value));
    hi_ = std::max(hi_, scaled(value));
}

void PlotAxis::settle() {
    if (!axis_->categories.empty()) {
        lo_ = -0.6;
        hi_ = static_cast<double>(axis_->categories.size()) - 0.4;
    }
    if (empty()) return;
    if (axis_->from_zero && !axis_->logarithmic) {
        lo_ = std::min(lo_, 0.0);
        hi_ = std::max(hi_, 0.0);
    }
    if (axis_->categories.empty()) {
        const double margin = hi_ > lo_ ? 0.04 * (hi_ - lo_) : (lo_ == 0.0 ? 1.0 : 0.1 * std::fabs(lo_));
        const bool from_floor = axis_->from_zero && lo_ == 0.0;
        if (!from_floor) lo_ -= margin;
        hi_ += margin;
    }
    if (usable(axis_->lo)) lo_ = scaled(axis_->lo);
    if (usable(axis_->hi)) hi_ = scaled(axis_->hi);
    if (!(hi_ > lo_)) hi_ = lo_ + 1.0;
}

void PlotAxis::extend(double factor) {
    const double middle = 0.5 * (lo_ + hi_), half = 0.5 * factor * (hi_ - lo_);
    lo_ = middle - half;
    hi_ = middle + half;
}

void PlotAxis::set_pixels(double lo, double hi) {
    pixel_lo_ = axis_->reversed ? hi : lo;
    pixel_hi_ = axis_->reversed ? lo : hi;
}

double PlotAxis::pixel(double value) const {
    const double at = pixel_lo_ + (scaled(value) - lo_) / (hi_ - lo_) * (pixel_hi_ - pixel_lo_);
    return std::clamp(at, -1e4, 1e4);
}

bool PlotAxis::within(double value) const {
    return usable(value) && scaled(value) >= lo_ - 1e-12 && scaled(value) <= hi_ + 1e-12;
}

std::vector<double> PlotAxis::linear_ticks(double lo, double hi, int about) const {
    const double raw = (hi - lo) / about, power = std::pow(10.0, std::floor(std::log10(raw)));
    const double step = power * (raw / power > 5.0   ? 10.0
                                 : raw / power > 2.0 ? 5.0
                                 : raw / power > 1.0 ? 2.0
                                                     : 1.0);
    std::vector<double> found;
    for (double k = std::ceil(lo / step - 1e-9); k * step <= hi + 1e-9 * step; k += 1.0)
        found.push_back(k == 0.0 ? 0.0 : k * step);
    return found;
}

std::vector<Tick> PlotAxis::ticks(int about) const {
    std::vector<Tick> found;
    if (!axis_->categories.empty()) {
        for (std::size_t i = 0; i < axis_->categories.size(); ++i)
            found.push_back({static_cast<double>(i), axis_->categories[i]});
        return found;
    }
    std::vector<double> values;
    if (axis_->logarithmic) {
        // Whole decades when there are many of them, 1 2 5 of each when few, round numbers within one.
        const double decades = hi_ - lo_;
        const int every = std::max(1, static_cast<int>(std::ceil(decades / about)));
        for (int decade = static_cast<int>(std::floor(lo_)); decade <= hi_; ++decade)
            for (const double digit : {1.0, 2.0, 5.0}) {
                const double at = std::log10(digit) + decade;
                if (at < lo_ || at > hi_) continue;
                if (decades > 2.5 && (digit != 1.0 || decade % every != 0)) continue;
                values.push_back(digit * std::pow(10.0, decade));
            }
        if (values.size() < 3) values = linear_ticks(std::pow(10.0, lo_), std::pow(10.0, hi_), about);
    } else {
        values = linear_ticks(lo_, hi_, about);
    }
    for (const double value : values)
        if (usable(value) && scaled(value) >= lo_ && scaled(value) <= hi_)
            found.push_back({value, tick_label(value)});
    return found;
}

}  // namespace xsift::report
