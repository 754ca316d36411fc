#pragma once
// The body of shape_lanes_*, included by each inside its own namespace. Nothing of the standard library
// inside.

#include <xsift/core/lane_math.hpp>

/// Several numbers that stand for one in the formulas of models.hpp.
struct Real {
    Lanes v;

    Real() = default;
    Real(double x) : v(all(x)) {}  // NOLINT: implicit on purpose, as is the next
    Real(Lanes x) : v(x) {}

    friend Real operator-(Real a) { return {-a.v}; }
    friend Real operator+(Real a, Real b) { return {a.v + b.v}; }
    friend Real operator-(Real a, Real b) { return {a.v - b.v}; }
    friend Real operator*(Real a, Real b) { return {a.v * b.v}; }
    friend Real operator/(Real a, Real b) { return {a.v / b.v}; }
};
struct Condition {
    Bits holds;  ///< all bits of a lane, or none
};
struct LaneIndex {
    Bits of;
};

static Condition operator<(Real a, Real b) {
    return {reinterpret_cast<Bits>(a.v < b.v)};
}
static Condition operator>(Real a, Real b) {
    return b < a;
}
static Real exp(Real a) {
    return exp_of(a.v);
}
static Real expm1(Real a) {
    return expm1_of(a.v);
}
static Real log(Real a) {
    return log_of(a.v);
}
static Real sqrt(Real a) {
    return root(a.v);
}
static double first_of(Real a) {
    return a.v[0];
}

static Real where(Condition c, Real yes, Real no) {
    return c.holds != 0 ? yes.v : no.v;
}
static DualOf<Real> where(Condition c, DualOf<Real> yes, DualOf<Real> no) {
    return {where(c, yes.value, no.value), where(c, yes.derivative, no.derivative)};
}

template <typename Yes, typename No>
static auto choose(Condition c, const Yes& yes, const No& no) -> decltype(yes()) {
    unsigned long long every = ~0ULL, some = 0;
    for (unsigned long i = 0; i < n_lanes; ++i) {
        every &= c.holds[i];
        some |= c.holds[i];
    }
    if (every != 0) return yes();
    if (some == 0) return no();
    return where(c, yes(), no());
}

template <int n>
static LaneIndex count_below(Real a, const double (&limits)[n]) {
    Bits count{};
    for (const double limit : limits) count -= reinterpret_cast<Bits>(a.v > all(limit));
    return {count};
}

static Real pick(const double* table, LaneIndex index) {
    Real out;
    for (unsigned long i = 0; i < n_lanes; ++i) out.v[i] = table[index.of[i]];
    return out;
}
static Real pick(const Real* table, LaneIndex index) {
    Real out;
    for (unsigned long i = 0; i < n_lanes; ++i) out.v[i] = table[index.of[i]].v[i];
    return out;
}
static DualOf<Real> pick(const DualOf<Real>* table, LaneIndex index) {
    DualOf<Real> out;
    for (unsigned long i = 0; i < n_lanes; ++i) {
        out.value.v[i] = table[index.of[i]].value.v[i];
        out.derivative.v[i] = table[index.of[i]].derivative.v[i];
    }
    return out;
}

static void put(Real x, std::size_t k, std::size_t n, double* value, double*) {
    store(x.v, value, k, n);
}
static void put(DualOf<Real> x, std::size_t k, std::size_t n, double* value, double* derivative) {
    store(x.value.v, value, k, n);
    store(x.derivative.v, derivative, k, n);
}

template <typename Density>
static void each_density(const Density& density, const double* energy, std::size_t n, double* value,
                         double* derivative) {
    for (std::size_t k = 0; k < n; k += n_lanes)
        put(density(Real(load(energy, k, n, 1.0))), k, n, value, derivative);
}

template <typename T>
static void density_of(Shape shape, T kT, const double* energy, std::size_t n, double* value,
                       double* derivative) {
    if (shape == Shape::bbody)
        each_density(BbodyDensity<T>(kT), energy, n, value, derivative);
    else
        each_density(BremssDensity<T>(kT), energy, n, value, derivative);
}

static void density(Shape shape, double kT, const double* energy, std::size_t n, double* value,
                    double* derivative) {
    if (derivative == nullptr)
        density_of(shape, Real(kT), energy, n, value, derivative);
    else
        density_of(shape, DualOf<Real>(kT, 1.0), energy, n, value, derivative);
}

template <typename T>
static void powerlaw_of(T index, const double* log_edge, std::size_t n, double* value, double* derivative) {
    for (std::size_t k = 0; k < n; k += n_lanes)
        put(powerlaw_photons(Real(load(log_edge, k, n, 0.0)), Real(load(log_edge + 1, k, n, 1.0)), index), k,
            n, value, derivative);
}

static void powerlaw(double index, const double* log_edge, std::size_t n, double* value, double* derivative) {
    if (derivative == nullptr)
        powerlaw_of(Real(index), log_edge, n, value, derivative);
    else
        powerlaw_of(DualOf<Real>(index, 1.0), log_edge, n, value, derivative);
}

static void transmission(double column, const double* cross_section, std::size_t n, double* value,
                         double* derivative) {
    for (std::size_t k = 0; k < n; k += n_lanes) {
        const Lanes sigma = load(cross_section, k, n, 0.0), through = exp_of(-column * sigma);
        store(through, value, k, n);
        if (derivative != nullptr) store(-sigma * through, derivative, k, n);
    }
}
