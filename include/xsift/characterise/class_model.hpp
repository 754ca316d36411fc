#pragma once
/// @file
/// The classifier: a naive Bayes of kernel densities with a weight for each property and class.
///
/// The score of class k is ln prior_k + sum_t w_tk l_tk(x), where term t is a property or a pair of
/// properties and l_tk its ln density in class k less the mean over all classes. A term that lacks a value
/// adds nothing, so what is not known speaks neither for nor against any class. The weights (0 to 3) allow
/// for what correlated properties say twice. Probabilities are the softmax of the scores.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <xsift/characterise/properties.hpp>

namespace xsift::characterise {

/// Where a property's value lies among the labelled sources: ascending nodes at equal steps of the normal
/// score. Nodes of a pair's grid are every so many of these.
struct PropertyAxis {
    Property property{};
    std::vector<double> node;
    /// Place in units of nodes, 0 to size - 1, linear in between; clamped at the ends.
    double place(double value) const;
    /// How far beyond the nodes, in units of the central half of the nodes; 0 inside.
    double beyond(double value) const;
};

struct ClassTerm {
    std::vector<int> axis;       ///< one or two indices of axes
    int nodes = 0;               ///< an axis
    std::vector<double> weight;  ///< a class
    std::vector<std::vector<double>>
        density;  ///< ln density at the nodes (row-major for a pair) of each class
};

struct ClassModel {
    std::string origin;  ///< of the labels
    std::vector<std::string> classes;
    std::vector<double> count;   ///< labelled sources of each class
    double outlier_level = 0.0;  ///< typicality() below this: unlike all labelled sources
    std::vector<PropertyAxis> axes;
    std::vector<ClassTerm> terms;
};

/// How likely a source's properties are in the class that suits them best: the mean over its single
/// properties of ln density (in normal scores), less half the squared distance beyond the nodes. 0 when
/// nothing is known.
double typicality(const ClassModel& model, const Properties& properties);

/// The model made from the labelled Chandra sources of the repository (scripts/make-class-model).
const ClassModel& embedded_class_model();
/// Its text.
std::string_view embedded_class_model_text();

/// The model as text; what it is read from. @throws Error (corrupt_file, "BAD_CLASS_MODEL").
std::string to_text(const ClassModel& model);
ClassModel parse_class_model(std::string_view text, const std::string& name);

struct LabelledSource {
    Properties properties;
    std::string label;
};

struct TrainingOptions {
    std::string origin;
    double penalty = 2.0;  ///< of a weight's squared distance from 0.2, in units of a source
    int least = 5;         ///< classes with fewer labelled sources are left out
};

/// Densities are those without the source itself wherever it is judged by them. Weights maximise the
/// likelihood of the labels, each class counting by the square root of its number, over the sources as they
/// are, once more with Gaia alone and once more without their counterparts: so a class of which no counterpart is known (isolated
/// neutron stars) is not recognised by that.
/// @throws Error (usage, "BAD_LABELS") with fewer than two classes.
ClassModel train_class_model(std::span<const LabelledSource> sources, const TrainingOptions& options);

/// ln priors: "power:X" (number of labels to the power X; power:0 equal, power:1 the labels' mix) or
/// "CLASS=P;CLASS=P..." (normalised; classes not named share what is left of 1, or get 0).
/// @throws Error (usage, "BAD_SETTING").
std::vector<double> log_priors(const ClassModel& model, const std::string& text);

/// What a term says: ln odds, a class.
struct TermEvidence {
    std::string properties, values;  ///< joined by '&'
    std::vector<double> log_odds;
};

struct Classification {
    std::vector<double> probability;  ///< a class
    std::vector<TermEvidence> evidence;
    int n_properties = 0;          ///< that have a value and a term, the Galactic latitude not counted
    bool unlike_training = false;  ///< less typical of its likeliest class than 99.5% of the labelled sources
    /// -1: what is known beside the position changes no odds of two classes by a factor of 1.6
    int best = -1;
};
Classification classify(const ClassModel& model, const Properties& properties,
                        std::span<const double> log_prior);

/// Rows for the catalogue, the most probable first. The reasons compare a class with its rival (the most
/// probable other class): "PROPERTY=value +log-odds; ..." (natural logarithms), the strongest first; the
/// prior, and the sum of what is not listed as "others", are among them, so that both columns add up to
/// ln(P/P_rival).
std::vector<ClassProbability> class_rows(const ClassModel& model, const Classification& found,
                                         std::span<const double> log_prior);

/// Reasons in words: "log X-ray to optical flux ratio -3.2 (odds x 8.2), ...".
std::string reasons_in_words(std::string_view reasons);

}  // namespace xsift::characterise
