// Readers of tables, FITS or CSV.

#include "calls.hpp"

#include <cmath>

#include <magnitude_prior.hpp>

#include <xsift/io/sky_object_file.hpp>
#include <xsift/io/source_list.hpp>
#include <xsift/pipeline/class_table.hpp>
#include <xsift/pipeline/dossier_material.hpp>

namespace xsift::fuzz {

void read_sources(const Input& input) {
    const io::SourceList list = io::read_source_list(input.path());
    for (const Source& source : list.sources)
        require(!source.id.empty() && source.extra.size() == list.extra_columns.size(), "a source");
}

void read_objects(const Input& input) {
    static_cast<void>(io::describe_sky_objects(input.path()));
    io::read_sky_objects(input.path(), {}, 7, [](const SkyObjects& part) {
        require(part.size() <= 7 && part.dec.size() == part.ra.size(), "a part of a catalogue");
    });
}

void read_class_table(const Input& input) {
    const auto rows = pipeline::read_class_table(input.path(), {}, pipeline::read_depth({"G=20.7"}));
    for (const pipeline::ClassTableRow& row : rows)
        static_cast<void>(characterise::properties_of(row.observed));
    require(!pipeline::classify_table(rows, characterise::embedded_class_model(), "power:0.5").empty(),
            "a header");
}

void read_flux_history(const Input& input) {
    for (const auto& [source, fluxes] : pipeline::read_flux_history(input.path(), true))
        require(!fluxes.empty(), "a source without fluxes");
}

void read_magnitude_prior(const Input& input) {
    const characterise::MagnitudePrior prior = pipeline::read_magnitude_prior(input.path());
    require(prior.edge.size() == prior.ratio.size() + 1, "edges and bins");
    for (std::size_t i = 0; i < prior.ratio.size(); ++i)
        require(prior.edge[i] < prior.edge[i + 1] && prior.ratio[i] >= 0.0 && std::isfinite(prior.ratio[i]),
                "a bin");
    require(prior.weight(15.0) >= 0.0, "a weight");
}

}  // namespace xsift::fuzz
