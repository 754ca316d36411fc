#pragma once
/// @file
/// Simulated surveys with injected truth, for tests and benchmarks.

#include <cstdint>
#include <string>

namespace xsift::pipeline {

struct SimulateOptions {
    std::string output;  ///< survey.h5
    std::int64_t sources = 100;
    std::uint64_t seed = 1;
    double mean_counts = 300.0;    ///< photons a source, log-normal around this
    double exposure = 40000.0;     ///< s
    double frame_time = 0.073365;  ///< s
    double pulsed_share = 0.3;     ///< share of sources with an injected period
    bool spectra = false;  ///< also one pn-like spectrum a source (a built-in, small, synthetic response)
    bool compress = true;
};

/// Writes a survey whose /truth holds what was injected. The same seed gives the same bytes; source i does
/// not depend on the number of sources.
void simulate(const SimulateOptions& options);

}  // namespace xsift::pipeline
