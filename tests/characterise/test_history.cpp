// Long-term alerts of STONKS for the XMM Galactic plane survey: amplitudes and types of 114 alert sheets.

#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include <xsift/characterise/history.hpp>
#include <xsift/data/source.hpp>
#include <xsift/io/source_list.hpp>

namespace {

using namespace xsift;
using namespace xsift::characterise;

double number(const std::string& text) {
    return text.empty() ? not_measured : std::stod(text);
}

TEST(History, AlertsOfStonks) {
    const io::CsvTable alerts = io::read_csv(XSIFT_TEST_DATA "/longterm/stonks_alerts.csv");
    const io::CsvTable points = io::read_csv(XSIFT_TEST_DATA "/longterm/stonks_lightcurves.csv");
    const auto in = [](const io::CsvTable& table, const std::vector<std::string>& row, const char* column) {
        return row[static_cast<std::size_t>(table.column(column))];
    };
    struct Curve {
        EarlierFlux now{not_measured, not_measured};
        std::vector<EarlierFlux> earlier;
        bool special = false;  ///< stacked Swift or ROSAT: the catalogue's extremes are not the plotted ones
    };
    std::map<std::string, Curve> curves;
    for (const auto& row : points.rows) {
        Curve& curve = curves[in(points, row, "alert")];
        const EarlierFlux flux{number(in(points, row, "flux_lo")), number(in(points, row, "flux_hi"))};
        const std::string mission = in(points, row, "mission");
        if (mission == "XMM-new")
            curve.now = flux;
        else
            curve.earlier.push_back(flux);
        curve.special |= in(points, row, "kind") == "detection_stacked" || mission.starts_with("ROSAT") ||
                         mission == "XMM-Stacked";
    }
    ASSERT_EQ(alerts.rows.size(), 114u);
    int as_printed = 0;
    for (const auto& row : alerts.rows) {
        const std::string name = in(alerts, row, "alert");
        const Curve& curve = curves.at(name);
        const HistoryVerdict verdict = compare_with_history(curve.now.lo, curve.now.hi, curve.earlier);
        EXPECT_NEAR(verdict.ratio / number(in(alerts, row, "v_recomputed")), 1.0, 0.01) << name;
        std::string type = in(alerts, row, "alert_type");
        std::transform(type.begin(), type.end(), type.begin(),
                       [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
        EXPECT_EQ(verdict.type, type) << name;
        const double printed = number(in(alerts, row, "v_stonks"));  // one decimal
        const bool agrees = std::fabs(verdict.ratio - printed) < 0.06 + 0.025 * printed;
        as_printed += agrees ? 1 : 0;
        EXPECT_TRUE(agrees || curve.special) << name << " " << verdict.ratio << " " << printed;
    }
    EXPECT_GE(as_printed, 105);
}

TEST(History, NothingToCompareWith) {
    EXPECT_TRUE(std::isnan(compare_with_history(1e-14, 2e-14, {}).ratio));
    const EarlierFlux one[]{{1e-15, 2e-15}};
    EXPECT_TRUE(std::isnan(compare_with_history(not_measured, 2e-14, one).ratio));
    const HistoryVerdict steady = compare_with_history(1.5e-15, 2.5e-15, one);
    EXPECT_DOUBLE_EQ(steady.ratio, 0.75);
    EXPECT_EQ(steady.type, "");
    EXPECT_EQ(compare_with_history(1e-14, 2e-14, one, 4.0).type, "high flux state");
    EXPECT_EQ(compare_with_history(1e-14, 2e-14, one, 6.0).type, "");
    const EarlierFlux limit[]{{not_measured, 1e-15}};
    EXPECT_EQ(compare_with_history(1e-14, 2e-14, limit).type, "first detection");
}

TEST(History, BandDivisors) {
    EXPECT_DOUBLE_EQ(band_divisor("XMM-Slew"), 0.999);
    EXPECT_DOUBLE_EQ(band_divisor("ROSAT-RASS"), 0.41);
    EXPECT_TRUE(std::isnan(band_divisor("Einstein")));
}

TEST(History, VariationBetweenObservations) {
    // Two fluxes a factor 2 apart, 10% each: chi2 = ln(2)^2 / (2 (0.1^2 + 0.2^2)), one degree of freedom, for
    // which the tail is erfc(sqrt(chi2/2)).
    const double up = std::exp(0.1);
    const std::vector<EarlierFlux> two{{1e-13 / up, 1e-13 * up}, {2e-13 / up, 2e-13 * up}};
    const double chi2 = std::log(2.0) * std::log(2.0) / 0.1;
    EXPECT_NEAR(probability_of_variation(two), std::erf(std::sqrt(chi2 / 2.0)), 1e-9);
    // Upper limits and detections without a lower end change nothing; one detection is no comparison.
    std::vector<EarlierFlux> more = two;
    more.push_back({not_measured, 1e-15});
    more.push_back({-1e-14, 1e-13});
    EXPECT_EQ(probability_of_variation(more), probability_of_variation(two));
    EXPECT_TRUE(
        std::isnan(probability_of_variation(std::vector<EarlierFlux>{two[0], {not_measured, 1e-15}})));
    EXPECT_NEAR(probability_of_variation(std::vector<EarlierFlux>{two[0], two[0]}), 0.0, 1e-6);
    const std::vector<EarlierFlux> outburst{two[0], {1e-11 / up, 1e-11 * up}};
    EXPECT_GT(probability_of_variation(outburst), 0.9999);
}

}  // namespace
