#pragma once
/// @file
/// What a run computes. Everything here decides the catalogue's content, so its text travels inside the
/// catalogue; how the work is done (backend, threads, shards) does not belong here.

#include <functional>
#include <string>
#include <vector>

#include <xsift/characterise/variability.hpp>
#include <xsift/spectral/options.hpp>
#include <xsift/timing/search.hpp>

namespace xsift::pipeline {

struct RunConfiguration {
    bool search_periods = true;
    bool fit_spectra = true;
    timing::SearchOptions search;
    spectral::FitOptions spectra;
    characterise::VariabilityOptions variability;
};

/// One setting: its TOML section and key, its command-line flag, and how it is read and printed.
struct Setting {
    std::string section, key, flag, description;
    std::function<std::string()> toml;                         ///< the present value as a TOML literal
    std::function<void(const std::vector<std::string>&)> set;  ///< @throws Error (usage)
};

/// All settings bound to a configuration (which must outlive them). The one place where a setting is
/// declared.
std::vector<Setting> settings_of(RunConfiguration& configuration);

/// The resolved configuration as TOML: every setting with its value, in a fixed order.
std::string to_toml(RunConfiguration configuration);

}  // namespace xsift::pipeline
