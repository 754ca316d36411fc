#pragma once
// Plots of the validation programs as files of their own.

#include <fstream>
#include <string>
#include <vector>

#include <xsift/report/writers.hpp>

/// Points with errors, and a line to compare them with.
struct ComparedPlot {
    std::string title, x_label, y_label;
    std::vector<double> x, y, error, line_x, line_y;
};

inline void write_plot(const std::string& path, const ComparedPlot& plot) {
    xsift::report::Series points, line;
    points.x = plot.x;
    points.y = plot.y;
    for (std::size_t i = 0; i < plot.y.size(); ++i) {
        points.y_lo.push_back(plot.y[i] - plot.error[i]);
        points.y_hi.push_back(plot.y[i] + plot.error[i]);
    }
    line.kind = xsift::report::Series::Kind::line;
    line.tone = 1;
    line.x = plot.line_x;
    line.y = plot.line_y;
    xsift::report::Figure figure;
    figure.title = plot.title;
    figure.x.label = plot.x_label;
    xsift::report::Panel panel;
    panel.y.label = plot.y_label;
    panel.series = {points, line};
    figure.panels = {panel};
    std::ofstream(path) << xsift::report::svg(figure, true) << '\n';
}
