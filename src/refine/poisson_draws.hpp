#pragma once
/// @file
/// Few counts that stand for a Poisson distribution in expectations of a statistic's terms.

#include <cstddef>
#include <vector>

namespace xsift::refine {

/// The first counts one by one and a Gauss rule for those above (polynomials that are orthogonal over them;
/// from 0 on these are Charlier's. Golub & Welsch 1969, Math. Comp. 23, 221).
struct PoissonRule {
    int counts, points;  ///< 0 to counts - 1; points of the Gauss rule, at most 10
    double least, most;  ///< means it is made for; most may be infinite when counts is 0
    double share;        ///< see PoissonDraws; it suffices for less
};
/// The first that suffices is taken; for means below all of them every count is.
const std::vector<PoissonRule>& poisson_rules();
/// Expectations of polynomials of degree up to 2 points - 1 are those of the distribution to 1e-7 of the sum
/// of the absolute terms.
/// @param rule place in poisson_rules(); @param count, weight counts + points elements
void apply_poisson_rule(std::size_t rule, double mean, double* count, double* weight);

/// Counts and their probabilities. With the terms of W-stat their moments are those of all counts to 2e-4
/// (third moments: 1e-3).
class PoissonDraws {
  public:
    /// @param share of these counts in the spread of the term: where others spread it more, fewer are needed
    /// @param kinked the term has a kink among the likely counts: no rule
    void set(double mean, double share, bool kinked);

    int size() const { return static_cast<int>(count_.size()); }
    double count(int i) const { return count_[static_cast<std::size_t>(i)]; }
    double weight(int i) const { return weight_[static_cast<std::size_t>(i)]; }

  private:
    void set_lattice(double mean);

    std::vector<double> count_, weight_;
};

}  // namespace xsift::refine
