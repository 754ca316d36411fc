#include <charconv>

#include <xsift/core/error.hpp>
#include <xsift/spectral/options.hpp>

namespace xsift::spectral {

Abundance parse_abundance(const std::string& text) {
    for (Abundance a : {Abundance::wilm, Abundance::angr, Abundance::aspl})
        if (text == to_string(a)) return a;
    throw Error(ErrorKind::usage, "UNKNOWN_ABUNDANCE", "the abundance table '" + text + "' is not known",
                "tables are wilm, angr, aspl", "Correct --abund.");
}

std::string to_string(Abundance abundance) {
    if (abundance == Abundance::angr) return "angr";
    return abundance == Abundance::aspl ? "aspl" : "wilm";
}

JointSpectra parse_joint(const std::string& text) {
    for (JointSpectra j : {JointSpectra::none, JointSpectra::observation, JointSpectra::all})
        if (text == to_string(j)) return j;
    throw Error(ErrorKind::usage, "BAD_SETTING", "joint-spectra = '" + text + "' is not known",
                "sets are none, observation, all", "Correct --joint-spectra.");
}

Criterion parse_criterion(const std::string& text) {
    for (Criterion c : {Criterion::aicc, Criterion::bic, Criterion::evidence})
        if (text == to_string(c)) return c;
    throw Error(ErrorKind::usage, "BAD_SETTING", "select-by = '" + text + "' is not known",
                "criteria are aicc, bic, evidence", "Correct --select-by.");
}

std::string to_string(Criterion criterion) {
    if (criterion == Criterion::aicc) return "aicc";
    return criterion == Criterion::bic ? "bic" : "evidence";
}

Refine parse_refine(const std::string& text) {
    for (Refine r : {Refine::automatic, Refine::all})
        if (text == to_string(r)) return r;
    throw Error(ErrorKind::usage, "BAD_SETTING", "refine = '" + text + "' is not known",
                "models that are refined are auto, all", "Correct --refine.");
}

std::string to_string(Refine refine) {
    return refine == Refine::all ? "all" : "auto";
}

Errors parse_errors(const std::string& text) {
    for (Errors e : {Errors::profile, Errors::posterior})
        if (text == to_string(e)) return e;
    throw Error(ErrorKind::usage, "BAD_SETTING", "errors = '" + text + "' is not known",
                "intervals are from profile, posterior", "Correct --errors.");
}

std::string to_string(Errors errors) {
    return errors == Errors::posterior ? "posterior" : "profile";
}

FitStatistic parse_statistic(const std::string& text) {
    for (FitStatistic s : {FitStatistic::poisson, FitStatistic::chi2_data, FitStatistic::chi2_gehrels,
                           FitStatistic::chi2_churazov, FitStatistic::chi2_model})
        if (text == to_string(s)) return s;
    throw Error(ErrorKind::usage, "BAD_SETTING", "statistic = '" + text + "' is not known",
                "statistics are poisson, chi2-data, chi2-gehrels, chi2-churazov, chi2-model",
                "Correct --statistic.");
}

std::string to_string(FitStatistic statistic) {
    switch (statistic) {
        case FitStatistic::chi2_data:
            return "chi2-data";
        case FitStatistic::chi2_gehrels:
            return "chi2-gehrels";
        case FitStatistic::chi2_churazov:
            return "chi2-churazov";
        case FitStatistic::chi2_model:
            return "chi2-model";
        case FitStatistic::poisson:
            break;
    }
    return "poisson";
}

std::string to_string(JointSpectra joint) {
    if (joint == JointSpectra::none) return "none";
    return joint == JointSpectra::all ? "all" : "observation";
}

Binning parse_binning(const std::string& text) {
    if (text == "default" || text == "resolution") return {};
    if (text == "none") return {Binning::Kind::none, 0};
    if (text == "optimal") return {Binning::Kind::optimal, 0};
    if (text == "file") return {Binning::Kind::file, 0};
    for (const Binning::Kind kind : {Binning::Kind::min_counts, Binning::Kind::min_background}) {
        const std::string prefix = to_string(Binning{kind, 0}).substr(0, text.find(':') + 1);
        if (prefix.empty() || !text.starts_with(prefix)) continue;
        int n = 0;
        const char* end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data() + prefix.size(), end, n);
        if (error == std::errc{} && stop == end && n > 0) return {kind, n};
    }
    throw Error(ErrorKind::usage, "UNKNOWN_BINNING", "the binning '" + text + "' is not known",
                "binnings are default, none, min:N, back:N with N > 0, optimal, file", "Correct --binning.");
}

std::string to_string(const Binning& binning) {
    switch (binning.kind) {
        case Binning::Kind::none:
            return "none";
        case Binning::Kind::min_counts:
            return "min:" + std::to_string(binning.minimum);
        case Binning::Kind::min_background:
            return "back:" + std::to_string(binning.minimum);
        case Binning::Kind::optimal:
            return "optimal";
        case Binning::Kind::file:
            return "file";
        case Binning::Kind::resolution:
            break;
    }
    return "default";
}

}  // namespace xsift::spectral
