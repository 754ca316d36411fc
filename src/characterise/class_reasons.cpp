#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include <xsift/characterise/class_model.hpp>

namespace xsift::characterise {

namespace {
constexpr std::size_t listed_reasons = 5;  ///< for, and against
}  // namespace

std::vector<ClassProbability> class_rows(const ClassModel& model, const Classification& found,
                                         std::span<const double> log_prior) {
    std::vector<std::size_t> order(model.classes.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return found.probability[a] > found.probability[b];
    });
    std::vector<ClassProbability> rows;
    for (const std::size_t k : order) {
        const std::size_t rival = k == order[0] ? order[1] : order[0];
        std::vector<std::pair<double, std::string>> reasons;
        for (const TermEvidence& term : found.evidence)
            reasons.emplace_back(term.log_odds[k] - term.log_odds[rival],
                                 fmt::format("{}={}", term.properties, term.values));
        std::stable_sort(reasons.begin(), reasons.end(), [](const auto& a, const auto& b) {
            return std::fabs(a.first) > std::fabs(b.first);
        });
        ClassProbability& row = rows.emplace_back();
        row.name = model.classes[k];
        row.probability = found.probability[k];
        row.rival = model.classes[rival];
        const double prior = log_prior[k] - log_prior[rival];
        row.log_odds = prior;
        double others = 0.0;
        std::array<std::size_t, 2> listed{};
        const auto add = [&](double odds, const std::string& text) {
            std::string& list = odds >= 0.0 ? row.reasons_for : row.reasons_against;
            list += fmt::format("{}{} {:+.2f}", list.empty() ? "" : "; ", text, odds);
        };
        constexpr double least = 0.005;  // would read as 0.00
        for (const auto& [odds, text] : reasons) {
            row.log_odds += odds;
            std::size_t& n = listed[odds >= 0.0 ? 0 : 1];
            if (std::fabs(odds) >= least && n < listed_reasons)
                ++n, add(odds, text);
            else
                others += odds;
        }
        if (std::fabs(prior) >= least) add(prior, "prior");
        if (std::fabs(others) >= least) add(others, "others");
    }
    return rows;
}

std::string reasons_in_words(std::string_view reasons) {
    std::string words;
    while (!reasons.empty()) {
        const std::size_t end = std::min(reasons.find("; "), reasons.size());
        std::string_view one = reasons.substr(0, end);
        reasons.remove_prefix(std::min(end + 2, reasons.size()));
        const std::size_t space = one.rfind(' ');
        if (space == std::string_view::npos) continue;
        std::string_view odds_text = one.substr(space + 1);
        if (odds_text.starts_with('+')) odds_text.remove_prefix(1);
        double odds = 0.0;
        std::from_chars(odds_text.data(), odds_text.data() + odds_text.size(), odds);
        one = one.substr(0, space);
        std::string what(one);
        if (const std::size_t equals = one.find('='); equals != std::string_view::npos) {
            what.clear();
            std::string_view names = one.substr(0, equals), values = one.substr(equals + 1);
            while (!names.empty()) {
                const std::size_t n = std::min(names.find('&'), names.size()),
                                  v = std::min(values.find('&'), values.size());
                const std::optional<Property> property = property_of(names.substr(0, n));
                what += fmt::format("{}{} {}", what.empty() ? "" : " with ",
                                    property ? describe(*property).words : names.substr(0, n),
                                    values.substr(0, v));
                names.remove_prefix(std::min(n + 1, names.size()));
                values.remove_prefix(std::min(v + 1, values.size()));
            }
        } else if (one == "prior") {
            what = "how common the classes are taken to be";
        } else if (one == "others") {
            what = "everything else together";
        }
        words += fmt::format("{}{} (odds {} {:.3g})", words.empty() ? "" : ", ", what,
                             odds >= 0.0 ? "times" : "divided by", std::exp(std::fabs(odds)));
    }
    return words;
}

}  // namespace xsift::characterise
