// Figures as SVG: within their size, maxima kept, nothing written over another text.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <regex>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <xsift/report/writers.hpp>

namespace {

using namespace xsift;
using namespace xsift::report;
using testing::HasSubstr;
using testing::Not;

Figure figure_of(Series series) {
    Figure figure;
    figure.key = "test";
    figure.title = "a <title>";
    figure.x.label = "x, s";
    Panel panel;
    panel.y.label = "y, count/s";
    panel.series = {std::move(series)};
    figure.panels = {std::move(panel)};
    return figure;
}

/// Pixels of M and L commands of paths of a class.
std::vector<std::pair<double, double>> vertices(const std::string& svg, const std::string& css) {
    std::vector<std::pair<double, double>> all;
    const std::string begin = "<path class=\"" + css;
    for (std::size_t at = svg.find(begin); at != std::string::npos; at = svg.find(begin, at + 1)) {
        const std::size_t first = svg.find(" d=\"", at) + 4, last = svg.find('"', first);
        for (std::size_t i = first; i < last; ++i) {
            if (svg[i] != 'M' && svg[i] != 'L') continue;
            char* end = nullptr;
            const double x = std::strtod(svg.c_str() + i + 1, &end);
            all.emplace_back(x, std::strtod(end, nullptr));
        }
    }
    return all;
}

TEST(Plot, HasItsAxesWithUnitsAndStaysInItsSize) {
    Series points;
    points.x = {1, 2, 3, std::nan("")};
    points.y = {10, 1e6, -5, 3};
    points.y_lo = {9, 0.9e6, -6, 2};
    points.y_hi = {11, 1.1e6, -4, 4};
    const std::string drawn = svg(figure_of(points), false);
    EXPECT_THAT(drawn, HasSubstr(">x, s</text>"));
    EXPECT_THAT(drawn, HasSubstr(">y, count/s</text>"));
    EXPECT_THAT(drawn, HasSubstr("aria-label=\"a &lt;title&gt;\""));
    EXPECT_THAT(drawn, Not(HasSubstr("nan")));
    EXPECT_THAT(drawn, Not(HasSubstr("inf")));
    ASSERT_FALSE(vertices(drawn, "data").empty());
    for (const auto& [x, y] : vertices(drawn, "data")) {
        EXPECT_GE(x, 0.0);
        EXPECT_LE(x, 460.0);
        EXPECT_GE(y, 0.0);
        EXPECT_LE(y, 300.0);
    }
}

TEST(Plot, IsEmptyWithoutFiniteData) {
    Series points;
    points.x = {1, 2};
    points.y = {0.0, -1.0};
    Figure figure = figure_of(points);
    figure.panels[0].y.logarithmic = true;
    EXPECT_EQ(svg(figure, true), "");
    EXPECT_EQ(svg(Figure{}, true), "");
}

TEST(Plot, ManyPointsBecomeFewAndTheMaximumStays) {
    Series line;
    line.kind = Series::Kind::line;
    for (int i = 0; i < 200000; ++i) {
        line.x.push_back(i);
        line.y.push_back(std::sin(i * 0.1));
    }
    line.y[123456] = 50.0;
    line.y[77777] = -50.0;
    const std::string drawn = svg(figure_of(line), false);
    EXPECT_LT(drawn.size(), 30000u);
    double top = 1e9, bottom = 0.0;
    for (const auto& [x, y] : vertices(drawn, "line")) {
        top = std::min(top, y);
        bottom = std::max(bottom, y);
    }
    // Of a frame 200 px high with 4 % of room at both ends.
    EXPECT_NEAR(bottom - top, 200.0 / 1.08, 0.5);
}

TEST(Plot, AMissingValueInterruptsALine) {
    Series line;
    line.kind = Series::Kind::line;
    line.x = {0, 1, not_measured, 2, 3};
    line.y = {0, 1, not_measured, 1, 0};
    const std::string drawn = svg(figure_of(line), false);
    const std::size_t at = drawn.find("class=\"line t0\" d=\"");
    ASSERT_NE(at, std::string::npos);
    const std::string path = drawn.substr(at, drawn.find("\"/>", at) - at);
    EXPECT_EQ(std::count(path.begin(), path.end(), 'M'), 2);
}

TEST(Plot, LogarithmicTicksAreRoundAndLabelsDoNotOverlap) {
    Series line;
    line.kind = Series::Kind::line;
    line.x = {1e-5, 100.0};
    line.y = {1, 2};
    Figure figure = figure_of(line);
    figure.x.logarithmic = true;
    const std::string drawn = svg(figure, false);
    EXPECT_THAT(drawn, HasSubstr(">10⁻⁴</text>"));
    const std::regex text("<text x=\"([\\d.]+)\" y=\"([\\d.]+)\" text-anchor=\"middle\">([^<]*)<");
    double last = -100.0;
    int labels = 0;
    for (std::sregex_iterator t(drawn.begin(), drawn.end(), text), end; t != end; ++t) {
        if ((*t)[3] == "x, s") continue;
        EXPECT_GT(std::stod((*t)[1]) - last, 20.0);
        last = std::stod((*t)[1]);
        ++labels;
    }
    EXPECT_GE(labels, 3);
}

TEST(Plot, NamesAtPointsAreNotWrittenOverEachOther) {
    Series points;
    points.x = {1.0, 5.0, 5.001, 5.002, 9.0};
    points.y = {1.0, 5.0, 5.001, 5.002, 9.0};
    points.names = {"", "first name", "second name", "third", ""};
    const std::string drawn = svg(figure_of(points), false);
    struct Box {
        double x, y, w;
    };
    std::vector<Box> boxes;
    const std::regex note(
        "class=\"note[^\"]*\" x=\"([\\d.]+)\" y=\"([\\d.]+)\" text-anchor=\"start\">([^<]*)<");
    for (std::sregex_iterator n(drawn.begin(), drawn.end(), note), end; n != end; ++n)
        boxes.push_back(
            {std::stod((*n)[1]), std::stod((*n)[2]), 6.0 * static_cast<double>((*n)[3].length())});
    ASSERT_EQ(boxes.size(), 3u);
    for (std::size_t i = 0; i < boxes.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            EXPECT_TRUE(std::fabs(boxes[i].y - boxes[j].y) >= 12.0 || boxes[i].x + boxes[i].w <= boxes[j].x ||
                        boxes[j].x + boxes[j].w <= boxes[i].x);
}

TEST(Plot, ASquareFigureHasOneScale) {
    Series rings;
    rings.kind = Series::Kind::circles;
    rings.x = {0.0};
    rings.y = {0.0};
    rings.x_hi = {10.0};
    Figure figure = figure_of(rings);
    figure.square = true;
    figure.x.reversed = true;
    Series dots;
    dots.x = {8.0, -8.0, 0.0};
    dots.y = {0.0, 0.0, 8.0};
    figure.panels[0].series.push_back(dots);
    const std::string drawn = svg(figure, false);
    std::vector<std::pair<double, double>> at;
    const std::regex dot("class=\"dot t0\" cx=\"([\\d.]+)\" cy=\"([\\d.]+)\"");
    for (std::sregex_iterator n(drawn.begin(), drawn.end(), dot), end; n != end; ++n)
        at.emplace_back(std::stod((*n)[1]), std::stod((*n)[2]));
    ASSERT_EQ(at.size(), 3u);
    EXPECT_LT(at[0].first, at[1].first) << "east is to the left";
    EXPECT_NEAR(at[1].first - at[0].first, 2.0 * (at[0].second - at[2].second), 0.4);
}

}  // namespace
