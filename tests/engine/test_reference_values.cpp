// Statistics against values that scripts/make-timing-references.py computed with formulas of its own, in
// extended precision.
#include <cmath>

#include <gtest/gtest.h>
#include <reference_values.hpp>

#include <xsift/engine/factory.hpp>
#include <xsift/engine/oracle_search.hpp>

namespace xsift::engine {
namespace {

using Kind = timing::Statistic::Kind;
using test::ReferenceTable;

constexpr int most_harmonics = 20;

class WeightedPhotons : public ::testing::Test {
  protected:
    ReferenceTable photons{"timing/weighted_photons.csv"}, values{"timing/weighted_statistics.csv"};
    std::vector<float> weight;

    void SetUp() override {
        for (const double w : photons["weight"]) weight.push_back(static_cast<float>(w));
        ASSERT_EQ(weight.size(), 1500u);
        ASSERT_GE(values.rows(), 12u);
    }
    /// All of Z2_1 .. Z2_20 and H at one frequency.
    EventTask task_of(std::size_t row) const {
        EventTask task;
        task.time = photons["time_s"];
        if (values["weighted"][row] == 1.0) task.weight = weight;
        task.grid = {values["frequency_hz"][row], 1, 1};
        for (int n = 1; n <= most_harmonics; ++n) task.statistics.push_back({Kind::z2, n});
        task.statistics.push_back({Kind::h, most_harmonics});
        return task;
    }
    double expected(std::size_t row, std::size_t statistic) const {
        return statistic < most_harmonics ? values["z2_" + std::to_string(statistic + 1)][row]
                                          : values["h"][row];
    }
};

TEST_F(WeightedPhotons, OracleEqualsTheReferenceForUpToTwentyHarmonics) {
    int compared = 0;
    for (std::size_t row = 0; row < values.rows(); ++row) {
        if (values["fdot_hz_s"][row] != 0.0) continue;
        const auto found = oracle_periodograms(task_of(row));
        for (std::size_t s = 0; s < found.size(); ++s, ++compared)
            EXPECT_NEAR(found[s].at(0), expected(row, s), 1e-9 * std::max(1.0, expected(row, s)))
                << "row " << row << " statistic " << s;
    }
    EXPECT_GE(compared, 2 * 2 * 21);
}

TEST_F(WeightedPhotons, SearchFindsTheReferenceValues) {
    ThreadPool pool(1);
    const Engines engines = make_cpu_engines(pool);
    for (std::size_t row = 0; row < values.rows(); ++row) {
        if (values["fdot_hz_s"][row] != 0.0) continue;
        const EventTask task = task_of(row);
        const auto found = engines.search->search(std::span(&task, 1)).at(0).statistics;
        ASSERT_EQ(found.size(), 21u);
        for (std::size_t s = 0; s < found.size(); ++s) {
            ASSERT_EQ(found[s].peaks.size(), 1u);
            EXPECT_NEAR(found[s].peaks[0].value, expected(row, s),
                        2e-3 * std::max(1.0, 0.01 * expected(row, s)));
        }
        EXPECT_EQ(found[20].peaks[0].harmonics, values["h_m"][row]);
    }
}

/// astropy's LombScargle with floating mean and errors, nterms 1 to 10, in its four normalisations.
TEST(LombScargleReference, OracleEqualsAstropy) {
    const ReferenceTable curve("timing/lomb_scargle_curve.csv"), values("timing/lomb_scargle_powers.csv");
    std::vector<double> weight;
    double sum_w = 0.0, mean = 0.0, chi2 = 0.0;
    for (std::size_t j = 0; j < curve.rows(); ++j) {
        weight.push_back(1.0 / (curve["error"][j] * curve["error"][j]));
        sum_w += weight.back();
        mean += weight.back() * curve["value"][j];
    }
    mean /= sum_w;
    for (std::size_t j = 0; j < curve.rows(); ++j) chi2 += weight[j] * std::pow(curve["value"][j] - mean, 2);
    ASSERT_EQ(values.rows(), 30u);
    ThreadPool pool(1);
    const Engines engines = make_cpu_engines(pool);
    for (std::size_t row = 0; row < values.rows(); ++row) {
        LightCurveTask task{curve["time_s"], curve["value"], weight, {values["frequency_hz"][row], 1, 1}};
        task.terms = {static_cast<int>(values["terms"][row])};
        const double z = oracle_periodogram(task).at(0);
        using timing::LombScargleNormalisation;
        const std::pair<const char*, LombScargleNormalisation> normalisations[] = {
            {"standard", LombScargleNormalisation::standard},
            {"model", LombScargleNormalisation::model},
            {"log", LombScargleNormalisation::log},
            {"psd", LombScargleNormalisation::psd}};
        for (const auto& [name, kind] : normalisations) {
            const double expected = values[name][row];
            EXPECT_NEAR(timing::normalised_power(z, kind, chi2), expected, 1e-9 * std::max(1.0, expected))
                << name << ", row " << row;
        }
        const auto screened = engines.search->search(std::span(&task, 1)).at(0).statistics.at(0).peaks.at(0);
        EXPECT_NEAR(screened.value, z, 2e-5);
        EXPECT_EQ(screened.harmonics, task.terms[0]);
    }
}

}  // namespace
}  // namespace xsift::engine
