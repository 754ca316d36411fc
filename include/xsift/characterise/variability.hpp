#pragma once
/// @file
/// Short-term variability of one exposure: is the rate constant, by how much is it not, when does it change.

#include <cstddef>
#include <vector>

#include <xsift/data/events.hpp>
#include <xsift/data/results.hpp>

namespace xsift::characterise {

struct VariabilityOptions {
    bool enabled = true;
    double block_p0 = 0.01;  ///< chance that a constant source shows a change in its Bayesian blocks
    int min_counts = 20;     ///< expected counts of a bin of the chi2 test
};

/// A block of constant rate.
struct RateBlock {
    double start = 0.0, stop = 0.0;  ///< s relative to the exposure's time_zero
    double exposure = 0.0;           ///< s of good time
    double counts = 0.0;             ///< counts; of a light curve rate * exposure
    double rate = 0.0, error = 0.0;  ///< count/s, 1 sigma
};

/// Elapsed to good time and back.
class GoodClock {
  public:
    explicit GoodClock(const GoodTimeIntervals& gti);
    /// Good time before t, s.
    double good(double t) const;
    /// The time at which `good` seconds of good time have gone by; at the ends of intervals the earlier
    /// (`later` false: a block ends) or the later (a block begins) of the two.
    double elapsed(double good, bool later) const;
    double exposure() const { return before_.back(); }

  private:
    std::vector<double> start_, stop_,
        before_;  // before_[i]: good time before interval i; one more at the end
};

/// Bayesian blocks of an exposure: of its events, or of the bins of a light curve, joined until a Gaussian
/// describes them (`min_counts` expected in each).
std::vector<RateBlock> rate_blocks(const EventList& events, double p0);
std::vector<RateBlock> rate_blocks(const LightCurve& curve, double p0, int min_counts);

/// Flares among blocks. The quiescent rate is the median over good time of the blocks' rates (half of the
/// good time has this rate or less). A flare is a run of blocks that exceed it by 3 sigma (of both) each.
/// START and STOP are the ends of the run, PEAK the middle of its highest block, RISE = PEAK - START,
/// DURATION = STOP
/// - START, in elapsed time with the gaps.
std::vector<Flare> find_flares(const std::vector<RateBlock>& blocks, const Exposure& exposure);

/// What is found in an exposure; the flares are appended to `flares`.
Variability assess(const EventList& events, const VariabilityOptions& options, std::vector<Flare>& flares);
Variability assess(const LightCurve& curve, const VariabilityOptions& options, std::vector<Flare>& flares);

/// log10 of min(1, k min p) over the k tests of all exposures; NaN without tests.
double combined_log10_p(const std::vector<Variability>& exposures);

}  // namespace xsift::characterise
