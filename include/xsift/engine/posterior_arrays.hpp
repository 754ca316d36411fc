#pragma once
/// @file
/// What a backend makes of a posterior task before it computes.

#include <xsift/engine/grid_likelihood.hpp>
#include <xsift/spectral/posterior_integral.hpp>

namespace xsift::engine {

/// A posterior task as pointers to its own arrays.
spectral::PosteriorData posterior_data(const PosteriorTask& task);

}  // namespace xsift::engine
