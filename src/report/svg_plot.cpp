#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <xsift/report/svg_plot.hpp>

namespace xsift::report {

namespace {

constexpr double width = 640, height = 300, left = 76, right = 14, top = 12, bottom = 46;

/// A linear or logarithmic axis from data to pixels.
struct Axis {
    double lo = std::numeric_limits<double>::infinity(), hi = -std::numeric_limits<double>::infinity();
    bool logarithmic = false;
    double pixel_lo = 0, pixel_hi = 1;

    bool usable(double value) const { return std::isfinite(value) && (!logarithmic || value > 0.0); }
    double scaled(double value) const { return logarithmic ? std::log10(value) : value; }
    void include(double value) {
        if (!usable(value)) return;
        lo = std::min(lo, scaled(value));
        hi = std::max(hi, scaled(value));
    }
    bool empty() const { return !(lo <= hi); }
    /// Some room at both ends; a single value gets a range around it.
    void pad() {
        const double margin = hi > lo ? 0.04 * (hi - lo) : (lo == 0.0 ? 1.0 : 0.1 * std::fabs(lo));
        lo -= margin;
        hi += margin;
    }
    double pixel(double value) const {
        return pixel_lo + (scaled(value) - lo) / (hi - lo) * (pixel_hi - pixel_lo);
    }
    /// Round values within the range: 1, 2 or 5 times a power of ten; on a logarithmic axis 1, 2, 5 of each
    /// decade.
    std::vector<double> ticks() const {
        std::vector<double> found;
        if (logarithmic) {
            const bool few = hi - lo > 3.0;
            for (double decade = std::floor(lo); decade <= hi; decade += 1.0)
                for (const double digit : {1.0, 2.0, 5.0}) {
                    const double value = digit * std::pow(10.0, decade);
                    if (scaled(value) >= lo && scaled(value) <= hi && (digit == 1.0 || !few))
                        found.push_back(value);
                }
            return found;
        }
        const double raw = (hi - lo) / 6.0, power = std::pow(10.0, std::floor(std::log10(raw)));
        const double step = power * (raw / power > 5.0   ? 10.0
                                     : raw / power > 2.0 ? 5.0
                                     : raw / power > 1.0 ? 2.0
                                                         : 1.0);
        for (double k = std::ceil(lo / step); k * step <= hi; k += 1.0)
            found.push_back(k == 0.0 ? 0.0 : k * step);
        return found;
    }
};

}  // namespace

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
        }
    }
    return out;
}

void SvgPlot::points(std::vector<double> x, std::vector<double> y, std::vector<double> y_error,
                     std::vector<double> x_half_width) {
    series_.push_back({std::move(x), std::move(y), std::move(y_error), std::move(x_half_width), false});
}

void SvgPlot::line(std::vector<double> x, std::vector<double> y) {
    series_.push_back({std::move(x), std::move(y), {}, {}, true});
}

std::string SvgPlot::render(const std::string& title) const {
    Axis x, y;
    x.logarithmic = log_x_;
    y.logarithmic = log_y_;
    for (const Series& series : series_)
        for (std::size_t i = 0; i < series.x.size(); ++i) {
            if (!x.usable(series.x[i]) || !y.usable(series.y[i])) continue;
            const double dx = series.x_half_width.empty() ? 0.0 : series.x_half_width[i];
            const double dy = series.y_error.empty() ? 0.0 : series.y_error[i];
            x.include(series.x[i] - dx);
            x.include(series.x[i] + dx);
            y.include(series.y[i]);
            if (!log_y_) y.include(series.y[i] - dy);
            y.include(series.y[i] + dy);
        }
    if (x.empty() || y.empty()) return {};
    if (from_zero_ && !log_y_) y.include(0.0);
    x.pad();
    y.pad();
    x.pixel_lo = left;
    x.pixel_hi = width - right;
    y.pixel_lo = height - bottom;
    y.pixel_hi = top;

    std::string svg = fmt::format(
        "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\" "
        "xmlns=\"http://www.w3.org/2000/svg\">\n"
        "<rect class=\"frame\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
        width, height, escaped(title), left, top, width - left - right, height - top - bottom);
    for (const double tick : x.ticks())
        svg += fmt::format(
            "<path class=\"grid\" d=\"M{0:.1f} {1}V{2}\"/><text class=\"tick\" x=\"{0:.1f}\" y=\"{3}\" "
            "text-anchor=\"middle\">{4:.4g}</text>\n",
            x.pixel(tick), top, height - bottom, height - bottom + 16, tick);
    for (const double tick : y.ticks())
        svg += fmt::format(
            "<path class=\"grid\" d=\"M{1} {0:.1f}H{2}\"/><text class=\"tick\" x=\"{3}\" y=\"{4:.1f}\" "
            "text-anchor=\"end\">{5:.4g}</text>\n",
            y.pixel(tick), left, width - right, left - 6, y.pixel(tick) + 4, tick);
    svg += fmt::format("<text class=\"label\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                       (left + width - right) / 2, height - 8, escaped(x_label_));
    svg += fmt::format(
        "<text class=\"label\" transform=\"translate(14 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
        (top + height - bottom) / 2, escaped(y_label_));

    for (const Series& series : series_) {
        std::string path;
        for (std::size_t i = 0; i < series.x.size(); ++i) {
            if (!x.usable(series.x[i]) || !y.usable(series.y[i])) continue;
            const double px = x.pixel(series.x[i]), py = y.pixel(series.y[i]);
            if (series.joined) {
                path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", px, py);
                continue;
            }
            if (!series.y_error.empty()) {
                const double low = series.y[i] - series.y_error[i];
                path += fmt::format("M{0:.1f} {1:.1f}V{2:.1f}", px,
                                    y.usable(low) ? std::min(y.pixel(low), y.pixel_lo) : y.pixel_lo,
                                    y.pixel(series.y[i] + series.y_error[i]));
            }
            if (!series.x_half_width.empty() && x.usable(series.x[i] - series.x_half_width[i]))
                path += fmt::format("M{0:.1f} {2:.1f}H{1:.1f}", x.pixel(series.x[i] - series.x_half_width[i]),
                                    x.pixel(series.x[i] + series.x_half_width[i]), py);
            else
                path += fmt::format("M{:.1f} {:.1f}h2", px - 1, py);
        }
        svg += fmt::format("<path class=\"{}\" d=\"{}\"/>\n", series.joined ? "line" : "data", path);
    }
    return svg + "</svg>\n";
}

}  // namespace xsift::report
