#include <charconv>
#include <initializer_list>

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

namespace {

/// The choice whose name is text. @param known a sentence about the names there are
/// @throws Error (usage, BAD_SETTING)
template <typename Choice>
Choice choice_of(const std::string& setting, const std::string& text, std::initializer_list<Choice> choices,
                 const char* known) {
    for (const Choice choice : choices)
        if (text == to_string(choice)) return choice;
    throw Error(ErrorKind::usage, "BAD_SETTING", setting + " = '" + text + "' is not known", known,
                "Correct --" + setting + ".");
}

}  // namespace

JointSpectra parse_joint(const std::string& text) {
    return choice_of("joint-spectra", text,
                     {JointSpectra::none, JointSpectra::observation, JointSpectra::all},
                     "sets are none, observation, all");
}

Criterion parse_criterion(const std::string& text) {
    return choice_of("select-by", text, {Criterion::aicc, Criterion::bic, Criterion::evidence},
                     "criteria are aicc, bic, evidence");
}

std::string to_string(Criterion criterion) {
    if (criterion == Criterion::aicc) return "aicc";
    return criterion == Criterion::bic ? "bic" : "evidence";
}

Refine parse_refine(const std::string& text) {
    return choice_of("refine", text, {Refine::automatic, Refine::all},
                     "models that are refined are auto, all");
}

std::string to_string(Refine refine) {
    return refine == Refine::all ? "all" : "auto";
}

Errors parse_errors(const std::string& text) {
    return choice_of("errors", text, {Errors::profile, Errors::posterior},
                     "intervals are from profile, posterior");
}

std::string to_string(Errors errors) {
    return errors == Errors::posterior ? "posterior" : "profile";
}

FitStatistic parse_statistic(const std::string& text) {
    return choice_of("statistic", text,
                     {FitStatistic::poisson, FitStatistic::chi2_data, FitStatistic::chi2_gehrels,
                      FitStatistic::chi2_churazov, FitStatistic::chi2_model},
                     "statistics are poisson, chi2-data, chi2-gehrels, chi2-churazov, chi2-model");
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
