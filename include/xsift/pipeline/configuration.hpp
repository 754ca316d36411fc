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

/// Steps of the characterisation and their tables.
struct CharacterOptions {
    bool galactic_column = true;
    std::string column_map;  ///< HEALPix map, cm^-2; empty: the embedded one
    std::string nh_column;   ///< column of the source list instead of a map, 1e22 cm^-2
    std::string parallax_column, parallax_error_column, g_column;  ///< columns of the source list; mas, mag
    std::vector<std::string> counterparts;                         ///< FILE;name=N;area=DEG2;... a catalogue
    std::string position_major, position_minor,
        position_angle;                  ///< columns of the source list: error ellipses
    double position_scale = 1.0;         ///< from those columns to 1 sigma
    double counterpart_threshold = 0.5;  ///< P_ANY P_I from which a counterpart lends its properties
    double xray_epoch = not_measured;    ///< yr; NaN: no proper motion is applied
    std::string history;                 ///< CSV of earlier fluxes
    bool history_convert = false;        ///< from catalogue bands to 0.2-12 keV
    double history_threshold = 5.0;
    double parallax_zero_point = 0.0;  ///< mas
    double distance_scale = 1350.0;    ///< pc
    double optical_zero = 1.013e-5;    ///< erg/cm2/s, optical flux of G = 0
    bool classes = true;
    std::string class_model;                  ///< file of xsift train; empty: the embedded one
    std::string class_priors = "power:0.25";  ///< see characterise::log_priors
};

struct RunConfiguration {
    bool search_periods = true;
    bool fit_spectra = true;
    timing::SearchOptions search;
    spectral::FitOptions spectra;
    characterise::VariabilityOptions variability;
    CharacterOptions character;
    /// s of processor time that one step of a source may take (the search of an exposure, the fit of a model);
    /// 0: no limit. What takes longer is quarantined.
    double step_seconds = 0.0;
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

/// Reads the tables that atable{}, mtable{} and apec-table name, and checks all models with their parameter
/// settings.
/// @throws Error (input, usage).
void read_model_tables(spectral::FitOptions& options);

/// The resolved configuration as TOML: every setting with its value, in a fixed order.
std::string to_toml(RunConfiguration configuration);

}  // namespace xsift::pipeline
