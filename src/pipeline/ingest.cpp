#include "ingest_inputs.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <mutex>
#include <set>
#include <tuple>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <xsift/core/error.hpp>
#include <xsift/core/log.hpp>
#include <xsift/core/parallel.hpp>
#include <xsift/io/event_file.hpp>
#include <xsift/io/light_curve_file.hpp>
#include <xsift/io/orbit_file.hpp>
#include <xsift/io/source_list.hpp>
#include <xsift/io/spectrum_file.hpp>
#include <xsift/io/survey.hpp>
#include <xsift/pipeline/barycentre.hpp>
#include <xsift/pipeline/ingest.hpp>

namespace xsift::pipeline {
namespace fs = std::filesystem;
namespace {

// A window of sources is in memory at a time. Files are packed by up to about ten.
constexpr std::int64_t window_bytes = std::int64_t{64} << 20;
constexpr std::size_t window_sources = 1024;
/// More quarantined inputs than this are counted, not told one by one: a whole camera may lack its response.
constexpr std::int64_t logged_problems = 10;

/// A source and its data files, in the order of their names.
struct Assigned {
    Source source;
    std::vector<InputFile*> files;
};

using Loaded = std::variant<std::monostate, EventList, LightCurve, Spectrum>;

/// One run of ingest: options, tables and what is counted on the way.
class Ingest {
  public:
    Ingest(const IngestOptions& options, const IngestProgress& progress)
        : options_(options), progress_(progress), pool_(options.threads) {
        events_.energy_lo = options.energy_lo;
        events_.energy_hi = options.energy_hi;
        events_.repair = options.repair;
        events_.weight_column = options.weight_column;
        if (!options.region.empty()) events_.region = io::parse_region(options.region);
        if (!options.orbits.empty() && !options.barycentre)
            throw Error(ErrorKind::usage, "BAD_ORBIT", "--orbit is for --barycentre",
                        "that option is missing", "Add --barycentre.");
        for (const std::string& path : options.orbits) orbits_.push_back(read_orbit(path));
        if (!options.source_list.empty()) list_ = io::read_source_list(options.source_list);
    }

    IngestSummary run() {
        std::vector<InputFile> inputs = find_inputs(options_.inputs);
        std::vector<std::string> paths;
        for (const InputFile& input : inputs) paths.push_back(input.path);
        const FileFinder finder(paths, options_.response_path);
        ResponseLibrary responses(finder, options_.response_substitute);
        finder_ = &finder;
        responses_ = &responses;
        io::SurveyWriter writer(options_.output, list_.extra_columns, {options_.compress});

        classify_inputs(inputs, pool_);
        assign_sources(inputs, finder, options_.association);
        total_ = static_cast<std::int64_t>(inputs.size());
        for (const InputFile& input : inputs)
            if (input.problem || !input.is_data()) step();
        write_sources(writer, inputs);
        write_records(writer, inputs);
        writer.finish();
        return summary_;
    }

  private:
    /// An orbit file is an option, not an input: what is wrong with it is an error of usage.
    static io::Orbit read_orbit(const std::string& path) {
        try {
            return io::read_orbit(path);
        } catch (const Error& error) {
            throw Error(ErrorKind::usage, "BAD_ORBIT", "an orbit file cannot be used", error.what());
        }
    }

    /// Every source of the list and of the inputs, in the order of their ids.
    std::vector<Assigned> sources_of(std::vector<InputFile>& inputs) const {
        std::map<std::string, Assigned> sources;
        for (const Source& source : list_.sources) sources[source.id].source = source;
        std::set<std::string> listed;
        for (const auto& [id, entry] : sources) listed.insert(id);
        for (InputFile& input : inputs) {
            using enum io::FileKind;
            const bool product = input.pps.kind == spectrum || input.pps.kind == light_curve;
            if (input.source_id.empty() || !(input.is_data() || product)) continue;
            Assigned& entry = sources[input.source_id];
            entry.source.id = input.source_id;
            entry.source.extra.resize(list_.extra_columns.size());
            if (!input.problem && input.is_data()) entry.files.push_back(&input);
            describe(entry.source, input, listed.count(input.source_id) != 0);
        }
        std::vector<Assigned> result;
        for (auto& [id, entry] : sources) result.push_back(std::move(entry));
        return result;
    }

    /// Fills what is still unknown of a source from the headers of one of its files. In products of a whole
    /// field OBJECT and RA_OBJ are those of the field's target.
    static void describe(Source& source, const InputFile& input, bool listed) {
        const io::FileSummary& header = input.summary;
        if (std::isnan(source.ra) && std::isfinite(header.ra)) source.ra = header.ra, source.dec = header.dec;
        if (listed || input.pps.valid()) return;
        if (source.name.empty()) source.name = header.object;
        if (std::isnan(source.ra)) source.ra = header.target_ra, source.dec = header.target_dec;
    }

    void write_sources(io::SurveyWriter& writer, std::vector<InputFile>& inputs) {
        std::vector<Assigned> sources = sources_of(inputs);
        for (std::size_t begin = 0, end = 0; begin < sources.size(); begin = end) {
            std::int64_t bytes = 0;
            while (end < sources.size() &&
                   (end == begin || (bytes < window_bytes && end - begin < window_sources)))
                for (const InputFile* file : sources[end++].files) bytes += file->record.bytes;
            write_window(writer, sources, begin, end);
        }
        summary_.sources = static_cast<std::int64_t>(sources.size());
    }

    void write_window(io::SurveyWriter& writer, std::vector<Assigned>& sources, std::size_t begin,
                      std::size_t end) {
        std::vector<InputFile*> files;
        std::vector<const Source*> owner;
        for (std::size_t i = begin; i < end; ++i) {
            files.insert(files.end(), sources[i].files.begin(), sources[i].files.end());
            owner.insert(owner.end(), sources[i].files.size(), &sources[i].source);
        }
        std::vector<Loaded> loaded(files.size());
        pool_.for_each(files.size(), [&](std::size_t i) {
            try {
                loaded[i] = load(*files[i]);
                if (options_.barycentre) to_barycentre(loaded[i], *owner[i]);
            } catch (const std::exception& problem) {
                files[i]->problem = quarantine_row(*files[i], problem);
            }
            step();
        });
        std::size_t next = 0;
        for (std::size_t i = begin; i < end; ++i) {
            SourceData data;
            data.source = std::move(sources[i].source);
            for (std::size_t n = sources[i].files.size(); n > 0; --n) add(data, std::move(loaded[next++]));
            writer.add(data);
        }
    }

    void to_barycentre(Loaded& loaded, const Source& source) {
        BarycentreOutcome outcome{};
        std::string file;
        if (auto* events = std::get_if<EventList>(&loaded)) {
            outcome = barycentre(*events, source.ra, source.dec, orbits_);
            file = events->exposure.file;
        } else if (auto* curve = std::get_if<LightCurve>(&loaded)) {
            outcome = barycentre(*curve, source.ra, source.dec, orbits_);
            file = curve->exposure.file;
        } else {
            return;
        }
        const std::lock_guard lock(mutex_);
        auto& [count, example] = barycentred_[outcome];
        // The same whatever the order of the threads.
        if (count++ == 0 || file < example) example = file;
    }

    void add(SourceData& data, Loaded&& loaded) {
        if (auto* events = std::get_if<EventList>(&loaded)) {
            data.events.push_back(std::move(*events));
            ++summary_.event_lists;
        } else if (auto* curve = std::get_if<LightCurve>(&loaded)) {
            data.light_curves.push_back(std::move(*curve));
            ++summary_.light_curves;
        } else if (auto* spectrum = std::get_if<Spectrum>(&loaded)) {
            response_hashes_.insert(spectrum->response->hash);
            data.spectra.push_back(std::move(*spectrum));
            ++summary_.spectra;
        }
    }

    Loaded load(const InputFile& input) {
        if (input.summary.kind == io::FileKind::events) return io::read_events(input.path, events_);
        if (input.summary.kind == io::FileKind::light_curve)
            return io::read_light_curve(input.path, options_.repair);
        return load_spectrum(input);
    }

    Spectrum load_spectrum(const InputFile& input) {
        const io::SpectrumFile file = io::read_spectrum(input.path);
        const ResponseLibrary::Match match = responses_->get(file.response_file, input.path);
        support(match.path, "rmf");
        std::vector<io::SpectrumFile> backgrounds;
        for (const std::string& name : io::background_names(file.background_file))
            backgrounds.push_back(io::read_spectrum(companion(input, name, true)));
        if (backgrounds.empty()) backgrounds = file.own_backgrounds;
        std::optional<io::EffectiveArea> arf;
        if (!file.arf_file.empty()) arf = io::read_effective_area(companion(input, file.arf_file, false));
        Spectrum spectrum = io::assemble_spectrum(
            file, backgrounds, arf, match.response,
            {.substituted = match.rule != nullptr, .interpolate_area = options_.repair});
        if (match.rule != nullptr) note_substitution(file.response_file, match);
        return spectrum;
    }

    /// The path of a background or ARF that a spectrum names.
    std::string companion(const InputFile& input, const std::string& name, bool background) {
        const auto path = finder_->find(name, fs::path(input.path).parent_path().string());
        const std::string what = fmt::format("{}: {} {} cannot be found", input.record.file,
                                             background ? "background" : "effective area", name);
        const std::string why =
            "it is neither beside the spectrum, nor among the inputs, nor in the response path";
        if (!path && background)
            throw Error(ErrorKind::input, "NO_BACKGROUND", what, why, "Supply it, or set BACKFILE to none.");
        if (!path) throw Error(ErrorKind::input, "NO_ARF", what, why, "Supply it.");
        support(*path, background ? "background" : "arf");
        return *path;
    }

    /// Remembers a file that supports a spectrum.
    void support(const std::string& path, std::string_view kind) {
        const std::lock_guard lock(mutex_);
        support_.emplace(fs::weakly_canonical(path).string(), kind);
    }

    void note_substitution(const std::string& wanted, const ResponseLibrary::Match& match) {
        const std::lock_guard lock(mutex_);
        ++substitutions_[{fs::path(wanted).filename().string(), match.response.response->name,
                          match.rule->pattern}];
    }

    void step() {
        const std::lock_guard lock(mutex_);
        ++done_;
        if (progress_) progress_(done_, total_);
    }

    /// Inputs, quarantine and provenance.
    void write_records(io::SurveyWriter& writer, const std::vector<InputFile>& inputs) {
        std::vector<io::InputRecord> records;
        std::set<std::string> known;
        std::int64_t quarantined = 0;
        for (const InputFile& input : inputs) {
            known.insert(fs::weakly_canonical(input.path).string());
            records.push_back(input.record);
            if (!input.problem) continue;
            writer.add_quarantine(*input.problem);
            ++summary_.quarantined[input.problem->code];
            if (++quarantined <= logged_problems) log::warning("quarantined: {}", input.problem->message);
        }
        if (quarantined > logged_problems)
            log::warning("and {} more quarantined; `xsift info` of the survey's catalogue lists all",
                         quarantined - logged_problems);
        if (!options_.source_list.empty()) support(options_.source_list, "source list");
        if (!options_.association.empty()) support(options_.association, "association");
        for (const auto& [path, kind] : support_)
            if (known.count(path) == 0) records.push_back(record_of(path, kind));
        const auto key = [](const io::InputRecord& r) { return std::tie(r.file, r.checksum, r.kind); };
        std::stable_sort(records.begin(), records.end(),
                         [&](const auto& a, const auto& b) { return key(a) < key(b); });
        for (const io::InputRecord& record : records) writer.add_input(record);
        summary_.inputs = static_cast<std::int64_t>(records.size());
        summary_.responses = static_cast<std::int64_t>(response_hashes_.size());
        write_provenance(writer);
    }

    void write_provenance(io::SurveyWriter& writer) {
        const auto limit = [](double value) {
            return std::isfinite(value) ? fmt::format("{}", value) : "none";
        };
        writer.set_provenance("ingest.energy_lo_kev", limit(options_.energy_lo));
        writer.set_provenance("ingest.energy_hi_kev", limit(options_.energy_hi));
        writer.set_provenance("ingest.region", options_.region.empty() ? "none" : options_.region);
        writer.set_provenance("ingest.weight_column", options_.weight_column.empty()
                                                          ? "WEIGHT where present"
                                                          : options_.weight_column);
        writer.set_provenance("ingest.barycentre", options_.barycentre ? "ERFA epv00, dtdb" : "false");
        std::vector<std::string> orbit_files, outcomes;
        for (const io::Orbit& orbit : orbits_) orbit_files.push_back(orbit.file);
        writer.set_provenance("ingest.orbits", fmt::format("{}", fmt::join(orbit_files, "; ")));
        for (const auto& [outcome, found] : barycentred_) {
            const auto& [count, example] = found;
            outcomes.push_back(fmt::format("{}: {}", count, pipeline::describe(outcome)));
            const std::string text =
                fmt::format("{} exposures {} (first {})", count, pipeline::describe(outcome), example);
            if (outcome == BarycentreOutcome::corrected || outcome == BarycentreOutcome::already)
                log::info("{}", text);
            else
                log::warning("{}", text);
        }
        writer.set_provenance("ingest.barycentre_outcomes", fmt::format("{}", fmt::join(outcomes, "; ")));
        writer.set_provenance("ingest.repair", options_.repair ? "true" : "false");
        std::vector<std::string> rules;
        for (const SubstitutionRule& rule : responses_->rules())
            rules.push_back(rule.pattern + "=" + fs::path(rule.file).filename().string());
        writer.set_provenance("ingest.response_substitute", fmt::format("{}", fmt::join(rules, "; ")));
        std::vector<std::string> acted;
        for (const auto& [what, n] : substitutions_) {
            const auto& [wanted, used, pattern] = what;
            acted.push_back(fmt::format("{} -> {} by {} ({} spectra)", wanted, used, pattern, n));
            log::warning("response {} is not there; {} was used for {} spectra by the rule {}", wanted, used,
                         n, pattern);
        }
        writer.set_provenance("ingest.responses_substituted", fmt::format("{}", fmt::join(acted, "; ")));
    }

    const IngestOptions& options_;
    const IngestProgress& progress_;
    ThreadPool pool_;
    io::EventOptions events_;
    io::SourceList list_;
    const FileFinder* finder_ = nullptr;
    ResponseLibrary* responses_ = nullptr;
    std::vector<io::Orbit> orbits_;
    IngestSummary summary_;
    std::set<std::string> response_hashes_;

    std::mutex mutex_;  // guards what follows
    std::int64_t done_ = 0, total_ = 0;
    std::map<BarycentreOutcome, std::pair<std::int64_t, std::string>> barycentred_;  ///< count, first file
    std::map<std::string, std::string> support_;                                     ///< canonical path: kind
    std::map<std::tuple<std::string, std::string, std::string>, std::int64_t> substitutions_;
};

}  // namespace

IngestSummary ingest(const IngestOptions& options, const IngestProgress& progress) {
    return Ingest(options, progress).run();
}

}  // namespace xsift::pipeline
