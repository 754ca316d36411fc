// Writes the catalogues of many shards without running them: make_shards CATALOGUE FOLDER SHARDS SOURCES.
// The results of CATALOGUE (a whole one) are repeated under other identifiers until SHARDS files of SOURCES
// sources each are written, as shards of one survey. For measuring merge and verify at the size of a survey.

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/io/catalogue.hpp>

int main(int argc, char** argv) {
    if (argc != 5) {
        std::cerr << "usage: make_shards CATALOGUE FOLDER SHARDS SOURCES\n";
        return 2;
    }
    const std::string catalogue = argv[1], folder = argv[2];
    const std::int64_t shards = std::atoll(argv[3]), sources = std::atoll(argv[4]);
    try {
        xsift::io::CatalogueInfo info = xsift::io::describe_catalogue(catalogue).info;
        std::vector<xsift::SourceResult> results =
            xsift::io::read_results(catalogue, 0, std::min(info.n_sources, sources));
        info.survey_sources = shards * sources;
        info.n_sources = sources;
        for (std::int64_t k = 0; k < shards; ++k) {
            info.first_source = k * sources;
            xsift::io::write_catalogue(
                fmt::format("{}/{:05}.fits", folder, k + 1), info,
                [&](const xsift::io::ResultVisitor& visit) {
                    for (std::int64_t i = 0; i < sources; ++i) {
                        auto& result = results[static_cast<std::size_t>(i) % results.size()];
                        result.source.id = fmt::format("M{:09}", info.first_source + i);
                        visit(result);
                    }
                });
        }
    } catch (const xsift::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
    return 0;
}
