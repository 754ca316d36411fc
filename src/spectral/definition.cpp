#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/spectral/definition.hpp>

namespace xsift::spectral {

namespace {

constexpr const char* known_components =
    "components are tbabs, constant, powerlaw, cutoffpl, bbody, bremss, gaussian, apec, atable{file}, "
    "mtable{file}";

[[noreturn]] void reject_model(const std::string& model, const std::string& why) {
    throw Error(ErrorKind::usage, "UNKNOWN_MODEL", fmt::format("the model '{}' cannot be used", model), why,
                "Write it as tbabs*(bbody+powerlaw).");
}

/// A component as found in the text.
struct Named {
    std::string name, file;
};

/// A sum of products of components.
using Sum = std::vector<std::vector<int>>;

/// Recursive descent: sum = product { + product }, product = factor { [*] factor }, factor = name | ( sum ).
class Parser {
  public:
    explicit Parser(std::string text) : text_(std::move(text)) {}

    Sum parse() {
        Sum sum = parse_sum();
        if (at_ != text_.size()) reject_model(text_, fmt::format("'{}' is not expected", text_.substr(at_)));
        return sum;
    }
    const std::vector<Named>& components() const { return components_; }

  private:
    bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }

    Sum parse_sum() {
        Sum sum = parse_product();
        while (next_is('+')) {
            ++at_;
            for (auto& product : parse_product()) sum.push_back(std::move(product));
        }
        return sum;
    }

    Sum parse_product() {
        Sum product = parse_factor();
        while (next_is('*') || next_is('(')) {
            if (next_is('*')) ++at_;
            const Sum factor = parse_factor();
            Sum expanded;
            for (const auto& a : product)
                for (const auto& b : factor) {
                    expanded.push_back(a);
                    expanded.back().insert(expanded.back().end(), b.begin(), b.end());
                }
            product = std::move(expanded);
            if (product.size() > 64) reject_model(text_, "it has too many terms");
        }
        return product;
    }

    Sum parse_factor() {
        if (++depth_ > 50) reject_model(text_, "its parentheses are nested too deep");
        Sum result;
        if (next_is('(')) {
            ++at_;
            result = parse_sum();
            if (!next_is(')')) reject_model(text_, "a parenthesis is not closed");
            ++at_;
        } else {
            result = {{parse_component()}};
        }
        --depth_;
        return result;
    }

    int parse_component() {
        Named found;
        while (at_ < text_.size() && std::isalnum(static_cast<unsigned char>(text_[at_])) != 0)
            found.name += static_cast<char>(std::tolower(static_cast<unsigned char>(text_[at_++])));
        if (found.name.empty())
            reject_model(text_, at_ < text_.size() ? fmt::format("'{}' is not expected", text_.substr(at_))
                                                   : "it ends where a component is expected");
        if (next_is('{')) {
            const std::size_t end = text_.find('}', at_);
            if (end == std::string::npos) reject_model(text_, "a brace is not closed");
            found.file = text_.substr(at_ + 1, end - at_ - 1);
            at_ = end + 1;
        }
        components_.push_back(std::move(found));
        return static_cast<int>(components_.size()) - 1;
    }

    std::string text_;
    std::size_t at_ = 0;
    int depth_ = 0;
    std::vector<Named> components_;
};

/// Without blanks; those inside braces stay.
std::string without_blanks(const std::string& text) {
    std::string out;
    bool inside = false;
    for (const char c : text) {
        inside = c == '{' || (inside && c != '}');
        if (inside || std::isspace(static_cast<unsigned char>(c)) == 0) out += c;
    }
    return out;
}

ModelParameter parameter(const char* name, const char* unit, double value, double lo, double hi,
                         bool logarithmic = false) {
    ModelParameter p;
    p.name = name;
    p.unit = unit;
    p.value = value;
    p.lo = lo;
    p.hi = hi;
    p.logarithmic = logarithmic;
    return p;
}

ModelParameter frozen(ModelParameter p) {
    p.frozen = true;
    return p;
}

/// Appends the parameters of a table.
void add_table(Component& c, std::vector<ModelParameter>& out) {
    c.n_axes = static_cast<int>(c.table->axes.size());
    for (const TableAxis& axis : c.table->axes) {
        const bool decades = axis.lo > 0.0 && axis.hi >= 30.0 * axis.lo;
        ModelParameter p =
            parameter(axis.name.c_str(), axis.unit.c_str(), axis.initial, axis.lo, axis.hi, decades);
        p.frozen = axis.frozen || !(axis.hi > axis.lo);
        p.may_vary = axis.hi > axis.lo;
        out.push_back(p);
    }
    if (c.table->redshift) {
        out.push_back(frozen(parameter(c.table->name == "apec" ? "Redshift" : "z", "", 0.0, -0.999, 20.0)));
        out.back().may_vary = false;
    }
}

/// The component of a name with its parameters, XSPEC's names and defaults.
/// @return nothing when the name is not known
std::optional<Component> make_component(const Named& named, const FitOptions& options,
                                        std::vector<ModelParameter>& out) {
    Component c;
    const auto is = [&](const char* name) { return named.name == name && named.file.empty(); };
    if (is("tbabs")) {
        c.kind = ComponentKind::tbabs;
        c.additive = false;
        out.push_back(parameter("nH", "10**22 cm**-2", 0.1, nh_limits.lo, nh_limits.hi));
    } else if (is("constant")) {
        c.kind = ComponentKind::constant;
        c.additive = false;
        out.push_back(parameter("factor", "", 1.0, 1e-6, 1e6, true));
    } else if (is("powerlaw")) {
        c.kind = ComponentKind::powerlaw;
        out.push_back(parameter("PhoIndex", "", 2.0, -3.0, 10.0));
    } else if (is("cutoffpl")) {
        c.kind = ComponentKind::cutoffpl;
        out.push_back(parameter("PhoIndex", "", 1.0, -3.0, 10.0));
        out.push_back(parameter("HighECut", "keV", 15.0, 0.1, 500.0, true));
    } else if (is("bbody")) {
        c.kind = ComponentKind::bbody;
        out.push_back(parameter("kT", "keV", 0.3, 0.01, 100.0, true));
    } else if (is("bremss")) {
        c.kind = ComponentKind::bremss;
        out.push_back(parameter("kT", "keV", 2.0, 0.03, 100.0, true));
    } else if (is("gaussian") || is("gauss")) {
        c.kind = ComponentKind::gaussian;
        out.push_back(parameter("LineE", "keV", 6.5, 0.05, 100.0));
        out.push_back(parameter("Sigma", "keV", 0.1, 1e-4, 20.0, true));
    } else if (is("apec")) {
        c.kind = ComponentKind::table;
        c.table = options.apec ? options.apec : embedded_apec();
        add_table(c, out);
    } else if ((named.name == "atable" || named.name == "mtable") && !named.file.empty()) {
        const auto found = options.tables.find(named.file);
        if (found == options.tables.end())
            throw Error(ErrorKind::usage, "UNKNOWN_MODEL",
                        fmt::format("the table {} was not read", named.file));
        if (found->second->additive != (named.name == "atable"))
            throw Error(ErrorKind::usage, "UNKNOWN_MODEL",
                        fmt::format("the table {} is {}", named.file,
                                    found->second->additive ? "additive" : "multiplicative"),
                        "", fmt::format("Write {}table.", found->second->additive ? 'a' : 'm'));
        c.kind = ComponentKind::table;
        c.table = found->second;
        c.additive = c.table->additive;
        add_table(c, out);
    } else {
        return std::nullopt;
    }
    if (c.additive) {
        out.push_back(parameter("norm", "", 1e-5, norm_limits.lo, norm_limits.hi, true));
        out.back().is_norm = true;
    }
    return c;
}

/// Names components; those that occur more than once are numbered.
void name_components(const std::vector<Named>& found, ModelDefinition& model) {
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto same = [&](const Named& other) { return other.name == found[i].name; };
        std::string name = found[i].name;
        if (std::count_if(found.begin(), found.end(), same) > 1)
            name += std::to_string(
                1 + std::count_if(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(i), same));
        Component& c = model.components[i];
        c.name = name;
        for (int p = c.first_parameter; p < c.first_parameter + c.n_parameters; ++p)
            model.parameters[static_cast<std::size_t>(p)].component = name;
    }
}

void make_terms(const Sum& sum, ModelDefinition& model) {
    for (const auto& product : sum) {
        Term term{-1, {}};
        for (const int i : product) {
            if (!model.components[static_cast<std::size_t>(i)].additive)
                term.factors.push_back(i);
            else if (term.additive < 0)
                term.additive = i;
            else
                reject_model(model.text, "it multiplies two additive components");
        }
        if (term.additive < 0) reject_model(model.text, "a term has no additive component");
        model.terms.push_back(std::move(term));
    }
}

/// A setting "[MODEL:] COMPONENT.NAME = VALUE [frozen|free] [in LO:HI]", "... = COMPONENT.NAME",
/// "... frozen|free" or "... in LO:HI".
struct Assignment {
    std::string text, model, target, tied_to;
    std::optional<double> value, lo, hi;
    std::optional<bool> frozen;
};

[[noreturn]] void reject_setting(const std::string& setting, const std::string& why) {
    throw Error(
        ErrorKind::usage, "MODEL_PARAMETER", fmt::format("the parameter setting '{}' is not usable", setting),
        why, "Write as 'apec.Abundanc = 0.3 frozen', 'powerlaw.PhoIndex in 1:3' or 'apec2.kT = apec1.kT'.");
}

std::optional<double> number(std::string_view text) {
    double value = 0.0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
        return std::nullopt;
    return value;
}

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : text + ' ') {
        if (c != ' ' && c != '\t' && c != '=') {
            word += c;
            continue;
        }
        if (!word.empty()) words.push_back(std::exchange(word, {}));
        if (c == '=') words.emplace_back("=");
    }
    return words;
}

Assignment parse_assignment(const std::string& setting) {
    Assignment a;
    a.text = setting;
    std::string rest = setting;
    const std::size_t colon = rest.find(':');
    const std::size_t equals = std::min(rest.find('='), rest.find(" in "));
    if (colon != std::string::npos && colon < equals) {
        a.model = without_blanks(rest.substr(0, colon));
        rest = rest.substr(colon + 1);
    }
    const std::vector<std::string> words = words_of(rest);
    if (words.size() < 2) reject_setting(setting, "it sets nothing");
    a.target = lower(words[0]);
    if (a.target.find('.') == std::string::npos) reject_setting(setting, "no COMPONENT.PARAMETER is named");
    for (std::size_t i = 1; i < words.size(); ++i) {
        const std::string word = lower(words[i]);
        if (word == "=" && i + 1 < words.size()) {
            a.value = number(words[++i]);
            if (!a.value) a.tied_to = lower(words[i]);
        } else if (word == "frozen" || word == "free") {
            a.frozen = word == "frozen";
        } else if (word == "in" && i + 1 < words.size()) {
            const std::string& range = words[++i];
            const std::size_t middle = range.find(':');
            if (middle == std::string::npos) reject_setting(setting, "a range is LO:HI");
            a.lo = number(std::string_view(range).substr(0, middle));
            a.hi = number(std::string_view(range).substr(middle + 1));
            if (!a.lo || !a.hi || !(*a.lo < *a.hi))
                reject_setting(setting, "a range is LO:HI with LO below HI");
        } else {
            reject_setting(setting, fmt::format("'{}' is not understood", words[i]));
        }
    }
    return a;
}

/// Whether "apec1.kt" or "apec.kt" (all of that name) means a parameter.
bool names(const std::string& target, const ModelParameter& p) {
    const std::string own = lower(p.full_name());
    if (target == own) return true;
    std::string component = lower(p.component);
    while (!component.empty() && std::isdigit(static_cast<unsigned char>(component.back())) != 0)
        component.pop_back();
    return target == component + "." + lower(p.name);
}

void set_limits(const Assignment& a, ModelParameter& p) {
    if (!a.lo) return;
    if (*a.lo < p.lo || *a.hi > p.hi)
        if (!p.is_norm)
            reject_setting(a.text, fmt::format("{} lies within {}:{}", p.full_name(), p.lo, p.hi));
    if (p.logarithmic && !(*a.lo > 0.0)) reject_setting(a.text, fmt::format("{} is positive", p.full_name()));
    p.lo = *a.lo;
    p.hi = *a.hi;
    p.value = std::clamp(p.value, p.lo, p.hi);
}

/// @return whether the model has such a parameter
bool apply(const Assignment& a, ModelDefinition& model) {
    if (!a.model.empty() && a.model != model.text) return false;
    bool met = false;
    for (std::size_t i = 0; i < model.parameters.size(); ++i) {
        ModelParameter& p = model.parameters[i];
        if (!names(a.target, p)) continue;
        if (!a.tied_to.empty()) {
            const auto to =
                std::find_if(model.parameters.begin(), model.parameters.end(),
                             [&](const ModelParameter& q) { return lower(q.full_name()) == a.tied_to; });
            if (to == model.parameters.end()) {
                if (!a.model.empty()) reject_setting(a.text, fmt::format("the model has no {}", a.tied_to));
                continue;
            }
            const int target = static_cast<int>(to - model.parameters.begin());
            if (target == static_cast<int>(i)) continue;
            if (to->tied_to >= 0) reject_setting(a.text, fmt::format("{} is tied itself", to->full_name()));
            if (to->is_norm != p.is_norm || !p.may_vary)
                reject_setting(a.text, fmt::format("{} cannot follow {}", p.full_name(), to->full_name()));
            p.tied_to = target;
        }
        met = true;
        set_limits(a, p);
        if (a.value) {
            if (!(*a.value >= p.lo && *a.value <= p.hi))
                reject_setting(a.text, fmt::format("{} lies within {}:{}", p.full_name(), p.lo, p.hi));
            p.value = *a.value;
        }
        if (a.frozen) {
            if (!*a.frozen && !p.may_vary)
                reject_setting(a.text, fmt::format("{} cannot be free", p.full_name()));
            p.frozen = *a.frozen;
        }
    }
    return met;
}

}  // namespace

std::vector<double> ModelDefinition::initial_values() const {
    std::vector<double> values;
    for (const ModelParameter& p : parameters) values.push_back(p.value);
    apply_ties(values);
    return values;
}

void ModelDefinition::apply_ties(std::vector<double>& values) const {
    for (std::size_t i = 0; i < parameters.size(); ++i)
        if (parameters[i].tied_to >= 0) values[i] = values[static_cast<std::size_t>(parameters[i].tied_to)];
}

int ModelDefinition::n_free() const {
    return static_cast<int>(std::count_if(parameters.begin(), parameters.end(),
                                          [](const ModelParameter& p) { return p.free(); }));
}

bool ModelDefinition::covers(double lo, double hi) const {
    return std::all_of(components.begin(), components.end(), [&](const Component& c) {
        if (!c.table) return true;
        const std::size_t z = static_cast<std::size_t>(c.first_parameter + c.n_axes);
        const double stretch = c.table->redshift ? 1.0 + parameters[z].value : 1.0;
        return lo * stretch >= c.table->edge.front() && hi * stretch <= c.table->edge.back();
    });
}

namespace {

ModelDefinition define(const std::string& text, const FitOptions& options,
                       const std::vector<Assignment>& assignments, std::vector<bool>& met) {
    ModelDefinition model;
    model.text = without_blanks(text);
    Parser parser(model.text);
    const Sum sum = parser.parse();
    for (const Named& named : parser.components()) {
        const std::size_t first = model.parameters.size();
        auto component = make_component(named, options, model.parameters);
        if (!component)
            reject_model(model.text, fmt::format("'{}' is not known; {}", named.name, known_components));
        component->first_parameter = static_cast<int>(first);
        component->n_parameters = static_cast<int>(model.parameters.size() - first);
        model.components.push_back(std::move(*component));
    }
    name_components(parser.components(), model);
    make_terms(sum, model);
    for (std::size_t i = 0; i < assignments.size(); ++i)
        if (apply(assignments[i], model)) met[i] = true;
    constexpr int most_free = 12;
    if (model.n_free() > most_free)
        reject_model(model.text,
                     fmt::format("it has {} free parameters, more than {}", model.n_free(), most_free));
    bool free_norm = false;
    for (const ModelParameter& p : model.parameters) {
        free_norm = free_norm || (p.is_norm && p.free());
        if (p.tied_to >= 0 && model.parameters[static_cast<std::size_t>(p.tied_to)].tied_to >= 0)
            reject_model(model.text,
                         fmt::format("{} follows a parameter that is tied itself", p.full_name()));
    }
    if (!free_norm) reject_model(model.text, "none of its norms is free");
    return model;
}

}  // namespace

ModelDefinition define_model(const std::string& text, const FitOptions& options) {
    std::vector<Assignment> assignments;
    for (const std::string& setting : options.parameters) assignments.push_back(parse_assignment(setting));
    std::vector<bool> met(assignments.size());
    return define(text, options, assignments, met);
}

std::vector<ModelDefinition> define_models(const FitOptions& options) {
    std::vector<Assignment> assignments;
    for (const std::string& setting : options.parameters) assignments.push_back(parse_assignment(setting));
    std::vector<bool> met(assignments.size());
    std::vector<ModelDefinition> models;
    for (const std::string& text : options.models) models.push_back(define(text, options, assignments, met));
    for (std::size_t i = 0; i < met.size(); ++i)
        if (!met[i]) reject_setting(assignments[i].text, "none of the models has that parameter");
    return models;
}

std::vector<std::string> table_files(const std::string& model) {
    Parser parser(without_blanks(model));
    parser.parse();
    std::vector<std::string> files;
    for (const Named& named : parser.components())
        if (!named.file.empty()) files.push_back(named.file);
    return files;
}

}  // namespace xsift::spectral
