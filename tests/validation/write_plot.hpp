#pragma once
// Plots of the validation programs as files of their own.

#include <fstream>
#include <string>

#include <xsift/report/svg_plot.hpp>

inline void write_plot(const std::string& path, const xsift::report::SvgPlot& plot,
                       const std::string& title) {
    std::string svg = plot.render(title);
    svg.insert(
        svg.find('>') + 1,
        "<style>svg{background:#fff}text{font:12px sans-serif;fill:#1b2733}.frame{fill:none;stroke:#5c6b7a}"
        ".grid{stroke:#d5dce3;stroke-width:.6}.data{fill:none;stroke:#0b6cb0;stroke-width:1.4}"
        ".line{fill:none;stroke:#c2410c;stroke-width:1.6}</style>");
    if (svg.find("xmlns=") == std::string::npos) svg.insert(4, " xmlns=\"http://www.w3.org/2000/svg\"");
    std::ofstream(path) << svg << '\n';
}
