#include "resources.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include <xsift/characterise/class_model.hpp>
#include <xsift/core/error.hpp>

namespace xsift::characterise {

namespace {

constexpr std::string_view magic = "xsift class model 1";
constexpr std::size_t most_classes = 64, most_terms = 256;
constexpr int most_nodes = 257;

/// Takes a model file apart, line by line and word by word.
class Lines {
  public:
    Lines(std::string_view text, const std::string& name) : text_(text), name_(name) {}

    [[noreturn]] void fail(const std::string& why) const {
        throw Error(ErrorKind::corrupt_file, "BAD_CLASS_MODEL",
                    fmt::format("{}: line {}: no usable class model", name_, line_), why,
                    "Make it again with `xsift train`.");
    }
    std::string_view next() {
        if (text_.empty()) fail("the file ends early");
        const std::size_t end = std::min(text_.find('\n'), text_.size());
        const std::string_view line = text_.substr(0, end);
        text_.remove_prefix(std::min(end + 1, text_.size()));
        ++line_;
        return line;
    }
    /// The rest of a line that starts with a word.
    std::string_view rest(std::string_view word) {
        std::string_view line = next();
        if (!line.starts_with(word) || line.size() <= word.size() || line[word.size()] != ' ')
            fail(fmt::format("'{} ...' was expected", word));
        return line.substr(word.size() + 1);
    }
    std::vector<std::string_view> words(std::string_view word, std::size_t most) {
        std::string_view line = rest(word);
        std::vector<std::string_view> found;
        while (!line.empty()) {
            const std::size_t end = std::min(line.find(' '), line.size());
            if (end > 0) found.push_back(line.substr(0, end));
            line.remove_prefix(std::min(end + 1, line.size()));
            if (found.size() > most) fail("more values than expected");
        }
        return found;
    }
    double number(std::string_view word, double lo, double hi) {
        double value = 0.0;
        const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), value);
        if (failure != std::errc{} || end != word.data() + word.size() || !(value >= lo && value <= hi))
            fail(fmt::format("'{}' is no number from {} to {}", word, lo, hi));
        return value;
    }
    std::vector<double> numbers(std::string_view word, std::size_t count, double lo, double hi) {
        const std::vector<std::string_view> found = words(word, count);
        if (found.size() != count) fail(fmt::format("{} values instead of {}", found.size(), count));
        std::vector<double> values;
        values.reserve(found.size());
        for (const std::string_view one : found) values.push_back(number(one, lo, hi));
        return values;
    }
    bool ended() const { return text_.empty(); }

  private:
    std::string_view text_;
    const std::string& name_;
    int line_ = 0;
};

std::string line_of(const char* word, std::span<const double> values, int digits) {
    std::string line = word;
    for (const double value : values) line += fmt::format(" {:.{}g}", value, digits);
    return line + '\n';
}

/// Bilinear (or linear) interpolation in a table of n nodes an axis; place is in 0 to n - 1.
double interpolate(const std::vector<double>& table, int n, std::span<const double> place) {
    std::array<std::size_t, 2> first{};
    std::array<double, 2> part{};
    for (std::size_t d = 0; d < place.size(); ++d) {
        const double floor = std::clamp(std::floor(place[d]), 0.0, static_cast<double>(n - 2));
        first[d] = static_cast<std::size_t>(floor);
        part[d] = place[d] - floor;
    }
    if (place.size() == 1) return table[first[0]] * (1.0 - part[0]) + table[first[0] + 1] * part[0];
    const std::size_t row = first[0] * static_cast<std::size_t>(n) + first[1],
                      below = row + static_cast<std::size_t>(n);
    return (table[row] * (1.0 - part[1]) + table[row + 1] * part[1]) * (1.0 - part[0]) +
           (table[below] * (1.0 - part[1]) + table[below + 1] * part[1]) * part[0];
}

/// ln density of each class at the values of a term; empty where a value is missing.
std::vector<double> densities(const ClassModel& model, const ClassTerm& term, const Properties& properties) {
    std::array<double, 2> place{};
    for (std::size_t d = 0; d < term.axis.size(); ++d) {
        const PropertyAxis& axis = model.axes[static_cast<std::size_t>(term.axis[d])];
        const double value = properties[static_cast<std::size_t>(axis.property)];
        if (!std::isfinite(value)) return {};
        place[d] = axis.place(value) * static_cast<double>(term.nodes - 1) /
                   static_cast<double>(axis.node.size() - 1);
    }
    std::vector<double> found;
    for (const std::vector<double>& table : term.density)
        found.push_back(interpolate(table, term.nodes, std::span(place.data(), term.axis.size())));
    return found;
}

}  // namespace

double PropertyAxis::place(double value) const {
    if (value <= node.front()) return 0.0;
    if (value >= node.back()) return static_cast<double>(node.size() - 1);
    const auto above = std::upper_bound(node.begin(), node.end(), value);
    const double lo = *(above - 1);
    return static_cast<double>(above - node.begin()) - 1.0 + (value - lo) / (*above - lo);
}

double PropertyAxis::beyond(double value) const {
    const std::size_t n = node.size();
    const double width = node[3 * n / 4] - node[n / 4];
    return std::max({0.0, node.front() - value, value - node.back()}) / width;
}

double typicality(const ClassModel& model, const Properties& properties) {
    std::vector<double> sum(model.classes.size(), 0.0);
    int n = 0;
    for (const ClassTerm& term : model.terms) {
        const PropertyAxis& axis = model.axes[static_cast<std::size_t>(term.axis[0])];
        // A limit has no density; that of a period is of no labelled sources.
        if (term.axis.size() != 1 || bounded_by(axis.property) || axis.property == Property::log_period)
            continue;
        const std::vector<double> found = densities(model, term, properties);
        if (found.empty()) continue;
        ++n;
        const double beyond = axis.beyond(properties[static_cast<std::size_t>(axis.property)]);
        for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += found[k] - 0.5 * beyond * beyond;
    }
    return n == 0 ? 0.0 : *std::max_element(sum.begin(), sum.end()) / n;
}

std::string to_text(const ClassModel& model) {
    std::string text =
        fmt::format("{}\norigin {}\nclasses", magic, model.origin.empty() ? "-" : model.origin);
    for (const std::string& name : model.classes) text += ' ' + name;
    text += '\n' + line_of("counts", model.count, 9) + fmt::format("outlier {:.6g}\n", model.outlier_level);
    text += fmt::format("axes {}\n", model.axes.size());
    for (const PropertyAxis& axis : model.axes)
        text += fmt::format("axis {} {}\n", describe(axis.property).name, axis.node.size()) +
                line_of("nodes", axis.node, 9);
    text += fmt::format("terms {}\n", model.terms.size());
    for (const ClassTerm& term : model.terms) {
        text += fmt::format("term {}", term.nodes);
        for (const int axis : term.axis) text += fmt::format(" {}", axis);
        text += '\n' + line_of("weights", term.weight, 4);
        for (const std::vector<double>& table : term.density) text += line_of("density", table, 4);
    }
    return text + "end\n";
}

ClassModel parse_class_model(std::string_view text, const std::string& name) {
    Lines lines(text, name);
    ClassModel model;
    if (lines.next() != magic) lines.fail(fmt::format("it does not start with '{}'", magic));
    model.origin = lines.rest("origin");
    for (const std::string_view word : lines.words("classes", most_classes)) model.classes.emplace_back(word);
    const std::size_t n_classes = model.classes.size();
    if (n_classes < 2 ||
        std::set<std::string>(model.classes.begin(), model.classes.end()).size() != n_classes)
        lines.fail("it needs two classes of different names");
    model.count = lines.numbers("counts", n_classes, 1.0, 1e12);
    model.outlier_level = lines.numbers("outlier", 1, -1e6, 1e6)[0];
    const auto whole = [&](std::string_view word, double lo, double hi) {
        const double value = lines.number(word, lo, hi);
        if (value != std::floor(value)) lines.fail(fmt::format("'{}' is no whole number", word));
        return static_cast<int>(value);
    };
    const int n_axes = whole(lines.rest("axes"), 1.0, static_cast<double>(n_properties));
    for (int a = 0; a < n_axes; ++a) {
        const std::vector<std::string_view> words = lines.words("axis", 2);
        if (words.size() != 2) lines.fail("'axis PROPERTY NODES' was expected");
        PropertyAxis& axis = model.axes.emplace_back();
        const std::optional<Property> property = property_of(words[0]);
        if (!property) lines.fail(fmt::format("no property '{}' is known", words[0]));
        axis.property = *property;
        axis.node =
            lines.numbers("nodes", static_cast<std::size_t>(whole(words[1], 9.0, most_nodes)), -1e30, 1e30);
        for (std::size_t i = 1; i < axis.node.size(); ++i)
            if (!(axis.node[i] > axis.node[i - 1])) lines.fail("nodes do not ascend");
    }
    const int n_terms = whole(lines.rest("terms"), 1.0, most_terms);
    for (int t = 0; t < n_terms; ++t) {
        const std::vector<std::string_view> words = lines.words("term", 3);
        if (words.size() < 2) lines.fail("'term NODES AXIS [AXIS]' was expected");
        ClassTerm& term = model.terms.emplace_back();
        term.nodes = whole(words[0], 2.0, most_nodes);
        for (std::size_t i = 1; i < words.size(); ++i)
            term.axis.push_back(whole(words[i], 0.0, n_axes - 1.0));
        if (term.axis.size() == 2 && term.axis[0] == term.axis[1]) lines.fail("a pair of one property");
        term.weight = lines.numbers("weights", n_classes, 0.0, 100.0);
        std::size_t cells = static_cast<std::size_t>(term.nodes);
        if (term.axis.size() == 2) cells *= cells;
        for (std::size_t k = 0; k < n_classes; ++k)
            term.density.push_back(lines.numbers("density", cells, -1e3, 1e3));
    }
    if (lines.next() != "end" || !lines.ended()) lines.fail("'end' was expected, and nothing after it");
    return model;
}

std::string_view embedded_class_model_text() {
    const auto bytes = class_model_resource();
    return {static_cast<const char*>(static_cast<const void*>(bytes.data())), bytes.size()};
}

const ClassModel& embedded_class_model() {
    static const ClassModel model = parse_class_model(embedded_class_model_text(), "embedded class model");
    return model;
}

std::vector<double> log_priors(const ClassModel& model, const std::string& text) {
    const auto reject = [&](const std::string& why) {
        throw Error(ErrorKind::usage, "BAD_SETTING", fmt::format("class-priors '{}' is not usable", text),
                    why,
                    fmt::format("Use power:X with X from 0 to 1, or CLASS=P;CLASS=P with classes {}.",
                                fmt::join(model.classes, ", ")));
    };
    const auto number = [&](std::string_view word) {
        double value = 0.0;
        const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), value);
        if (failure != std::errc{} || end != word.data() + word.size() || !(value >= 0.0 && value <= 1.0))
            reject(fmt::format("'{}' is no number from 0 to 1", word));
        return value;
    };
    const std::size_t n = model.classes.size();
    std::vector<double> prior(n, -1.0);
    constexpr std::string_view power = "power:";
    if (text.starts_with(power)) {
        const double exponent = number(std::string_view(text).substr(power.size()));
        for (std::size_t k = 0; k < n; ++k) prior[k] = std::pow(model.count[k], exponent);
    } else {
        std::string_view rest = text;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find(';'), rest.size());
            const std::string_view part = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            const std::size_t equals = part.find('=');
            const auto found = std::find(model.classes.begin(), model.classes.end(), part.substr(0, equals));
            if (equals == std::string_view::npos || found == model.classes.end())
                reject(fmt::format("'{}' names no class", part));
            prior[static_cast<std::size_t>(found - model.classes.begin())] = number(part.substr(equals + 1));
        }
        double named = 0.0, unnamed = 0.0;
        for (const double p : prior) (p < 0.0 ? unnamed : named) += p < 0.0 ? 1.0 : p;
        for (double& p : prior)
            if (p < 0.0) p = std::max(0.0, 1.0 - named) / unnamed;
    }
    const double sum = std::accumulate(prior.begin(), prior.end(), 0.0);
    if (!(sum > 0.0)) reject("all priors are 0");
    constexpr double never = -700.0;  // a finite ln 0
    for (double& p : prior) p = p > 0.0 ? std::log(p / sum) : never;
    return prior;
}

Classification classify(const ClassModel& model, const Properties& properties,
                        std::span<const double> log_prior) {
    Classification found;
    std::vector<double> score(log_prior.begin(), log_prior.end());
    std::vector<double> measured(log_prior.size(), 0.0);  // what is said by more than the position
    std::set<Property> used;
    for (const ClassTerm& term : model.terms) {
        std::vector<double> odds = densities(model, term, properties);
        if (odds.empty()) continue;
        const bool position = term.axis.size() == 1 &&
                              model.axes[static_cast<std::size_t>(term.axis[0])].property == Property::log_b;
        TermEvidence& evidence = found.evidence.emplace_back();
        for (const int a : term.axis) {
            const Property property = model.axes[static_cast<std::size_t>(a)].property;
            if (property != Property::log_b) used.insert(property);
            const char* joint = evidence.properties.empty() ? "" : "&";
            evidence.properties += fmt::format("{}{}", joint, describe(property).name);
            evidence.values += fmt::format("{}{:.4g}", joint, properties[static_cast<std::size_t>(property)]);
        }
        const double mean = std::accumulate(odds.begin(), odds.end(), 0.0) / static_cast<double>(odds.size());
        for (std::size_t k = 0; k < odds.size(); ++k) {
            odds[k] = term.weight[k] * (odds[k] - mean);
            score[k] += odds[k];
            if (!position) measured[k] += odds[k];
        }
        evidence.log_odds = std::move(odds);
    }
    const double highest = *std::max_element(score.begin(), score.end());
    double sum = 0.0;
    for (double& s : score) sum += s = std::exp(s - highest);
    for (double& s : score) s /= sum;
    found.probability = std::move(score);
    found.n_properties = static_cast<int>(used.size());
    constexpr double something = 0.5;  // a factor of 1.6 in the odds of some two classes
    const auto [least, most] = std::minmax_element(measured.begin(), measured.end());
    if (found.n_properties == 0 || *most - *least < something) return found;
    found.best = static_cast<int>(std::max_element(found.probability.begin(), found.probability.end()) -
                                  found.probability.begin());
    found.unlike_training = typicality(model, properties) < model.outlier_level;
    return found;
}

}  // namespace xsift::characterise
