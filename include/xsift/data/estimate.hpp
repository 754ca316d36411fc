#pragma once
/// @file
/// A value with the ends of its interval.

#include <xsift/data/source.hpp>

namespace xsift {

/// A fitted value with the ends of its interval.
struct Estimate {
    double value = not_measured, lo = not_measured, hi = not_measured;
};

/// What a posterior says about one parameter.
struct Posterior {
    double mean = not_measured, median = not_measured;
    double lo68 = not_measured, hi68 = not_measured;  ///< equal tails, 68.27%
    double lo90 = not_measured, hi90 = not_measured;  ///< equal tails, 90%
};

}  // namespace xsift
