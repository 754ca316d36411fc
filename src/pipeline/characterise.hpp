#pragma once
/// @file
/// The last stage of a batch: what the results of a source mean.

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <xsift/characterise/class_model.hpp>
#include <xsift/characterise/history.hpp>
#include <xsift/core/parallel.hpp>
#include <xsift/data/results.hpp>
#include <xsift/data/sky_map.hpp>
#include <xsift/pipeline/configuration.hpp>

namespace xsift::pipeline {

/// Takes the steps of the characterisation that the configuration asks for. What it says about a source
/// depends on that source, the configuration and the tables alone.
class Characteriser {
  public:
    /// Reads the tables. @throws Error (usage) for a table or column that is not there.
    Characteriser(const CharacterOptions& options, const spectral::FitOptions& fits,
                  const std::vector<ExtraColumn>& extra_columns);

    /// Matches the sources of the run against the catalogues and keeps their history.
    void prepare(const std::vector<Source>& sources, const ThreadPool& pool);

    /// The steps taken, as CatalogueInfo::steps.
    std::vector<std::string> steps() const;
    /// Checksums of the tables used, for PROVENANCE.
    std::vector<std::pair<std::string, std::string>> provenance() const;

    void apply(std::vector<SourceResult>& results) const;

  private:
    /// Value of a number column of the source list, NaN where null.
    static double number(const Source& source, int column);
    void add_column(SourceResult& result) const;
    void match(const std::string& text, const std::vector<Source>& sources, const ThreadPool& pool);
    void read_history();
    void add_counterparts(SourceResult& result) const;
    void add_distance(SourceResult& result) const;
    void add_history(SourceResult& result) const;
    void add_class(SourceResult& result) const;
    struct Astrometry {
        double g = not_measured, parallax = not_measured, parallax_error = not_measured;  ///< mag, mas
        double v = not_measured;  ///< mag, of the counterpart
    };
    /// From the source list, or from the counterparts.
    Astrometry astrometry(const SourceResult& result) const;
    /// A flux with its interval as the fit has it.
    static Estimate flux_of(const SourceResult& result);
    /// The same, 1 sigma to either side.
    characterise::EarlierFlux flux_within_sigma(const SourceResult& result) const;

    CharacterOptions options_;
    spectral::FitOptions fits_;
    std::optional<characterise::ClassModel> class_model_;
    std::vector<double> log_prior_;
    double confidence_, delta_stat_;
    std::vector<std::pair<std::string, std::string>> tables_;
    std::unordered_map<std::string, std::vector<Counterpart>> counterparts_;
    std::unordered_map<std::string, Magnitudes> fainter_;  ///< than these is a source without a counterpart
    std::unordered_map<std::string, std::vector<characterise::EarlierFlux>> history_;
    std::optional<SkyMap> map_;
    int nh_column_ = -1, parallax_column_ = -1, parallax_error_column_ = -1, g_column_ = -1;
    int major_column_ = -1, minor_column_ = -1, angle_column_ = -1;
};

}  // namespace xsift::pipeline
