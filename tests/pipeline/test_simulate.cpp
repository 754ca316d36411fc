#include "model_photons.hpp"
#include "test_files.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <gtest/gtest.h>

#include <xsift/core/constants.hpp>
#include <xsift/core/error.hpp>
#include <xsift/io/survey.hpp>
#include <xsift/pipeline/simulate.hpp>
#include <xsift/spectral/model.hpp>

namespace xsift::pipeline {
namespace {

class Simulate : public ::testing::Test {
  protected:
    SimulateOptions options(const std::string& name, std::int64_t sources) const {
        SimulateOptions made;
        made.output = folder_ / name;
        made.sources = sources;
        return made;
    }
    test::TemporaryFolder folder_;
};

std::vector<SourceData> all_sources(const std::string& path) {
    io::SurveyReader reader(path);
    return reader.read(0, reader.size());
}

void expect_equal(const SourceData& a, const SourceData& b) {
    EXPECT_EQ(a.source.id, b.source.id);
    EXPECT_EQ(a.source.ra, b.source.ra);
    ASSERT_EQ(a.events.size(), b.events.size());
    for (std::size_t i = 0; i < a.events.size(); ++i) {
        EXPECT_EQ(a.events[i].time, b.events[i].time);
        EXPECT_EQ(a.events[i].energy, b.events[i].energy);
        EXPECT_EQ(a.events[i].gti.start, b.events[i].gti.start);
        EXPECT_EQ(a.events[i].gti.stop, b.events[i].gti.stop);
    }
    ASSERT_EQ(a.spectra.size(), b.spectra.size());
    for (std::size_t i = 0; i < a.spectra.size(); ++i) {
        EXPECT_EQ(a.spectra[i].counts, b.spectra[i].counts);
        EXPECT_EQ(a.spectra[i].background_counts, b.spectra[i].background_counts);
    }
}

/// Amplitude over mean of the modulation at a frequency: 2 |sum exp(i phase)| / N.
double modulation(const EventList& events, double frequency) {
    double c = 0.0, s = 0.0;
    for (const double t : events.time) {
        c += std::cos(constants::two_pi * frequency * t);
        s += std::sin(constants::two_pi * frequency * t);
    }
    return 2.0 * std::hypot(c, s) / static_cast<double>(events.size());
}

TEST_F(Simulate, TheSameSeedGivesTheSameBytes) {
    for (const char* name : {"a.h5", "b.h5"}) {
        SimulateOptions made = options(name, 10);
        made.spectra = true;
        simulate(made);
    }
    EXPECT_EQ(test::read_file(folder_ / "a.h5"), test::read_file(folder_ / "b.h5"));
    SimulateOptions other = options("c.h5", 10);
    other.spectra = true;
    other.seed = 2;
    simulate(other);
    EXPECT_NE(all_sources(folder_ / "a.h5")[3].events[0].time,
              all_sources(folder_ / "c.h5")[3].events[0].time);
}

TEST_F(Simulate, ASourceDoesNotDependOnTheOthersNorOnSpectra) {
    SimulateOptions few = options("few.h5", 4), many = options("many.h5", 9);
    few.spectra = true;
    many.spectra = true;
    simulate(few);
    simulate(many);
    simulate(options("plain.h5", 4));
    const auto a = all_sources(few.output), b = all_sources(many.output),
               c = all_sources(folder_ / "plain.h5");
    ASSERT_EQ(a.size(), 4u);
    ASSERT_EQ(b.size(), 9u);
    for (std::size_t i = 0; i < 4; ++i) {
        expect_equal(a[i], b[i]);
        EXPECT_EQ(a[i].events[0].time, c[i].events[0].time);
        EXPECT_TRUE(c[i].spectra.empty());
    }
}

TEST_F(Simulate, PhotonsSitInTheMiddleOfGoodFrames) {
    const SimulateOptions made = options("s.h5", 30);
    simulate(made);
    std::size_t with_gaps = 0;
    for (const SourceData& data : all_sources(made.output)) {
        const EventList& events = data.events.at(0);
        ASSERT_GE(events.size(), 20u);
        ASSERT_EQ(events.energy.size(), events.size());
        EXPECT_TRUE(std::is_sorted(events.time.begin(), events.time.end()));
        EXPECT_TRUE(events.exposure.barycentred());
        EXPECT_NEAR(events.gti.exposure(), made.exposure, made.frame_time);
        with_gaps += events.gti.size() > 1 ? 1 : 0;
        for (const double t : events.time) {
            const double frame = t / made.frame_time - 0.5;
            EXPECT_NEAR(frame, std::round(frame), 1e-6);
            bool good = false;
            for (std::size_t k = 0; k < events.gti.size(); ++k)
                good = good || (t > events.gti.start[k] && t < events.gti.stop[k]);
            EXPECT_TRUE(good) << t;
        }
        for (const float e : events.energy) EXPECT_TRUE(e >= 0.3f && e <= 10.0f) << e;
    }
    EXPECT_GT(with_gaps, 10u);
}

TEST_F(Simulate, TruthIsWhatTheEventsShow) {
    SimulateOptions made = options("s.h5", 200);
    made.mean_counts = 2000.0;
    simulate(made);
    const auto sources = all_sources(made.output);
    const auto truth = io::SurveyReader(made.output).truth();
    ASSERT_EQ(truth.size(), sources.size());
    double counts = 0.0, pull_sum = 0.0;
    int pulsed = 0;
    for (std::size_t i = 0; i < sources.size(); ++i) {
        const EventList& events = sources[i].events.at(0);
        EXPECT_EQ(truth[i].source_id, sources[i].source.id);
        counts += static_cast<double>(events.size());
        if (truth[i].frequency == 0.0) {
            EXPECT_EQ(truth[i].pulsed_fraction, 0.0);
            EXPECT_LT(modulation(events, 0.01) * std::sqrt(static_cast<double>(events.size())), 10.0);
            continue;
        }
        ++pulsed;
        EXPECT_GE(truth[i].frequency, 1e-4);
        EXPECT_LE(truth[i].frequency, 0.5 / made.frame_time / 1.2);
        // Frames average the modulation over their length; gaps and noise leave a scatter of sqrt(2/N).
        const double x = constants::pi * truth[i].frequency * made.frame_time;
        const double expected = truth[i].pulsed_fraction * std::sin(x) / x;
        const double sigma = std::sqrt(2.0 / static_cast<double>(events.size()));
        const double pull = (modulation(events, truth[i].frequency) - expected) / sigma;
        EXPECT_LT(std::fabs(pull), 5.0) << truth[i].source_id << ' ' << truth[i].frequency;
        pull_sum += pull;
    }
    EXPECT_NEAR(pulsed, 60, 4 * std::sqrt(200 * 0.3 * 0.7));
    EXPECT_LT(std::fabs(pull_sum), 4.0 * std::sqrt(pulsed));
    EXPECT_NEAR(counts / 200.0, 2000.0, 4.0 * 2000.0 * std::sqrt(std::expm1(0.64) / 200.0));
}

TEST_F(Simulate, EnergiesFollowThePowerLaw) {
    SimulateOptions made = options("s.h5", 5);
    made.mean_counts = 20000.0;
    made.spectra = true;  // the truth holds the index
    simulate(made);
    const auto sources = all_sources(made.output);
    const auto truth = io::SurveyReader(made.output).truth();
    for (std::size_t i = 0; i < sources.size(); ++i) {
        const auto& energy = sources[i].events.at(0).energy;
        // The mean of ln E under E^-index in [0.3, 10] by numerical integration over ln E.
        double weight = 0.0, mean = 0.0, square = 0.0;
        constexpr int steps = 20000;
        for (int k = 0; k < steps; ++k) {
            const double log_e = std::log(0.3) + std::log(10.0 / 0.3) * (k + 0.5) / steps;
            const double w = std::exp((1.0 - truth[i].parameter) * log_e);
            weight += w;
            mean += w * log_e;
            square += w * log_e * log_e;
        }
        mean /= weight;
        const double sigma = std::sqrt((square / weight - mean * mean) / static_cast<double>(energy.size()));
        double observed = 0.0;
        for (const float e : energy)
            observed += std::log(static_cast<double>(e)) / static_cast<double>(energy.size());
        EXPECT_NEAR(observed, mean, 4.5 * sigma);
    }
}

/// Expected source counts of a channel range by a slow sum over every element of the response.
double expected_counts(const Spectrum& spectrum, const io::TruthRow& truth, std::size_t first,
                       std::size_t last) {
    const Response& r = *spectrum.response;
    const std::vector<double> photons = test::photons("tbabs*powerlaw", truth.nh, truth.parameter,
                                                      spectral::Abundance::wilm, r.energy_lo, r.energy_hi);
    double sum = 0.0;
    for (std::size_t i = 0; i < r.n_energies(); ++i)
        for (std::int64_t g = r.row_group[i]; g < r.row_group[i + 1]; ++g)
            for (std::size_t c = first; c < last; ++c) {
                const auto k = static_cast<std::int64_t>(c) - r.group_first[g];
                if (k < 0 || k >= r.group_count[g]) continue;
                sum += photons[i] * spectrum.effective_area[i] *
                       static_cast<double>(r.value[r.group_value[g] + k]);
            }
    return sum * truth.norm * spectrum.exposure.livetime;
}

TEST_F(Simulate, SpectraFollowTheFoldedTruth) {
    SimulateOptions made = options("s.h5", 40);
    made.mean_counts = 3000.0;
    made.spectra = true;
    simulate(made);
    const auto sources = all_sources(made.output);
    const auto truth = io::SurveyReader(made.output).truth();
    double chi2 = 0.0;
    int bands = 0;
    for (std::size_t i = 0; i < sources.size(); ++i) {
        const Spectrum& spectrum = sources[i].spectra.at(0);
        EXPECT_EQ(truth[i].model, "tbabs*powerlaw");
        ASSERT_EQ(spectrum.counts.size(), 256u);
        EXPECT_EQ(spectrum.response, sources[0].spectra.at(0).response) << "responses are shared";
        for (std::size_t band = 0; band < 256; band += 64) {
            double counts = 0.0, background = 0.0;
            for (std::size_t c = band; c < band + 64; ++c) {
                counts += spectrum.counts[c];
                background += spectrum.background_counts[c] / spectrum.background_back_scale;
            }
            const double expected = expected_counts(spectrum, truth[i], band, band + 64);
            const double variance = expected + background + background / spectrum.background_back_scale + 1.0;
            chi2 += (counts - background - expected) * (counts - background - expected) / variance;
            ++bands;
        }
    }
    EXPECT_NEAR(chi2, bands, 5.0 * std::sqrt(2.0 * bands));
}

TEST_F(Simulate, TheResponseKeepsItsPhotons) {
    SimulateOptions made = options("s.h5", 1);
    made.spectra = true;
    simulate(made);
    const Spectrum spectrum = all_sources(made.output).at(0).spectra.at(0);
    const Response& r = *spectrum.response;
    ASSERT_EQ(spectrum.effective_area.size(), r.n_energies());
    for (std::size_t i = 0; i < r.n_energies(); ++i) {
        double sum = 0.0;
        for (std::int64_t g = r.row_group[i]; g < r.row_group[i + 1]; ++g)
            for (std::int32_t k = 0; k < r.group_count[g]; ++k)
                sum += static_cast<double>(r.value[r.group_value[g] + k]);
        EXPECT_NEAR(sum, 1.0, 1e-4) << r.energy_lo[i];
    }
}

TEST_F(Simulate, UnusableOptionsAreUsageErrors) {
    const auto code = [&](auto change) {
        SimulateOptions made = options("bad.h5", 1);
        change(made);
        try {
            simulate(made);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage);
            return error.code();
        }
        return std::string("no error");
    };
    EXPECT_EQ(code([](SimulateOptions& o) { o.sources = -1; }), "SIMULATE_OPTIONS");
    EXPECT_EQ(code([](SimulateOptions& o) { o.mean_counts = 0.0; }), "SIMULATE_OPTIONS");
    EXPECT_EQ(code([](SimulateOptions& o) { o.exposure = not_measured; }), "SIMULATE_OPTIONS");
    EXPECT_EQ(code([](SimulateOptions& o) { o.frame_time = 0.0; }), "SIMULATE_OPTIONS");
    EXPECT_EQ(code([](SimulateOptions& o) { o.pulsed_share = 1.5; }), "SIMULATE_OPTIONS");
    EXPECT_EQ(code([](SimulateOptions& o) { o.output = "/nowhere/at/all.h5"; }), "UNWRITABLE");
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

}  // namespace
}  // namespace xsift::pipeline
