#pragma once
/// @file
/// The lattice of shape parameters that a posterior is integrated on.

#include "objective.hpp"
#include "posterior_axis.hpp"

#include <array>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace xsift::refine {

/// One evaluated point of the lattice.
struct Node {
    double stat = 0.0;  ///< with the determinant of what was integrated over
    double log_norm = 0.0, norm_sigma = 0.0;
    double log_source = 0.0;  ///< ln of the weighted sum of what the source adds to the bins
    std::vector<double> log_factor, factor_sigma;
};

using Index = std::array<int, 2>;

/// A point of a lattice to look at.
struct Candidate {
    Index index{};
    Vector place{};  ///< where to begin: factors and norm
    /// As a Node has it, going on from the node it was reached from; without it, the place's own norm is
    /// where to begin.
    std::optional<double> log_source{};
};

/// Whether a norm is: where it is not, its integral is no Gaussian. @param sigma of its logarithm
bool norm_is_significant(double sigma);

/// Points over one or two shape parameters; norm and factors are integrated at each.
class Lattice {
  public:
    /// @param best a point near the lowest
    Lattice(Objective& objective, std::array<Axis, 2> axes, const Vector& best);

    /// Takes over the nodes of a lattice whose steps are a multiple of this one's.
    void adopt(const Lattice& coarse, int multiple);
    /// Looks at everything that hangs together with the seeds and matters.
    /// @return whether few enough points did it
    bool fill(std::vector<Candidate> todo);
    double lowest() const { return lowest_; }
    /// Of ln norm at the lowest point.
    double norm_sigma() const { return sigma_of_lowest_; }
    /// Whether the norm is significant there.
    bool significant() const { return norm_is_significant(sigma_of_lowest_); }
    const std::map<Index, Node>& nodes() const { return nodes_; }
    const std::array<Axis, 2>& axes() const { return axes_; }
    /// Points that matter.
    std::size_t within() const;
    /// Range of the indices looked at.
    std::array<Index, 2> range() const;
    /// How many steps the part that matters is wide along an axis.
    int width(int axis) const;

  private:
    void keep(const Index& index, const Node& node);
    /// One spectrum, whose norm is profiled, and integrated as a Gaussian in its logarithm. Where the norm
    /// can be 0 that is none: what lies towards 0 counts as one e-fold.
    void look(const std::vector<Candidate>& candidates);
    /// Several spectra: the norm is profiled, and the factors with it; then all are integrated as Gaussians.
    bool look(const Candidate& candidate);
    std::optional<Node> evaluate(const Vector& x, Point& p);
    /// Newton steps on the factors; the norm follows.
    void profile_factors(Point& p);

    Objective& objective_;
    std::array<Axis, 2> axes_;
    std::map<Index, Node> nodes_;
    std::vector<double> rates_;
    std::vector<double>
        weight_;  ///< of a bin in log_source: what a change of its rate there moves the norm by
    double lowest_ = std::numeric_limits<double>::infinity(), sigma_of_lowest_ = lowest_;
};

/// Steps that resolve a posterior, and a first lattice of steps coarser_steps times as long or more.
struct SurveyedPosterior {
    Vector best{};  ///< with its norm and factors
    std::array<Axis, 2> axes;
    Lattice coarse;
};
inline constexpr int coarser_steps = 3;
/// Values of a shape parameter whose photons are remembered while a lattice is looked at.
inline constexpr std::size_t columns_kept = 64;
/// Fewer steps over the part that matters do not resolve it.
inline constexpr int least_lattice_width = 5;

/// Looks how far the posterior reaches; the steps are those with which about `wanted` points hold it, or the
/// shorter ones that it asks for. @param best, others, fine see resolve()
/// @return nothing where the norm is not significant
std::optional<SurveyedPosterior> survey_posterior(Objective& objective, const Vector& best,
                                                  const std::vector<Vector>& others, bool fine);

/// The lattice over the part of the posterior that matters, with steps that resolve it.
/// @param best the minimum; @param others further points that matter; @param fine twice as many points an
/// axis, for contours that are looked at
/// @return nothing where the norm is not significant or no lattice of reasonable size does it
std::optional<Lattice> resolve(Objective& objective, const Vector& best, const std::vector<Vector>& others,
                               bool fine);

}  // namespace xsift::refine
