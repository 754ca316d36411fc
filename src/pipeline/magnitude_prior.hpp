#pragma once
/// @file
/// Priors of magnitudes for the match with counterparts.

#include <string>

#include <xsift/characterise/counterparts.hpp>

namespace xsift::pipeline {

/// A prior as NWAY writes it: a table of lo, hi (bins of the magnitude that follow each other), selected,
/// others (densities of counterparts and of all other objects).
/// @throws Error (usage, "BAD_SETTING") for anything else, and what read_table throws.
characterise::MagnitudePrior read_magnitude_prior(const std::string& path);

}  // namespace xsift::pipeline
