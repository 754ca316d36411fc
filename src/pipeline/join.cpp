#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/core/hash.hpp>
#include <xsift/core/version.hpp>
#include <xsift/io/survey.hpp>
#include <xsift/pipeline/join.hpp>

namespace xsift::pipeline {
namespace {

constexpr std::int64_t batch_sources = 64;

/// Where a source is: sorted by hash, so that those of one id stand together.
struct Place {
    std::uint64_t hash = 0;
    std::uint32_t part = 0;
    std::int64_t row = 0;
    auto operator<=>(const Place&) const = default;
};

bool same_columns(const std::vector<ExtraColumn>& a, const std::vector<ExtraColumn>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const ExtraColumn& x, const ExtraColumn& y) {
        return x.name == y.name && x.type == y.type && x.unit == y.unit;
    });
}

template <typename T>
void append(std::vector<T>& to, std::vector<T>&& from) {
    std::move(from.begin(), from.end(), std::back_inserter(to));
}

class Joiner {
  public:
    explicit Joiner(const std::vector<std::string>& paths) {
        if (paths.empty())
            throw Error(ErrorKind::usage, "JOIN_EMPTY", "no surveys to join", "", "Give the parts.");
        for (const std::string& path : paths) {
            parts_.push_back(std::make_unique<io::SurveyReader>(path));
            if (!same_columns(parts_.front()->extra_columns(), parts_.back()->extra_columns()))
                throw Error(ErrorKind::usage, "JOIN_COLUMNS",
                            fmt::format("cannot join {} and {}", paths[0], path),
                            "their source lists have different further columns",
                            "Ingest all parts with the same source list.");
        }
        for (std::uint32_t p = 0; p < parts_.size(); ++p)
            for (std::int64_t row = 0; row < parts_[p]->size(); row += batch_sources) {
                const std::int64_t count = std::min(batch_sources, parts_[p]->size() - row);
                const std::vector<std::string> ids = parts_[p]->ids(row, count);
                for (std::int64_t i = 0; i < count; ++i)
                    places_.push_back(
                        {std::hash<std::string>()(ids[static_cast<std::size_t>(i)]), p, row + i});
            }
        std::sort(places_.begin(), places_.end());
    }

    JoinSummary write(const std::string& output, bool compress) {
        JoinSummary summary;
        summary.parts = static_cast<std::int64_t>(parts_.size());
        io::SurveyWriter writer(output, parts_.front()->extra_columns(), {compress});
        for (std::uint32_t p = 0; p < parts_.size(); ++p)
            for (std::int64_t row = 0; row < parts_[p]->size(); row += batch_sources) {
                const std::int64_t count = std::min(batch_sources, parts_[p]->size() - row);
                std::vector<SourceData> batch = parts_[p]->read(row, count);
                for (std::int64_t i = 0; i < count; ++i)
                    add(batch[static_cast<std::size_t>(i)], p, row + i, writer, summary);
            }
        for (const auto& part : parts_) {
            for (const QuarantineRow& problem : part->quarantine()) writer.add_quarantine(problem);
            for (const io::InputRecord& input : part->inputs()) writer.add_input(input);
            for (const io::TruthRow& row : part->truth()) writer.add_truth(row);
        }
        set_provenance(writer);
        writer.finish();
        return summary;
    }

  private:
    void add(SourceData& source, std::uint32_t part, std::int64_t row, io::SurveyWriter& writer,
             JoinSummary& summary) {
        const std::uint64_t hash = std::hash<std::string>()(source.source.id);
        bool joined = false;
        for (auto at = std::lower_bound(places_.begin(), places_.end(), Place{hash, 0, 0});
             at != places_.end() && at->hash == hash; ++at) {
            if (at->part == part && at->row == row) continue;
            if (parts_[at->part]->ids(at->row, 1).front() != source.source.id) continue;
            if (at->part < part) return;  // written with its first part
            SourceData other = std::move(parts_[at->part]->read(at->row, 1).front());
            append(source.events, std::move(other.events));
            append(source.light_curves, std::move(other.light_curves));
            append(source.spectra, std::move(other.spectra));
            joined = true;
        }
        ++summary.sources;
        summary.joined += joined ? 1 : 0;
        writer.add(source);
    }

    /// What all parts say alike is kept; where they differ, that is said.
    void set_provenance(io::SurveyWriter& writer) const {
        for (const auto& entry : parts_.front()->provenance()) {
            const bool alike = std::all_of(parts_.begin(), parts_.end(), [&](const auto& part) {
                const auto provenance = part->provenance();
                const auto found = provenance.find(entry.first);
                return found != provenance.end() && found->second == entry.second;
            });
            writer.set_provenance(entry.first, alike ? entry.second : "differs between the joined parts");
        }
        ContentHash all;
        for (const auto& part : parts_) all.update(part->checksum());
        writer.set_provenance("join.parts", std::to_string(parts_.size()));
        writer.set_provenance("join.checksum", all.digest());
    }

    std::vector<std::unique_ptr<io::SurveyReader>> parts_;
    std::vector<Place> places_;
};

}  // namespace

JoinSummary join_surveys(const std::vector<std::string>& parts, const std::string& output, bool compress) {
    return Joiner(parts).write(output, compress);
}

}  // namespace xsift::pipeline
