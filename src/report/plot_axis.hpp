#pragma once
/// @file
/// From data to pixels, and where the ticks are.

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <xsift/report/page.hpp>

namespace xsift::report {

/// Letters of a UTF-8 text.
std::size_t letters(const std::string& text);

struct Tick {
    double value = 0.0;
    std::string label;
};

/// A linear or logarithmic axis from data to pixels.
class PlotAxis {
  public:
    explicit PlotAxis(const Axis& axis) : axis_(&axis) {}

    bool usable(double value) const { return std::isfinite(value) && (!axis_->logarithmic || value > 0.0); }
    void include(double value);
    bool empty() const { return !(lo_ <= hi_); }
    /// Applies given limits, leaves some room at both ends; a single value gets a range around it.
    void settle();
    /// Makes the range longer, about its middle.
    void extend(double factor);
    void set_pixels(double lo, double hi);

    double range() const { return hi_ - lo_; }
    double pixels() const { return std::fabs(pixel_hi_ - pixel_lo_); }
    double pixel(double value) const;
    /// Pixel of the end where small values lie: for what a logarithmic axis cannot show.
    double floor_pixel() const { return axis_->reversed ? pixel_hi_ : pixel_lo_; }
    bool within(double value) const;
    std::vector<Tick> ticks(int about) const;

  private:
    double scaled(double value) const { return axis_->logarithmic ? std::log10(value) : value; }
    std::vector<double> linear_ticks(double lo, double hi, int about) const;

    const Axis* axis_;
    double lo_ = std::numeric_limits<double>::infinity(), hi_ = -lo_;
    double pixel_lo_ = 0.0, pixel_hi_ = 1.0;
};

}  // namespace xsift::report
