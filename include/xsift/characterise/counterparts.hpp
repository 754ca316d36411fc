#pragma once
/// @file
/// Bayesian positional match against a catalogue (Budavari & Szalay 2008, ApJ 679, 301; NWAY: Salvato et al.
/// 2018, MNRAS 473, 4937).

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <xsift/characterise/sky.hpp>
#include <xsift/core/parallel.hpp>
#include <xsift/data/sky_objects.hpp>

namespace xsift::characterise {

/// Covariance of a position on the tangent plane, arcsec^2; x east, y north.
struct PositionError {
    double xx = 0.0, xy = 0.0, yy = 0.0;
};
PositionError circular_error(double sigma);
/// @param angle deg, of the major axis, east of north
PositionError elliptical_error(double major, double minor, double angle);

/// log10 of the Bayes factor that two positions are of one object against two: 2/sqrt(det C) exp(-d C^-1 d /
/// 2) with C the sum of the covariances in rad^2; for circles 2/(s1^2 + s2^2) exp(-r^2/(2 (s1^2 + s2^2))).
/// @param east, north offset, arcsec
double log10_bayes_factor(double east, double north, const PositionError& a, const PositionError& b);

/// Log-odds of magnitudes: bins of the density of magnitudes of counterparts and of all objects (as NWAY has
/// it).
struct MagnitudePrior {
    std::vector<double> edge;   ///< ascending, one more than the bins
    std::vector<double> ratio;  ///< density of counterparts / density of others
    /// Weight of a magnitude; 1 without one.
    double weight(double magnitude) const;
};

struct MatchOptions {
    std::string name;            ///< of the catalogue
    double radius = 10.0;        ///< arcsec, of the search
    double area = 0.0;           ///< deg^2 that the catalogue covers
    double completeness = 1.0;   ///< probability that the counterpart is in the catalogue
    double default_error = 0.0;  ///< arcsec, 1 sigma, where the catalogue has none
    double years = 0.0;          ///< yr from the catalogue's epoch to that of the sources
    double acceptable = 0.5;     ///< p_i over the best p_i from which a candidate is flagged 2
    MagnitudePrior prior{};      ///< empty: none
};

/// A source to match. NaN position: left out.
struct MatchSource {
    Direction position;
    PositionError error;
};

/// Matches sources against a catalogue that streams by: memory is that of the sources and their candidates.
/// The result depends on a source and the whole catalogue alone, not on the other sources, chunks or threads.
class CounterpartMatcher {
  public:
    CounterpartMatcher(std::span<const MatchSource> sources, MatchOptions options);

    /// Counts the next part of the catalogue and tells which of its objects lie within the radius of a
    /// source, ascending. Positions and proper motions suffice.
    std::vector<std::size_t> near(const SkyObjects& positions, const ThreadPool& pool);
    /// Takes what is known of objects that near() named.
    void take(const SkyObjects& objects);
    /// Both, of a part of which everything is known.
    void add(const SkyObjects& objects, const ThreadPool& pool);
    /// Objects seen.
    std::int64_t objects() const { return n_objects_; }
    /// Whether the catalogue has any object around a source, within about half an arcmin or the radius: where
    /// it has none it may not have looked.
    bool covers(std::size_t source) const { return covered_[source] != 0; }
    /// The candidates of every source within the radius, the most probable first (ties: by id). Call once.
    std::vector<std::vector<Counterpart>> finish();

  private:
    struct Candidate {
        Counterpart found;
        double log10_bayes = 0.0, prior = 0.0;
    };
    /// Where an object is at the sources' epoch; not finite: nowhere.
    Direction place(const SkyObjects& objects, std::size_t row) const;
    /// Calls visit(source, separation) for the sources that have an object within the radius; marks those
    /// that have one around.
    template <typename Visit>
    void each_source(const Direction& at, Visit&& visit);

    MatchOptions options_;
    std::vector<MatchSource> sources_;
    HealpixRings rings_;
    std::vector<std::uint64_t> occupied_;  ///< a bit for many pixels: the quick answer "no source near"
    std::vector<std::pair<std::int64_t, std::int32_t>> index_;  ///< pixel, source; sorted
    std::vector<std::uint8_t> covered_;
    std::vector<std::vector<Candidate>> candidates_;
    std::int64_t n_objects_ = 0;
};

}  // namespace xsift::characterise
