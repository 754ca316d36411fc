// Dossiers: everything from files is escaped, what was offered and vetoed is said, plots are drawn within
// their frame.

#include <cmath>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <xsift/report/dossier.hpp>
#include <xsift/report/svg_plot.hpp>

namespace {

using namespace xsift;
using testing::HasSubstr;
using testing::Not;

SourceData pulsar() {
    SourceData data;
    data.source.id = "id<1>";
    data.source.name = "<script>alert(1)</script>";
    EventList events;
    events.exposure.file = "a&b.fits";
    for (int i = 0; i < 4000; ++i) {
        const double t = i * 0.25;
        // A square wave of 10 s, on for half of the time.
        if (std::fmod(t, 10.0) < 5.0) events.time.push_back(t);
    }
    events.gti = {{0.0}, {1000.0}};
    data.events = {events};
    return data;
}

SourceResult result_of(const SourceData& data) {
    SourceResult result;
    result.source = data.source;
    result.n_exposures = 1;
    result.status = "ok";
    PeriodCandidate offered, vetoed;
    offered.exposure = vetoed.exposure = "a&b.fits";
    offered.method = vetoed.method = "Z2";
    offered.n_harmonics = vetoed.n_harmonics = 1;
    offered.frequency = 0.1;
    offered.period = 10.0;
    offered.log10_fap = -50.0;
    vetoed.frequency = 13.63;
    vetoed.period = 1.0 / 13.63;
    vetoed.log10_fap = -100.0;
    vetoed.veto = veto_frame_alias;
    result.candidates = {vetoed, offered};
    result.best_period = 1;
    result.flags = source_vetoed_stronger;
    return result;
}

TEST(Dossier, EscapesAndSaysWhatWasOfferedAndVetoed) {
    const SourceData data = pulsar();
    const std::string html = report::dossier(data, result_of(data), {});
    EXPECT_THAT(html, Not(HasSubstr("<script")));
    EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(1)"));
    EXPECT_THAT(html, HasSubstr("a&amp;b.fits"));
    EXPECT_THAT(html, Not(HasSubstr("a&b.fits")));
    EXPECT_THAT(html, HasSubstr("FRAME_ALIAS"));
    EXPECT_THAT(html, HasSubstr("A stronger candidate was vetoed"));
    EXPECT_THAT(html, HasSubstr("Folded profile"));
    EXPECT_THAT(html, HasSubstr("Light curve"));
    EXPECT_THAT(html, Not(HasSubstr("nan")));
    EXPECT_THAT(html, Not(HasSubstr("inf,")));
}

TEST(Dossier, SaysWhyInputsWereNotUsed) {
    SourceData data;
    SourceResult result;
    result.source.id = "s";
    result.status = "partial";
    result.quarantine = {{"s", "x<y>.fits", "ingest", "NO_RESPONSE", "no response \"m1.rmf\""}};
    const std::string html = report::dossier(data, result, {});
    EXPECT_THAT(html, HasSubstr("x&lt;y&gt;.fits"));
    EXPECT_THAT(html, HasSubstr("NO_RESPONSE"));
    EXPECT_THAT(html, HasSubstr("no response &quot;m1.rmf&quot;"));
}

TEST(SvgPlot, DrawsWithinItsFrame) {
    report::SvgPlot plot("x, s", "y, count/s");
    plot.points({1, 2, 3, std::nan("")}, {10, 1e6, -5, 3}, {1, 1, 1, 1});
    plot.line({1, 3}, {0, 5});
    const std::string svg = plot.render("a plot");
    EXPECT_THAT(svg, HasSubstr("x, s"));
    EXPECT_THAT(svg, HasSubstr("aria-label=\"a plot\""));
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    for (std::size_t at = svg.find("d=\"M"); at != std::string::npos; at = svg.find("d=\"M", at + 1)) {
        const double x = std::strtod(svg.c_str() + at + 4, nullptr);
        EXPECT_GE(x, 0.0);
        EXPECT_LE(x, 640.0);
    }
}

TEST(SvgPlot, IsEmptyWithoutFiniteData) {
    report::SvgPlot plot("x", "y");
    plot.logarithmic_y();
    plot.points({1, 2}, {0.0, -1.0});
    EXPECT_EQ(plot.render("nothing"), "");
}

}  // namespace
