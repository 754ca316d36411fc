#include "period_term.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include <xsift/characterise/class_model.hpp>
#include <xsift/core/constants.hpp>
#include <xsift/core/error.hpp>

namespace xsift::characterise {

namespace {

constexpr int axis_nodes = 41, pair_nodes = 17;  // steps of 0.15 and 0.375 in normal scores
constexpr double widest_score = 3.0;
/// Pairs that say together what they do not say alone; correlations within a class are theirs to describe.
constexpr std::array<std::array<Property, 2>, 11> pairs{{
    {Property::hr_ms, Property::hr_hm},
    {Property::hr_hms, Property::log_b},
    {Property::fx_g, Property::bp_rp},
    {Property::abs_g, Property::bp_rp},
    {Property::log_lx, Property::hr_hms},
    {Property::fx_g, Property::hr_hms},
    {Property::w1_w2, Property::fx_w1},
    {Property::j_h, Property::h_k},
    {Property::hr_hm, Property::p_intra},
    {Property::log_lx, Property::abs_g},
    {Property::fx_w1, Property::hr_hms},
}};
/// So many sources of a broad density (a normal of this width) stand in each class beside its own: bounds
/// what few sources can claim.
constexpr double broad_sources = 3.0, broad_width = 1.15;
/// What weights are drawn to. The parallax stands nearly alone (it tells Galactic sources from others,
/// colours and hardness do not follow it), so it may say what it says; the others repeat each other.
constexpr double usual_weight = 0.2, parallax_weight = 1.0, most_weight = 3.0;
constexpr std::size_t least_of_property = 20;

double normal_density(double x, double width) {
    return std::exp(-0.5 * x * x / (width * width)) / (width * std::sqrt(constants::two_pi));
}

/// Share of such a normal above a value.
double normal_above(double x, double width) {
    return 0.5 * std::erfc(x / (width * std::sqrt(2.0)));
}

double score_of(int node, int nodes) {
    return -widest_score + 2.0 * widest_score * node / (nodes - 1);
}

struct Labels {
    std::vector<std::string> classes;
    std::vector<int> of;  ///< class of each source used
    std::vector<double> count;
};

/// Nodes at the quantiles of all classes together, each counting by the square root of its number.
PropertyAxis make_axis(Property property, std::span<const double> values, const Labels& labels) {
    std::vector<std::size_t> order;
    std::vector<double> n(labels.classes.size(), 0.0);
    for (std::size_t i = 0; i < values.size(); ++i)
        if (std::isfinite(values[i])) order.push_back(i), n[static_cast<std::size_t>(labels.of[i])] += 1.0;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    std::vector<double> at, share;
    double sum = 0.0;
    for (std::size_t i = 0; i < order.size();) {
        double weight = 0.0;
        const double value = values[order[i]];
        for (; i < order.size() && values[order[i]] == value; ++i)
            weight += 1.0 / std::sqrt(n[static_cast<std::size_t>(labels.of[order[i]])]);
        at.push_back(value);
        share.push_back(sum + 0.5 * weight);
        sum += weight;
    }
    PropertyAxis axis{property, {}};
    const double least_step =
        1e-6 * std::max({at.back() - at.front(), std::fabs(at.front()), std::fabs(at.back()), 1e-20});
    for (int node = 0; node < axis_nodes; ++node) {
        const double wanted = 0.5 * std::erfc(-score_of(node, axis_nodes) / std::sqrt(2.0)) * sum;
        const auto above = std::lower_bound(share.begin(), share.end(), wanted) - share.begin();
        double value = above == 0 ? at.front() : at.back();
        if (above > 0 && static_cast<std::size_t>(above) < at.size()) {
            const auto hi = static_cast<std::size_t>(above);
            value =
                at[hi - 1] + (at[hi] - at[hi - 1]) * (wanted - share[hi - 1]) / (share[hi] - share[hi - 1]);
        }
        // Values shared by many sources would make nodes coincide.
        if (node > 0) value = std::max(value, axis.node.back() + least_step);
        axis.node.push_back(value);
    }
    return axis;
}

/// Width of the kernels along one axis: Silverman's, from scores; d dimensions.
double kernel_width(std::vector<double> scores, int dimensions) {
    const double n = static_cast<double>(scores.size());
    if (n < 4.0) return 0.9;
    const double mean = std::accumulate(scores.begin(), scores.end(), 0.0) / n;
    double square = 0.0;
    for (const double s : scores) square += (s - mean) * (s - mean);
    std::sort(scores.begin(), scores.end());
    const double quartiles =
        (scores[static_cast<std::size_t>(0.75 * n)] - scores[static_cast<std::size_t>(0.25 * n)]) / 1.34;
    const double sigma = std::sqrt(square / n);
    const double spread = std::max(0.2, quartiles > 0.0 ? std::min(sigma, quartiles) : sigma);
    const double least = dimensions == 1 ? 0.12 : 0.2;
    return std::max(least, 0.9 * spread * std::pow(n, -1.0 / (4.0 + dimensions)));
}

/// A term and, for each source, the ln densities of all classes made without that source.
struct TrainedTerm {
    ClassTerm term;
    std::vector<std::vector<double>> left_out;  ///< source, class; empty where a value is missing
};

TrainedTerm train_term(std::vector<int> axis_of, const std::vector<std::vector<double>>& scores,
                       const Labels& labels) {
    TrainedTerm made;
    const std::size_t n_classes = labels.classes.size(), dimensions = axis_of.size();
    const int nodes = dimensions == 1 ? axis_nodes : pair_nodes;
    made.term.axis = std::move(axis_of);
    made.term.nodes = nodes;
    made.left_out.resize(labels.of.size());
    std::vector<std::vector<std::size_t>> members(n_classes);
    for (std::size_t i = 0; i < labels.of.size(); ++i) {
        bool known = true;
        for (const int a : made.term.axis) known &= std::isfinite(scores[static_cast<std::size_t>(a)][i]);
        if (known) members[static_cast<std::size_t>(labels.of[i])].push_back(i);
    }
    const std::size_t rows = static_cast<std::size_t>(nodes), columns = dimensions == 1 ? 1 : rows;
    const auto at = [&](std::size_t d, std::size_t i) {
        return scores[static_cast<std::size_t>(made.term.axis[d])][i];
    };
    // Sums of kernels at the nodes, and at the sources themselves.
    std::vector<std::vector<double>> width(n_classes);
    std::vector<double> broad(rows * columns);
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t c = 0; c < columns; ++c)
            broad[r * columns + c] =
                normal_density(score_of(static_cast<int>(r), nodes), broad_width) *
                (dimensions == 1 ? 1.0 : normal_density(score_of(static_cast<int>(c), nodes), broad_width));
    for (std::size_t k = 0; k < n_classes; ++k) {
        for (std::size_t d = 0; d < dimensions; ++d) {
            std::vector<double> own;
            for (const std::size_t i : members[k]) own.push_back(at(d, i));
            width[k].push_back(kernel_width(std::move(own), static_cast<int>(dimensions)));
        }
        std::vector<double>& table = made.term.density.emplace_back(rows * columns, 0.0);
        std::vector<double> second(columns, 1.0);
        for (const std::size_t i : members[k]) {
            if (dimensions == 2)
                for (std::size_t c = 0; c < columns; ++c)
                    second[c] = normal_density(score_of(static_cast<int>(c), nodes) - at(1, i), width[k][1]);
            for (std::size_t r = 0; r < rows; ++r) {
                const double first =
                    normal_density(score_of(static_cast<int>(r), nodes) - at(0, i), width[k][0]);
                for (std::size_t c = 0; c < columns; ++c) table[r * columns + c] += first * second[c];
            }
        }
    }
    // The same interpolation as of a finished model, in the densities: place of a score on the nodes.
    const auto look_up = [&](const std::vector<double>& table, std::size_t i) {
        std::array<std::size_t, 2> first{};
        std::array<double, 2> part{};
        for (std::size_t d = 0; d < dimensions; ++d) {
            const double place = (at(d, i) + widest_score) / (2.0 * widest_score) * (nodes - 1);
            const double floor = std::clamp(std::floor(place), 0.0, nodes - 2.0);
            first[d] = static_cast<std::size_t>(floor);
            part[d] = std::clamp(place - floor, 0.0, 1.0);
        }
        const double* row = &table[first[0] * columns + first[1]];
        if (dimensions == 1) return row[0] * (1.0 - part[0]) + row[1] * part[0];
        return (row[0] * (1.0 - part[1]) + row[1] * part[1]) * (1.0 - part[0]) +
               (row[columns] * (1.0 - part[1]) + row[columns + 1] * part[1]) * part[0];
    };
    for (std::size_t k = 0; k < n_classes; ++k) {
        double peak = 1.0;
        for (const double h : width[k]) peak *= normal_density(0.0, h);
        for (std::size_t own = 0; own < n_classes; ++own)
            for (const std::size_t i : members[own]) {
                double sum = look_up(made.term.density[k], i), n = static_cast<double>(members[k].size());
                if (own == k) sum = std::max(0.0, sum - peak), n -= 1.0;
                made.left_out[i].push_back(
                    std::log((sum + broad_sources * look_up(broad, i)) / (n + broad_sources)));
            }
    }
    for (std::size_t k = 0; k < n_classes; ++k)
        for (std::size_t cell = 0; cell < rows * columns; ++cell)
            made.term.density[k][cell] = std::log((made.term.density[k][cell] + broad_sources * broad[cell]) /
                                                  (static_cast<double>(members[k].size()) + broad_sources));
    return made;
}

/// Properties that need no catalogue but Gaia's.
bool of_gaia(Property property) {
    constexpr std::array gaia{Property::fx_g,  Property::bp_rp,  Property::g_rp,   Property::parallax_sn,
                              Property::abs_g, Property::log_lx, Property::log_pm, Property::fx_g_above};
    return std::find(gaia.begin(), gaia.end(), property) != gaia.end();
}

/// A row of the fit: what the terms say, centred on the mean over classes.
struct Example {
    int label = 0;
    double weight = 1.0;
    std::vector<std::pair<std::size_t, const std::vector<double>*>> said;  ///< term, centred ln densities
};

/// Maximises the weighted likelihood with weights in [0, most_weight]: accelerated projected gradient with
/// restarts (O'Donoghue & Candes 2015). Convex: one maximum.
std::vector<double> fit_weights(const std::vector<Example>& examples, const std::vector<double>& log_prior,
                                const std::vector<double>& usual, double penalty) {
    const std::size_t n_classes = log_prior.size(), n = usual.size() * n_classes;
    std::vector<double> score(n_classes);
    const auto loss = [&](const std::vector<double>& w, std::vector<double>* gradient) {
        double sum = 0.0;
        if (gradient != nullptr) gradient->assign(n, 0.0);
        for (const Example& example : examples) {
            score = log_prior;
            for (const auto& [t, odds] : example.said)
                for (std::size_t k = 0; k < n_classes; ++k) score[k] += w[t * n_classes + k] * (*odds)[k];
            const double highest = *std::max_element(score.begin(), score.end());
            double total = 0.0;
            const double own = score[static_cast<std::size_t>(example.label)];
            for (double& s : score) total += s = std::exp(s - highest);
            sum -= example.weight * (own - highest - std::log(total));
            if (gradient == nullptr) continue;
            for (std::size_t k = 0; k < n_classes; ++k)
                score[k] =
                    example.weight * (score[k] / total - (static_cast<int>(k) == example.label ? 1.0 : 0.0));
            for (const auto& [t, odds] : example.said)
                for (std::size_t k = 0; k < n_classes; ++k)
                    (*gradient)[t * n_classes + k] += score[k] * (*odds)[k];
        }
        for (std::size_t i = 0; i < n; ++i) {
            const double away = w[i] - usual[i / n_classes];
            sum += penalty * away * away;
            if (gradient != nullptr) (*gradient)[i] += 2.0 * penalty * away;
        }
        return sum;
    };
    std::vector<double> w, gradient, next(n);
    for (const double start : usual) w.insert(w.end(), n_classes, start);
    std::vector<double> ahead = w;
    double step = 1e-3, momentum = 1.0, before = loss(w, nullptr);
    for (int round = 0; round < 2000; ++round) {
        const double here = loss(ahead, &gradient);
        double there = 0.0;
        for (;; step *= 0.5) {
            double slope = 0.0, square = 0.0;
            for (std::size_t i = 0; i < n; ++i) {
                next[i] = std::clamp(ahead[i] - step * gradient[i], 0.0, most_weight);
                const double move = next[i] - ahead[i];
                slope += gradient[i] * move;
                square += move * move;
            }
            there = loss(next, nullptr);
            if (there <= here + slope + 0.5 * square / step + 1e-12 * std::fabs(here)) break;
        }
        const bool worse = there > before;
        const double faster = worse ? 1.0 : 0.5 * (1.0 + std::sqrt(1.0 + 4.0 * momentum * momentum));
        double moved = 0.0;
        for (std::size_t i = 0; i < n; ++i) {
            const double move = next[i] - w[i];
            moved = std::max(moved, std::fabs(move));
            ahead[i] = worse ? w[i] : next[i] + (momentum - 1.0) / faster * move;
        }
        if (worse) {
            if (momentum == 1.0) break;  // a plain step from w gained nothing: rounding
            momentum = 1.0;
            continue;
        }
        w = next;
        before = there;
        momentum = faster;
        step *= 1.1;
        if (moved < 2e-4) break;
    }
    return w;
}

/// Of a lower limit: ln probability of each class that the bounded property, of which `scores` are measured,
/// is above it. Its axis is that of the bounded property; limits are scores on it.
TrainedTerm train_limit(int axis, std::span<const double> scores, std::span<const double> limits,
                        const Labels& labels) {
    TrainedTerm made;
    made.term.axis = {axis};
    made.term.nodes = axis_nodes;
    made.left_out.resize(labels.of.size());
    for (std::size_t k = 0; k < labels.classes.size(); ++k) {
        std::vector<double> own;
        for (std::size_t i = 0; i < labels.of.size(); ++i)
            if (static_cast<std::size_t>(labels.of[i]) == k && std::isfinite(scores[i]))
                own.push_back(scores[i]);
        const double width = kernel_width(own, 1), n = static_cast<double>(own.size());
        const auto log_share_above = [&](double limit) {
            double sum = broad_sources * normal_above(limit, broad_width);
            for (const double score : own) sum += normal_above(limit - score, width);
            return std::log(sum / (n + broad_sources));
        };
        std::vector<double>& table = made.term.density.emplace_back();
        for (int node = 0; node < axis_nodes; ++node)
            table.push_back(log_share_above(score_of(node, axis_nodes)));
        for (std::size_t i = 0; i < labels.of.size(); ++i)
            if (std::isfinite(limits[i])) made.left_out[i].push_back(log_share_above(limits[i]));
    }
    return made;
}

Labels collect_labels(std::span<const LabelledSource> sources, int least, std::vector<std::size_t>& used) {
    std::map<std::string, int> count;
    for (const LabelledSource& source : sources)
        if (!source.label.empty()) ++count[source.label];
    Labels labels;
    for (const auto& [name, n] : count)
        if (n >= least) labels.classes.push_back(name), labels.count.push_back(n);
    if (labels.classes.size() < 2)
        throw Error(ErrorKind::usage, "BAD_LABELS", "no class model can be trained",
                    fmt::format("{} classes have {} labelled sources or more, two are needed",
                                labels.classes.size(), least),
                    "Give a table with a column of class names.");
    for (std::size_t i = 0; i < sources.size(); ++i) {
        const auto found = std::find(labels.classes.begin(), labels.classes.end(), sources[i].label);
        if (found == labels.classes.end()) continue;
        used.push_back(i);
        labels.of.push_back(static_cast<int>(found - labels.classes.begin()));
    }
    return labels;
}

double quantile(std::vector<double> values, double share) {
    const auto at = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
    return values[at];
}

}  // namespace

ClassModel train_class_model(std::span<const LabelledSource> sources, const TrainingOptions& options) {
    std::vector<std::size_t> used;
    const Labels labels = collect_labels(sources, options.least, used);
    const std::size_t n_classes = labels.classes.size();
    ClassModel model;
    model.origin = options.origin;
    model.classes = labels.classes;
    model.count = labels.count;

    std::vector<std::vector<double>> scores;
    std::array<int, n_properties> axis_of{};
    axis_of.fill(-1);
    std::vector<TrainedTerm> trained;
    for (std::size_t p = 0; p < n_properties; ++p) {
        const std::optional<Property> bounded = bounded_by(static_cast<Property>(p));
        const int base = bounded ? axis_of[static_cast<std::size_t>(*bounded)] : -1;
        if (bounded && base < 0) continue;  // limits are the last: what they bound has its axis
        std::vector<double> values;
        std::size_t known = 0;
        for (const std::size_t i : used) {
            values.push_back(sources[i].properties[p]);
            known += std::isfinite(values.back()) ? 1 : 0;
        }
        if (known < least_of_property) continue;
        axis_of[p] = static_cast<int>(model.axes.size());
        model.axes.push_back(bounded ? model.axes[static_cast<std::size_t>(base)]
                                     : make_axis(static_cast<Property>(p), values, labels));
        PropertyAxis& axis = model.axes.back();
        axis.property = static_cast<Property>(p);
        for (double& value : values)
            if (std::isfinite(value))
                value = -widest_score + 2.0 * widest_score * axis.place(value) / (axis_nodes - 1.0);
        scores.push_back(std::move(values));
        trained.push_back(
            bounded ? train_limit(axis_of[p], scores[static_cast<std::size_t>(base)], scores.back(), labels)
                    : train_term({axis_of[p]}, scores, labels));
    }
    for (const auto& [first, second] : pairs) {
        const int a = axis_of[static_cast<std::size_t>(first)], b = axis_of[static_cast<std::size_t>(second)];
        if (a >= 0 && b >= 0) trained.push_back(train_term({a, b}, scores, labels));
    }

    // Typicality of each source in the class that suits it best, without itself; then centre the densities.
    std::vector<double> typical;
    for (std::size_t i = 0; i < used.size(); ++i) {
        std::vector<double> sum(n_classes, 0.0);
        int n = 0;
        for (TrainedTerm& term : trained) {
            std::vector<double>& said = term.left_out[i];
            if (said.empty()) continue;
            const Property first = model.axes[static_cast<std::size_t>(term.term.axis[0])].property;
            if (term.term.axis.size() == 1 && !bounded_by(first)) {
                ++n;
                for (std::size_t k = 0; k < n_classes; ++k) sum[k] += said[k];
            }
            const double mean =
                std::accumulate(said.begin(), said.end(), 0.0) / static_cast<double>(n_classes);
            for (double& value : said) value -= mean;
        }
        if (n > 0) typical.push_back(*std::max_element(sum.begin(), sum.end()) / n);
    }
    constexpr double unlike_share = 0.005;
    if (typical.empty())
        throw Error(ErrorKind::usage, "BAD_LABELS", "no class model can be trained",
                    "no property is known of any labelled source",
                    "Name the columns with --column PROPERTY=COLUMN.");
    model.outlier_level = quantile(std::move(typical), unlike_share);

    double weighted = 0.0;
    std::vector<double> class_weight, log_prior;
    for (const double n : labels.count) weighted += std::sqrt(n);
    for (const double n : labels.count) {
        class_weight.push_back(static_cast<double>(used.size()) / (weighted * std::sqrt(n)));
        log_prior.push_back(std::log(std::sqrt(n) / weighted));
    }
    std::vector<Example> examples;
    for (std::size_t i = 0; i < used.size(); ++i) {
        const auto said_by = [&](const auto& known) {
            Example example{labels.of[i], class_weight[static_cast<std::size_t>(labels.of[i])], {}};
            for (std::size_t t = 0; t < trained.size(); ++t) {
                const std::vector<int>& axes = trained[t].term.axis;
                const bool all = std::all_of(axes.begin(), axes.end(), [&](int a) {
                    return known(model.axes[static_cast<std::size_t>(a)].property);
                });
                if (all && !trained[t].left_out[i].empty())
                    example.said.emplace_back(t, &trained[t].left_out[i]);
            }
            return example;
        };
        Example whole = said_by([](Property) { return true; });
        Example gaia = said_by([](Property p) { return !describe(p).counterpart || of_gaia(p); });
        Example alone = said_by([](Property p) { return !describe(p).counterpart; });
        if (alone.said.size() < gaia.said.size() && gaia.said.size() < whole.said.size())
            examples.push_back(std::move(gaia));
        if (alone.said.size() < whole.said.size()) examples.push_back(std::move(alone));
        examples.push_back(std::move(whole));
    }
    std::vector<double> usual;
    for (const TrainedTerm& one : trained) {
        const auto of = [&](Property property) {
            return one.term.axis.size() == 1 &&
                   model.axes[static_cast<std::size_t>(one.term.axis[0])].property == property;
        };
        usual.push_back(of(Property::parallax_sn) ? parallax_weight : usual_weight);
    }
    const std::vector<double> weights = fit_weights(examples, log_prior, usual, options.penalty);
    for (std::size_t t = 0; t < trained.size(); ++t) {
        trained[t].term.weight.assign(weights.begin() + static_cast<std::ptrdiff_t>(t * n_classes),
                                      weights.begin() + static_cast<std::ptrdiff_t>((t + 1) * n_classes));
        model.terms.push_back(std::move(trained[t].term));
    }
    if (axis_of[static_cast<std::size_t>(Property::log_period)] < 0) add_period_term(model);
    return parse_class_model(to_text(model), "trained class model");  // what the file will say
}

}  // namespace xsift::characterise
