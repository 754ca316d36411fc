#include <cmath>

#include <xsift/core/constants.hpp>
#include <xsift/core/error.hpp>
#include <xsift/spectral/model.hpp>

namespace xsift::spectral {

Limits parameter_limits(Shape shape) {
    if (shape == Shape::powerlaw) return {-3.0, 10.0};
    return {shape == Shape::bbody ? 0.01 : 0.03, 100.0};
}

Shape parse_model(const std::string& model) {
    if (model == "tbabs*powerlaw") return Shape::powerlaw;
    if (model == "tbabs*bbody") return Shape::bbody;
    if (model == "tbabs*bremss") return Shape::bremss;
    throw Error(ErrorKind::usage, "UNKNOWN_MODEL", "the model '" + model + "' is not known",
                "models are tbabs*powerlaw, tbabs*bbody, tbabs*bremss", "Correct --models.");
}

namespace {

/// Trapezoidal rule over each bin of a density that is evaluated once an edge.
template <typename T, typename Density>
void trapezoid(const EnergyBins& bins, Density density, std::span<T> photons) {
    std::int32_t last = -1;
    T at_last(0.0);
    for (std::size_t i = 0; i < photons.size(); ++i) {
        const std::int32_t left = bins.left[i];
        const T lo = left == last ? at_last : density(bins.edge[left]);
        last = left + 1;
        at_last = density(bins.edge[last]);
        photons[i] = (lo + at_last) * (0.5 * (bins.edge[last] - bins.edge[left]));
    }
}

}  // namespace

template <typename T>
void shape_photons(Shape shape, T parameter, const EnergyBins& bins, std::span<T> photons) {
    switch (shape) {
        case Shape::powerlaw:
            for (std::size_t i = 0; i < photons.size(); ++i)
                photons[i] =
                    powerlaw_photons(bins.log_edge[bins.left[i]], bins.log_edge[bins.left[i] + 1], parameter);
            return;
        case Shape::bbody:
            return trapezoid(
                bins, [&](double e) { return bbody_density(e, parameter); }, photons);
        case Shape::bremss:
            return trapezoid(
                bins, [&](double e) { return bremss_density(e, parameter); }, photons);
    }
}
template void shape_photons<double>(Shape, double, const EnergyBins&, std::span<double>);
template void shape_photons<Dual>(Shape, Dual, const EnergyBins&, std::span<Dual>);

AbsorbedModel::AbsorbedModel(Shape shape, Abundance abundance, EnergyBins bins)
    : shape_(shape),
      bins_(std::move(bins)),
      cross_section_(Absorption::of(abundance).cross_sections(bins_)),
      scratch_(bins_.size()) {}

void AbsorbedModel::evaluate(double nh, double parameter, std::span<double> photons) {
    shape_photons(shape_, parameter, bins_, photons);
    for (std::size_t i = 0; i < photons.size(); ++i) photons[i] *= std::exp(-nh * cross_section_[i]);
}

void AbsorbedModel::evaluate(double nh, double parameter, std::span<double> photons, std::span<double> by_nh,
                             std::span<double> by_parameter) {
    shape_photons(shape_, Dual(parameter, 1.0), bins_, std::span(scratch_));
    for (std::size_t i = 0; i < photons.size(); ++i) {
        const double transmission = std::exp(-nh * cross_section_[i]);
        photons[i] = scratch_[i].value * transmission;
        by_nh[i] = -cross_section_[i] * photons[i];
        by_parameter[i] = scratch_[i].derivative * transmission;
    }
}

FluxBand::FluxBand(Shape shape, Abundance abundance, double lo, double hi)
    : model_(shape, abundance, Absorption::of(abundance).resolving_bins(lo, hi, 500)),
      photons_(model_.size()),
      by_nh_(model_.size()),
      by_parameter_(model_.size()) {}

BandFlux FluxBand::absorbed(double nh, double parameter) {
    model_.evaluate(nh, parameter, photons_, by_nh_, by_parameter_);
    BandFlux flux;
    for (std::size_t i = 0; i < photons_.size(); ++i) {
        const double energy = 0.5 * constants::erg_per_kev * (model_.bins().lo(i) + model_.bins().hi(i));
        flux.value += energy * photons_[i];
        flux.by_nh += energy * by_nh_[i];
        flux.by_parameter += energy * by_parameter_[i];
    }
    return flux;
}

}  // namespace xsift::spectral
