#pragma once
/// @file
/// A small plot as inline SVG: axes with round ticks and labels, points with errors, steps, lines.

#include <string>
#include <vector>

namespace xsift::report {

/// Escapes text for HTML and SVG.
std::string escaped(const std::string& text);

/// One plot. Colours come from the page's CSS (classes), so that it follows the light or dark theme.
class SvgPlot {
  public:
    SvgPlot(std::string x_label, std::string y_label)
        : x_label_(std::move(x_label)), y_label_(std::move(y_label)) {}

    void logarithmic_x() { log_x_ = true; }
    void logarithmic_y() { log_y_ = true; }
    /// Points with vertical errors (empty: none) and half widths in x (empty: none).
    void points(std::vector<double> x, std::vector<double> y, std::vector<double> y_error = {},
                std::vector<double> x_half_width = {});
    /// A line through points.
    void line(std::vector<double> x, std::vector<double> y);
    /// Makes the y range start at zero.
    void from_zero() { from_zero_ = true; }
    /// The plot as an <svg> element; `title` is read by screen readers. Empty when nothing finite was given.
    std::string render(const std::string& title) const;

  private:
    struct Series {
        std::vector<double> x, y, y_error, x_half_width;
        bool joined = false;
    };
    std::string x_label_, y_label_;
    std::vector<Series> series_;
    bool log_x_ = false, log_y_ = false, from_zero_ = false;
};

}  // namespace xsift::report
