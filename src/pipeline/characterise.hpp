#pragma once
/// @file
/// The last stage of a batch: what the results of a source mean.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/data/sky_map.hpp>
#include <xsift/pipeline/configuration.hpp>

namespace xsift::pipeline {

/// Takes the steps of the characterisation that the configuration asks for. What it says about a source
/// depends on that source, the configuration and the tables alone.
class Characteriser {
  public:
    /// Reads the tables. @throws Error (usage) for a table or column that is not there.
    Characteriser(const CharacterOptions& options, double delta_stat,
                  const std::vector<ExtraColumn>& extra_columns);

    /// The steps taken, as CatalogueInfo::steps.
    std::vector<std::string> steps() const;
    /// Checksums of the tables used, for PROVENANCE.
    std::vector<std::pair<std::string, std::string>> provenance() const;

    void apply(std::vector<SourceResult>& results) const;

  private:
    /// Value of a number column of the source list, NaN where null.
    static double number(const Source& source, int column);
    void add_column(SourceResult& result) const;
    void add_distance(SourceResult& result) const;

    CharacterOptions options_;
    double confidence_;
    std::optional<SkyMap> map_;
    int nh_column_ = -1, parallax_column_ = -1, parallax_error_column_ = -1, g_column_ = -1;
};

}  // namespace xsift::pipeline
