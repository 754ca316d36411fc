// Figures as SVG. Sizes are px of a figure 460 px wide: readable on a phone and on a desk.

#include "plot_axis.hpp"
#include "style.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xsift/report/writers.hpp>

namespace xsift::report {

namespace {

constexpr double width = 460.0, right = 12.0, text_height = 13.0;
constexpr double letter = 6.3;  ///< px, mean width at the font's size
constexpr double tick_length = 4.0, between_panels = 12.0;

double text_width(const std::string& text) {
    constexpr double more_of_a_capital = 2.0;
    const auto capitals =
        std::count_if(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    return letter * static_cast<double>(letters(text)) + more_of_a_capital * static_cast<double>(capitals);
}

/// Rectangles that are taken by text.
class Occupied {
  public:
    bool take(double x, double y, double w, double h) {
        for (const Box& b : boxes_)
            if (x < b.x + b.w && b.x < x + w && y < b.y + b.h && b.y < y + h) return false;
        boxes_.push_back({x, y, w, h});
        return true;
    }

  private:
    struct Box {
        double x, y, w, h;
    };
    std::vector<Box> boxes_;
};

/// A frame with its axes in px, and the SVG that goes into it.
class PanelDrawing {
  public:
    PanelDrawing(const Panel& panel, const PlotAxis& x, const PlotAxis& y, double left, double top)
        : panel_(panel), x_(x), y_(y), left_(left), top_(top) {}

    std::string draw() {
        const double w = width - right - left_, h = panel_.height;
        std::string inside;
        for (const Series& series : panel_.series) inside += shape_of(series);
        std::string out = grid();
        // What leaves the frame is cut by the inner element.
        out += fmt::format(
            "<svg x=\"{0:.1f}\" y=\"{1:.1f}\" width=\"{2:.1f}\" height=\"{3:.1f}\" "
            "viewBox=\"{0:.1f} {1:.1f} {2:.1f} {3:.1f}\">{4}</svg>\n",
            left_, top_, w, h, inside);
        for (const Rule& rule : panel_.rules) out += line_of(rule);
        out += fmt::format(
            "<rect class=\"frame\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n", left_,
            top_, w, h);
        for (const Series& series : panel_.series) out += names_of(series);
        return out;
    }

  private:
    double bottom() const { return top_ + panel_.height; }

    std::string grid() const {
        std::string out;
        const bool named = !panel_.y.categories.empty();
        for (const Tick& tick : y_.ticks(panel_.height < 100.0 ? 3 : 5)) {
            const double at = y_.pixel(tick.value);
            if (!named)
                out += fmt::format("<path class=\"grid\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>", left_, at,
                                   width - right);
            out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left_ - 6.0,
                               at + 4.0, escaped(tick.label));
        }
        return out;
    }

    std::string line_of(const Rule& rule) {
        const PlotAxis& axis = rule.vertical ? x_ : y_;
        if (!axis.within(rule.at)) return {};
        const double at = axis.pixel(rule.at);
        std::string out = rule.vertical
                              ? fmt::format("<path class=\"rule t{}{}\" d=\"M{:.1f} {:.1f}V{:.1f}\"/>",
                                            rule.tone, rule.dashed ? " dash" : "", at, top_, bottom())
                              : fmt::format("<path class=\"rule t{}{}\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>",
                                            rule.tone, rule.dashed ? " dash" : "", left_, at, width - right);
        if (rule.label.empty()) return out;
        const double w = text_width(rule.label);
        if (!rule.vertical) {
            // Above its line, or below where another line is near.
            bool crowded = false;
            for (const Rule& other : panel_.rules)
                if (!other.vertical && other.at > rule.at && axis.within(other.at))
                    crowded = crowded || at - axis.pixel(other.at) < text_height + 4.0;
            for (const bool below : {crowded, !crowded})
                for (const double x : {width - right - w - 4.0, left_ + 4.0}) {
                    const double y = below ? at + text_height - 1.0 : at - 4.0;
                    if (y > top_ + 10.0 && y < bottom() && text_.take(x, y - 10.0, w, text_height))
                        return out + label(x, y, "start", rule.label, rule.tone);
                }
            return out;
        }
        const bool to_left = at + w + 6.0 > width - right;
        const double x = to_left ? std::max(at - w - 4.0, left_ + 2.0) : at + 4.0;
        for (int row = 0; row < 5; ++row) {
            const double y = top_ + 12.0 + row * text_height;
            if (y < bottom() && text_.take(x, y - 10.0, w, text_height))
                return out + label(x, y, "start", rule.label, rule.tone);
        }
        return out;
    }

    static std::string label(double x, double y, const char* anchor, const std::string& text, int tone) {
        return fmt::format(
            "<text class=\"note t{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", tone, x, y,
            anchor, escaped(text));
    }

    /// Indices to draw: where more points share a pixel column than can be told apart, the lowest and
    /// highest.
    std::vector<std::size_t> drawn(const Series& s) const {
        std::vector<std::size_t> all;
        for (std::size_t i = 0; i < s.x.size(); ++i) all.push_back(i);
        if (s.x.size() < 900) return all;
        std::vector<std::size_t> kept;
        for (std::size_t i = 0; i < s.x.size();) {
            if (!x_.usable(s.x[i]) || !y_.usable(s.y[i])) {
                kept.push_back(i++);
                continue;
            }
            const double column = std::floor(x_.pixel(s.x[i]));
            std::size_t lowest = i, highest = i;
            for (; i < s.x.size() && x_.usable(s.x[i]) && y_.usable(s.y[i]) &&
                   std::floor(x_.pixel(s.x[i])) == column;
                 ++i) {
                if (s.y[i] < s.y[lowest]) lowest = i;
                if (s.y[i] > s.y[highest]) highest = i;
            }
            kept.push_back(std::min(lowest, highest));
            if (lowest != highest) kept.push_back(std::max(lowest, highest));
        }
        return kept;
    }

    std::string shape_of(const Series& s) const {
        std::string path, rest;
        const auto end = [](const std::vector<double>& ends, std::size_t i) {
            return ends.empty() ? not_measured : ends[i];
        };
        bool joined = false;
        for (const std::size_t i : drawn(s)) {
            if (s.kind == Series::Kind::bars) {
                path += bar(s, i);
                continue;
            }
            const bool shown = x_.usable(s.x[i]) && y_.usable(s.y[i]);
            const double px = x_.usable(s.x[i]) ? x_.pixel(s.x[i]) : 0.0;
            const double py = shown ? y_.pixel(s.y[i]) : 0.0;
            switch (s.kind) {
                case Series::Kind::line:
                    if (shown) path += fmt::format("{}{:.1f} {:.1f}", joined ? "L" : "M", px, py);
                    joined = shown;
                    break;
                case Series::Kind::limits:
                    if (shown) path += fmt::format("M{0:.1f} {1:.1f}h8m-4 0v13m-3 -4l3 4l3 -4", px - 4.0, py);
                    break;
                case Series::Kind::circles:
                    if (shown)
                        rest += fmt::format(
                            "<circle class=\"ring t{}{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"/>", s.tone,
                            s.dashed ? " dash" : "", px, py, std::fabs(x_.pixel(s.x_hi[i]) - px));
                    break;
                default:
                    path += cross(s, i, px, shown, py, end(s.y_lo, i), end(s.y_hi, i));
                    if (shown && s.x_lo.empty())
                        rest +=
                            fmt::format("<circle class=\"dot t{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.6\"/>",
                                        s.tone, px, py);
            }
        }
        const char* const kind = s.kind == Series::Kind::bars   ? "bar"
                                 : s.kind == Series::Kind::line ? "line"
                                                                : "data";
        if (!path.empty())
            rest = fmt::format("<path class=\"{} t{}{}{}\" d=\"{}\"/>", kind, s.tone, s.dashed ? " dash" : "",
                               s.faint ? " faint" : "", path) +
                   rest;
        return rest;
    }

    std::string bar(const Series& s, std::size_t i) const {
        if (!x_.usable(s.x_lo[i]) || !x_.usable(s.x_hi[i])) return {};
        double x0 = x_.pixel(s.x_lo[i]), x1 = x_.pixel(s.x_hi[i]);
        if (x1 < x0) std::swap(x0, x1);
        const double y0 = y_.usable(s.y_lo[i]) ? y_.pixel(s.y_lo[i]) : y_.floor_pixel();
        const double y1 = y_.usable(s.y_hi[i]) ? y_.pixel(s.y_hi[i]) : y_.floor_pixel();
        return fmt::format("M{:.1f} {:.1f}V{:.1f}H{:.1f}V{:.1f}z", x0, y0, y1, std::max(x1, x0 + 0.3), y0);
    }

    /// Errors as a cross; those that a logarithmic axis cannot show end at its floor.
    std::string cross(const Series& s, std::size_t i, double px, bool shown, double py, double lo,
                      double hi) const {
        std::string path;
        if (x_.usable(s.x[i]) && std::isfinite(lo) && y_.usable(hi)) {
            const double from = y_.usable(lo) ? y_.pixel(lo) : y_.floor_pixel();
            path += fmt::format("M{:.1f} {:.1f}V{:.1f}", px, from, y_.pixel(hi));
        }
        if (!shown || s.x_lo.empty() || !x_.usable(s.x_lo[i]) || !x_.usable(s.x_hi[i])) {
            if (shown && !s.y_lo.empty()) path += fmt::format("M{:.1f} {:.1f}h2", px - 1.0, py);
            return path;
        }
        return path + fmt::format("M{:.1f} {:.1f}H{:.1f}", x_.pixel(s.x_lo[i]), py, x_.pixel(s.x_hi[i]));
    }

    /// Names beside their points, where there is room; nothing is written over another text.
    std::string names_of(const Series& s) {
        std::string out;
        for (std::size_t i = 0; i < s.names.size() && i < s.x.size(); ++i) {
            if (s.names[i].empty() || !x_.within(s.x[i]) || !y_.within(s.y[i])) continue;
            const double px = x_.pixel(s.x[i]), py = y_.pixel(s.y[i]), w = text_width(s.names[i]);
            struct Place {
                double x, y;
            };
            for (const Place& p :
                 {Place{px + 6.0, py + 4.0}, Place{px - w - 6.0, py + 4.0}, Place{px - 0.5 * w, py - 9.0},
                  Place{px - 0.5 * w, py + 18.0}, Place{px + 5.0, py - 8.0}, Place{px - w - 5.0, py - 8.0}}) {
                if (p.x < left_ + 2.0 || p.x + w > width - right - 2.0 || p.y < top_ + 11.0 ||
                    p.y > bottom() - 3.0)
                    continue;
                if (!text_.take(p.x, p.y - 10.0, w, text_height)) continue;
                out += label(p.x, p.y, "start", s.names[i], s.tone);
                break;
            }
        }
        return out;
    }

    const Panel& panel_;
    const PlotAxis &x_, &y_;
    double left_, top_;
    Occupied text_;
};

void include_series(const Series& s, PlotAxis& x, PlotAxis& y, bool logarithmic_y) {
    const auto each = [](const std::vector<double>& values, PlotAxis& axis) {
        for (const double v : values) axis.include(v);
    };
    if (s.kind == Series::Kind::circles) {
        for (std::size_t i = 0; i < s.x.size(); ++i) {
            const double radius = s.x_hi[i] - s.x[i];
            x.include(s.x[i] - radius);
            x.include(s.x[i] + radius);
            y.include(s.y[i] - radius);
            y.include(s.y[i] + radius);
        }
        return;
    }
    each(s.x, x);
    each(s.x_lo, x);
    each(s.x_hi, x);
    each(s.y, y);
    each(s.y_hi, y);
    // The lower end of an error would stretch a logarithmic axis to where nothing is.
    if (!logarithmic_y) each(s.y_lo, y);
}

/// Names of the series in rows above the frame.
std::string legend(const Figure& figure, double left, double& height) {
    std::string out;
    double x = left;
    height = 0.0;
    for (const Panel& panel : figure.panels)
        for (const Series& s : panel.series) {
            if (s.label.empty()) continue;
            const double w = 24.0 + text_width(s.label) + 12.0;
            if (height == 0.0) height = 17.0;
            if (x > left && x + w > width) {
                x = left;
                height += 17.0;
            }
            const double y = height - 7.0;
            const std::string classes =
                fmt::format("t{}{}{}", s.tone, s.dashed ? " dash" : "", s.faint ? " faint" : "");
            const auto path = [&](const char* kind, const std::string& d) {
                return fmt::format("<path class=\"{} {}\" d=\"{}\"/>", kind, classes, d);
            };
            const bool dot = s.kind == Series::Kind::points && s.y_lo.empty();
            if (s.kind == Series::Kind::bars)
                out += path("bar", fmt::format("M{:.1f} {:.1f}h18v10h-18z", x, y - 5.0));
            else if (s.kind == Series::Kind::circles || dot)
                out += fmt::format("<circle class=\"{} {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"/>",
                                   dot ? "dot" : "ring", classes, x + 12.0, y, dot ? 2.6 : 5.0);
            else if (s.kind == Series::Kind::points)
                out += path("data", fmt::format("M{:.1f} {:.1f}h12m-6 -6v12", x + 6.0, y));
            else if (s.kind == Series::Kind::limits)
                out += path("data", fmt::format("M{:.1f} {:.1f}h8m-4 0v11m-3 -4l3 4l3 -4", x + 8.0, y - 5.0));
            else
                out += path("line", fmt::format("M{:.1f} {:.1f}h18", x, y));
            out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x + 23.0, y + 4.0,
                               escaped(s.label));
            x += w;
        }
    return out;
}

}  // namespace

std::string svg(const Figure& figure, bool standalone) {
    PlotAxis x(figure.x);
    std::vector<PlotAxis> y;
    for (const Panel& panel : figure.panels) {
        PlotAxis& axis = y.emplace_back(panel.y);
        for (const Series& s : panel.series) include_series(s, x, axis, panel.y.logarithmic);
        axis.settle();
        if (axis.empty()) return {};
    }
    x.settle();
    if (x.empty() || y.empty()) return {};

    // The widest label of all y axes decides where the frames begin.
    double left = 30.0;
    for (std::size_t i = 0; i < y.size(); ++i) {
        y[i].set_pixels(figure.panels[i].height, 0.0);
        const double label = figure.panels[i].y.label.empty() ? 0.0 : 20.0;
        for (const Tick& tick : y[i].ticks(5)) left = std::max(left, label + text_width(tick.label) + 10.0);
    }
    left = std::min(left, 0.5 * width);
    x.set_pixels(left, width - right);
    double legend_height = 0.0;
    const std::string entries = legend(figure, 8.0, legend_height);

    std::string body = entries;
    double top = legend_height + 8.0;
    for (std::size_t i = 0; i < y.size(); ++i) {
        const Panel& panel = figure.panels[i];
        if (figure.square) {
            const double x_unit = x.pixels() / x.range(), y_unit = panel.height / y[i].range();
            if (x_unit > y_unit)
                x.extend(x_unit / y_unit);
            else
                y[i].extend(y_unit / x_unit);
        }
        y[i].set_pixels(top + panel.height, top);
        double last = -1e9;
        for (const Tick& tick : x.ticks(6)) {
            const double at = x.pixel(tick.value), half = 0.5 * text_width(tick.label);
            body += fmt::format("<path class=\"grid\" d=\"M{:.1f} {:.1f}V{:.1f}\"/>", at, top,
                                top + panel.height);
            const double centre = std::min(at, width - half - 1.0);
            const bool room =
                figure.x.reversed ? last < 0.0 || centre + half + 6.0 < last : centre - half > last + 6.0;
            if (i + 1 < y.size() || !room) continue;
            last = figure.x.reversed ? centre - half : centre + half;
            body += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", centre,
                                top + panel.height + 15.0, escaped(tick.label));
        }
        body += PanelDrawing(panel, x, y[i], left, top).draw();
        if (!panel.y.label.empty())
            body += fmt::format(
                "<text transform=\"translate(12 {:.1f}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                top + 0.5 * panel.height, escaped(panel.y.label));
        top += panel.height + between_panels;
    }
    const double height = top - between_panels + 36.0;
    body += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
                        0.5 * (left + width - right), height - 5.0, escaped(figure.x.label));
    const std::string head =
        standalone
            ? fmt::format("<style>{}{}</style><rect width=\"100%\" height=\"100%\" fill=\"var(--paper)\"/>",
                          palette("svg"), plot_style)
            : std::string();
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" "
        "aria-label=\"{}\"{}>{}\n{}</svg>\n",
        width, height, escaped(figure.title),
        standalone ? fmt::format(" width=\"{:.0f}\" height=\"{:.0f}\"", width, height) : "", head, body);
}

std::vector<std::pair<std::string, std::string>> svg_files(const Page& page) {
    std::vector<std::pair<std::string, std::string>> files;
    for (const Section& section : page.sections)
        for (const Figure& figure : section.figures) {
            std::string drawn = svg(figure, true);
            if (!drawn.empty()) files.emplace_back(figure.key, std::move(drawn));
        }
    return files;
}

}  // namespace xsift::report
