// The bodies of the kernels of composite searches, run on the host over more trials than a block holds.
#include "search_tasks.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <reference_values.hpp>

#include <xsift/engine/composite_kernel.hpp>
#include <xsift/engine/composite_search.hpp>

namespace xsift::engine {
namespace {

using Kind = timing::Statistic::Kind;

constexpr std::int64_t trials = 2 * 256 + 17;

/// As the CUDA engine launches them: members one after the other into the same values.
std::vector<float> run_bodies(const CompositeTask& task, std::int64_t drift) {
    std::vector<float> value(task.statistics.size() * static_cast<std::size_t>(task.grid.count), 0.0f);
    for (const CompositeMember& member : task.members) {
        const DriftedMember drifted(member, task, drift);
        const MemberSums sums(member);
        CompositePass pass;
        pass.step = drifted.step.data();
        pass.offset = drifted.offset.empty() ? nullptr : drifted.offset.data();
        pass.weight = member.weight.empty() ? nullptr : member.weight.data();
        pass.n_photons = static_cast<std::int64_t>(member.time.size());
        pass.first = task.grid.first;
        pass.count = task.grid.count;
        pass.df = task.grid.df;
        pass.harmonic_fmax = member.harmonic_fmax;
        pass.drift = task.drift;
        pass.drift_trial = drift;
        pass.sum_w = sums.w;
        pass.sum_w2 = sums.w2;
        pass.window_fmax = sums.window_fmax;
        pass.gti_start = member.gti_start.data();
        pass.gti_stop = member.gti_stop.data();
        pass.gti_rate = member.gti_rate.empty() ? nullptr : member.gti_rate.data();
        pass.n_gti = static_cast<int>(member.gti_start.size());
        pass.harmonics = max_harmonics(task);
        pass.n_statistics = static_cast<int>(task.statistics.size());
        for (std::size_t s = 0; s < task.statistics.size(); ++s) {
            pass.statistic_size[s] = task.statistics[s].harmonics;
            pass.statistic_folds[s] = task.statistics[s].kind == Kind::ef;
        }
        pass.value = value.data();
        for (std::int64_t i = 0; i < pass.count; ++i) {
            composite_trial(pass, i);
            fold_trial(pass, i);
        }
    }
    return value;
}

TEST(CompositeKernel, AgreesWithTheOracle) {
    EventList a = test::photons(300, 3e4, 0.01, 0.7, 1), b = test::photons(200, 3e4, 0.01, 0.7, 2);
    RandomStream random(3, 0);
    for (std::size_t i = 0; i < b.size(); ++i) b.weight.push_back(static_cast<float>(random.uniform()));
    const std::vector<double> rate{2.0, 1.0};
    CompositeTask task;
    for (const EventList* list : {&a, &b}) {
        CompositeMember member;
        member.time = list->time;
        member.weight = list->weight;
        member.gti_start = list->gti.start;
        member.gti_stop = list->gti.stop;
        task.members.push_back(member);
    }
    task.members[1].gti_rate = rate;
    task.members[1].harmonic_fmax = 0.006;
    task.grid = {1.0 / 12e4, 3, trials};
    task.statistics = {{Kind::z2, 1}, {Kind::ef, 16}, {Kind::z2, 4}, {Kind::ef, 9}};
    for (const timing::DriftGrid& drift : {timing::DriftGrid{2e-9, 1, false}, {50.0, 1, true}}) {
        task.drift = drift;
        const auto truth = oracle_periodograms(task);
        for (std::int64_t d = 0; d < 3; ++d) {
            const std::vector<float> value = run_bodies(task, d);
            for (std::size_t s = 0; s < truth.size(); ++s)
                for (std::int64_t i = 0; i < trials; ++i) {
                    const double exact = truth[s][static_cast<std::size_t>(d * trials + i)];
                    ASSERT_NEAR(static_cast<double>(value[s * trials + static_cast<std::size_t>(i)]), exact,
                                3e-4 * std::max(1.0, exact))
                        << "statistic " << s << " drift " << d << " trial " << i;
                }
        }
    }
}

/// Against formulas of their own in extended precision (scripts/make-timing-references.py).
class CompositeReference : public ::testing::Test {
  protected:
    test::ReferenceTable photons{"timing/weighted_photons.csv"};
    std::vector<float> weight;
    const std::vector<double> start{-20000.0, 1000.0}, stop{-3000.0, 20000.0};

    void SetUp() override {
        for (const double w : photons["weight"]) weight.push_back(static_cast<float>(w));
    }
    CompositeTask task_at(double frequency, bool weighted) const {
        CompositeMember member;
        member.time = photons["time_s"];
        if (weighted) member.weight = weight;
        CompositeTask task;
        task.members = {member};
        task.grid = {frequency, 1, 1};
        return task;
    }
};

TEST_F(CompositeReference, Z2WithFrequencyDerivative) {
    const test::ReferenceTable values("timing/weighted_statistics.csv");
    int drifting = 0;
    for (std::size_t row = 0; row < values.rows(); ++row) {
        CompositeTask task = task_at(values["frequency_hz"][row], values["weighted"][row] == 1.0);
        const double fdot = values["fdot_hz_s"][row];
        task.drift = {fdot, fdot != 0.0 ? 1 : 0, false};  // trials -fdot, 0, fdot
        drifting += fdot != 0.0;
        for (int n = 1; n <= 20; ++n) task.statistics.push_back({Kind::z2, n});
        const auto found = oracle_periodograms(task);
        for (int n = 1; n <= 20; ++n) {
            const double expected = values["z2_" + std::to_string(n)][row];
            EXPECT_NEAR(found[static_cast<std::size_t>(n - 1)].back(), expected,
                        1e-9 * std::max(1.0, expected));
        }
    }
    EXPECT_GE(drifting, 8);
}

TEST_F(CompositeReference, EpochFoldingWithExposures) {
    const test::ReferenceTable values("timing/epoch_folding.csv");
    ASSERT_EQ(values.rows(), 30u);
    for (std::size_t row = 0; row < values.rows(); ++row) {
        const double f = values["frequency_hz"][row];
        const int bins = static_cast<int>(values["bins"][row]);
        // The formula itself, exposures at any frequency.
        timing::FoldedProfile<double> profile;
        std::vector<double> share(static_cast<std::size_t>(bins));
        for (std::size_t j = 0; j < photons.rows(); ++j)
            profile.add(timing::phase_bin(timing::fixed_phase(f, photons["time_s"][j]), bins),
                        values["weighted"][row] == 1.0 ? static_cast<double>(weight[j]) : 1.0);
        for (std::size_t g = 0; g < start.size(); ++g)
            timing::add_phase_exposure(f * start[g], f * stop[g], 1.0, bins, share.data());
        const timing::FoldedChi2 exact = timing::folded_chi2(profile, share.data(), bins);
        EXPECT_NEAR(exact.chi2, values["chi2"][row], 1e-9 * values["chi2"][row]) << row;
        EXPECT_EQ(exact.dof, values["dof"][row]);
        // The search, which takes equal exposures where they hardly differ.
        CompositeTask task = task_at(f, values["weighted"][row] == 1.0);
        task.members[0].gti_start = start;
        task.members[0].gti_stop = stop;
        task.statistics = {{Kind::ef, bins}};
        EXPECT_NEAR(oracle_periodograms(task)[0][0], values["chi2"][row],
                    0.03 * std::sqrt(values["chi2"][row]))
            << row;
    }
}

}  // namespace
}  // namespace xsift::engine
