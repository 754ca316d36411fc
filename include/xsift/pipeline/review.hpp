#pragma once
/// @file
/// What can be said of a source only when the catalogue is whole: which periods many sources of an
/// observation share, and the q-values.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <xsift/io/catalogue.hpp>
#include <xsift/timing/search.hpp>

namespace xsift::pipeline {

/// Significant candidates at one frequency in several sources of one observation are vetoed (veto_shared):
/// they come from the instrument, from the background, or from one bright source whose photons reach the
/// others.
///
/// A frequency is shared when at least options.shared_sources sources of the observation have a significant
/// candidate, vetoed for nothing else, within 1/T of it, and when chance does not explain them: with as many
/// in that interval as in the octaves around it, so many have a probability of at most 1e-3. When one of them
/// is `outstanding` times as significant (in the logarithm) as each of the others and its pulsed fraction is
/// the highest, it is where the others' photons come from, and it keeps its period.
///
/// q-values are those of Benjamini & Hochberg (1995, JRSS B 57, 289) over LOG10_FAP of all sources searched.
class CatalogueReview : public io::ResultReview {
  public:
    explicit CatalogueReview(timing::SearchOptions options) : options_(std::move(options)) {}

    void look(const SourceResult& result) override;
    bool again() override;
    bool revises_candidates() const override { return !shared_.empty(); }
    void revise(SourceResult& result) const override;

  private:
    struct Sighting {
        std::string source;
        double frequency, resolution, log10_fap, pulsed_fraction;
    };
    /// A shared frequency, and the source it comes from ("" when none).
    struct Shared {
        double frequency, resolution;
        std::string origin;
    };

    void find_shared(const std::string& observation, const std::vector<Sighting>& sightings);
    void veto_shared_of(SourceResult& result) const;
    void rank();

    timing::SearchOptions options_;
    bool second_look_ = false;
    std::map<std::string, std::vector<Sighting>> sightings_;  ///< of each observation
    std::map<std::string, std::vector<Shared>> shared_;
    std::vector<double> log10_fap_, log10_q_;  ///< ascending
};

}  // namespace xsift::pipeline
