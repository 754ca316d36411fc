#pragma once
/// @file
/// Options of the spectral fits.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <xsift/data/table_model.hpp>

namespace xsift::spectral {

/// Hard limits of a parameter.
struct Limits {
    double lo = 0.0, hi = 0.0;
};
inline constexpr Limits nh_limits{0.0, 50.0};     ///< 1e22 cm^-2
inline constexpr Limits norm_limits{1e-12, 1.0};  ///< unless a parameter setting widens them

/// Abundance table of the absorption: Wilms 2000, Anders & Grevesse 1989 (XSPEC's default), Asplund 2009.
enum class Abundance { wilm, angr, aspl };

/// How channels are grouped into bins for the fit.
struct Binning {
    enum class Kind {
        resolution,      ///< default: about FWHM/3 wide, at least 5 to 20 background counts a bin
        none,            ///< every channel
        min_counts,      ///< at least N source-region counts a bin
        min_background,  ///< at least N background counts a bin
        optimal,         ///< Kaastra & Bleeker 2016, eqs. 36, 37: up to one FWHM, finer where counts allow
        file,            ///< GROUPING of the spectrum's file
    };
    Kind kind = Kind::resolution;
    int minimum = 0;  ///< N of min:N and back:N
};

/// Which spectra of a source are fitted together.
enum class JointSpectra {
    none,
    observation,  ///< those of one observation (OBS_ID): pn, MOS1, MOS2
    all,          ///< all spectra of the source, whenever they were taken
};

/// Prior of the absorbing column between its limits.
enum class NhPrior {
    logarithmic,  ///< density proportional to 1/(nH + nh_prior_scale): no decade above the scale is preferred
    flat,         ///< uniform in nH
};
inline constexpr double nh_prior_scale = 0.01;  ///< 1e22 cm^-2

/// What the model that is offered is best by.
enum class Criterion { aicc, bic, evidence };

/// Which models get intervals from profiles.
enum class Refine {
    automatic,  ///< those that can be the model offered, see refined_within
    all,
};
/// Models whose criterion (AICc, BIC, -2 ln evidence) lies further than this above that of the model to be
/// offered keep the intervals of their covariance.
inline constexpr double refined_within = 2.0;
/// And further than this above it they get no posterior: it would hold less than exp(-5) of the probability.
inline constexpr double integrated_within = 10.0;

/// What the intervals of parameters and fluxes are.
enum class Errors {
    profile,    ///< where the statistic, minimised over all else, has risen by confidence_delta
    posterior,  ///< equal-tailed credible intervals, for models that have a posterior; profiles for others
};

/// The statistic that is minimised.
enum class FitStatistic {
    poisson,  ///< W-stat with a background, C-stat without
    // chi2 of the background-subtracted counts with the variance of
    chi2_data,      ///< the counts: S + B r^2, r the ratio of exposures
    chi2_gehrels,   ///< (1 + sqrt(N + 0.75))^2 in place of each N (Gehrels 1986)
    chi2_churazov,  ///< counts smoothed over three bins (Churazov et al. 1996)
    chi2_model,     ///< the counts that the model expects
};

/// An energy band, keV.
struct Band {
    double lo = 0.0, hi = 0.0;
};

struct FitOptions {
    std::vector<std::string> models{"tbabs*bbody",      "tbabs*bremss",           "tbabs*apec",
                                    "tbabs*powerlaw",   "tbabs*(bbody+powerlaw)", "tbabs*(bremss+powerlaw)",
                                    "tbabs*(apec+apec)"};
    std::vector<std::string> parameters;     ///< settings of parameters: see definition.hpp
    std::string apec_file;                   ///< table that apec uses; empty: the embedded one
    std::shared_ptr<const TableModel> apec;  ///< that table once read; null: the embedded one
    std::map<std::string, std::shared_ptr<const TableModel>>
        tables;  ///< by the name in atable{} and mtable{}
    Abundance abundance = Abundance::wilm;
    Binning binning;
    double energy_lo = 0.3, energy_hi = 10.0;  ///< keV: channels that overlap this band are fitted
    double flux_lo = 0.2, flux_hi = 12.0;      ///< keV: flux band
    std::vector<Band> flux_bands;              ///< further bands of FLUXES
    JointSpectra joint = JointSpectra::observation;
    bool single = true;  ///< spectra of a joint fit are also fitted one by one
    FitStatistic statistic = FitStatistic::poisson;
    Refine refine = Refine::automatic;
    Errors errors = Errors::profile;
    bool posterior = true;       ///< make posteriors
    bool pair_evidence = false;  ///< of models of two norms too; always when the criterion is the evidence
    NhPrior nh_prior = NhPrior::logarithmic;
    Criterion criterion = Criterion::aicc;
    bool unbiased = true;           ///< median-unbiased estimates of models of one norm
    int goodness_simulations = 0;   ///< Monte Carlo goodness of fit; 0: none
    int bootstrap_simulations = 0;  ///< refitted for intervals of the bootstrap; 0: none
    /// Delta statistic of the intervals (90%); credible intervals hold what chi2 with one degree of freedom
    /// has below it.
    double confidence_delta = 2.706;
};

/// Parse and print the names of the command line: wilm, angr, aspl; default (resolution), none, min:N,
/// back:N, optimal, file; none, observation, all; aicc, bic,
/// evidence; auto, all; profile, posterior; poisson, chi2-data, chi2-gehrels, chi2-churazov, chi2-model.
/// @throws Error (usage).
Abundance parse_abundance(const std::string& text);
std::string to_string(Abundance abundance);
Binning parse_binning(const std::string& text);
JointSpectra parse_joint(const std::string& text);
std::string to_string(JointSpectra joint);
Criterion parse_criterion(const std::string& text);
std::string to_string(Criterion criterion);
Refine parse_refine(const std::string& text);
std::string to_string(Refine refine);
Errors parse_errors(const std::string& text);
std::string to_string(Errors errors);
FitStatistic parse_statistic(const std::string& text);
std::string to_string(FitStatistic statistic);
std::string to_string(const Binning& binning);

}  // namespace xsift::spectral
