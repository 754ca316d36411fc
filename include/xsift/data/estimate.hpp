#pragma once
/// @file
/// A value with the ends of its interval.

#include <xsift/data/source.hpp>

namespace xsift {

/// A fitted value with the ends of its interval.
struct Estimate {
    double value = not_measured, lo = not_measured, hi = not_measured;
};

}  // namespace xsift
