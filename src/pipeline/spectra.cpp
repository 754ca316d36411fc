#include "spectra.hpp"

#include "guarded.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>

#include <xsift/core/hash.hpp>
#include <xsift/refine/model_fits.hpp>
#include <xsift/refine/simulations.hpp>
#include <xsift/refine/spectra.hpp>
#include <xsift/spectral/model.hpp>

namespace xsift::pipeline {

namespace {

/// One spectrum on its way through preparation and grids.
struct SpectrumWork {
    std::size_t source = 0;
    const Spectrum* spectrum = nullptr;
    std::optional<spectral::PreparedSpectrum> prepared;
    std::optional<refine::FitData> data;
    std::vector<std::vector<engine::ModelCell>> cells;  ///< a list a model
    std::vector<QuarantineRow> quarantine;

    refine::FitInput input() const { return {&*prepared, &*data}; }
    double counts() const { return std::accumulate(prepared->counts.begin(), prepared->counts.end(), 0.0); }
};

/// Spectra of one source that are fitted at once; often a single one.
struct SpectraSet {
    std::vector<const SpectrumWork*> members;            ///< the one with most counts first
    std::vector<SpectralFit> fits;                       ///< one a model
    std::vector<std::vector<QuarantineRow>> quarantine;  ///< a list a model

    std::size_t source() const { return members.front()->source; }
    std::string files() const {
        std::string names;
        for (const SpectrumWork* item : members)
            names += (names.empty() ? "" : "+") + item->spectrum->exposure.file;
        return names;
    }
    std::vector<refine::FitInput> inputs() const {
        std::vector<refine::FitInput> out;
        for (const SpectrumWork* item : members) out.push_back(item->input());
        return out;
    }
    /// The minima on the grid of the spectrum with most counts, and the best cell of each other. None for a
    /// model of two norms over several spectra: the fit looks for pairs with the counts of all of them.
    std::vector<refine::StartingPoint> starts(std::size_t model,
                                              const spectral::ModelDefinition& definition) const {
        std::vector<refine::StartingPoint> out;
        if (members.size() > 1 && spectral::ModelFreedom(definition).n_free_norms() > 1) return out;
        for (const SpectrumWork* item : members) {
            const auto& cells = item->cells[model];
            const std::size_t taken =
                item == members.front() ? cells.size() : std::min<std::size_t>(1, cells.size());
            for (std::size_t i = 0; i < taken; ++i) out.push_back(cells[i].values);
        }
        return out;
    }
};

/// The sets of two usable spectra or more, in the order of the sources.
std::vector<SpectraSet> joint_sets(const std::vector<SpectrumWork>& work, spectral::JointSpectra joint) {
    std::vector<SpectraSet> sets;
    if (joint == spectral::JointSpectra::none) return sets;
    const auto together = [&](const SpectrumWork& a, const SpectrumWork& b) {
        const std::string &one = a.spectrum->exposure.obs_id, &other = b.spectrum->exposure.obs_id;
        return a.source == b.source &&
               (joint == spectral::JointSpectra::all || (one == other && !one.empty()));
    };
    for (const SpectrumWork& item : work) {
        if (!item.prepared) continue;
        // the sets of a source follow each other
        auto found = sets.rbegin();
        while (found != sets.rend() && found->source() == item.source &&
               !together(*found->members.front(), item))
            ++found;
        if (found == sets.rend() || found->source() != item.source)
            sets.emplace_back().members.push_back(&item);
        else
            found->members.push_back(&item);
    }
    std::erase_if(sets, [](const SpectraSet& set) { return set.members.size() < 2; });
    for (SpectraSet& set : sets)
        std::stable_sort(set.members.begin(), set.members.end(),
                         [](const auto* a, const auto* b) { return a->counts() > b->counts(); });
    return sets;
}

/// Everything that is fitted: single spectra, then sets.
std::vector<SpectraSet> all_sets(const std::vector<SpectrumWork>& work, const spectral::FitOptions& options) {
    std::vector<SpectraSet> joint = joint_sets(work, options.joint), sets;
    std::set<const SpectrumWork*> in_joint;
    for (const SpectraSet& set : joint) in_joint.insert(set.members.begin(), set.members.end());
    for (const SpectrumWork& item : work)
        if (item.prepared && (options.single || !in_joint.contains(&item)))
            sets.emplace_back().members.push_back(&item);
    std::move(joint.begin(), joint.end(), std::back_inserter(sets));
    return sets;
}

/// Sets whose fits wait for the engine together: enough for all threads, and few enough for memory (2 MB a
/// model).
std::size_t fits_at_once(const ThreadPool& pool) {
    constexpr std::size_t most = 64;
    return std::min(most, 4 * static_cast<std::size_t>(pool.size()));
}

/// Fits some sets of spectra; their posteriors are integrated by the engine, all at once.
/// @param fits_of finds the minima of a set
template <typename FitsOf>
void fit_with_engine(std::span<SpectraSet> sets, const FitsOf& fits_of, engine::GridLikelihood& backend,
                     std::mutex& engine_turn, const ThreadPool& pool) {
    std::vector<std::optional<refine::ModelFits>> fits(sets.size());
    std::vector<std::vector<spectral::PosteriorTask>> wanted(sets.size());
    pool.for_each(sets.size(), [&](std::size_t k) {
        fits[k].emplace(fits_of(sets[k]));
        wanted[k] = fits[k]->posterior_tasks();
    });
    std::vector<spectral::PosteriorTask> tasks;
    for (const auto& own : wanted) tasks.insert(tasks.end(), own.begin(), own.end());
    std::unique_lock turn(engine_turn);
    const auto found = backend.evaluate(std::span<const spectral::PosteriorTask>(tasks));
    turn.unlock();
    std::vector<std::size_t> first(1, 0);
    for (const auto& own : wanted) first.push_back(first.back() + own.size());
    pool.for_each(sets.size(), [&](std::size_t k) {
        fits[k]->take(std::span(found).subspan(first[k], wanted[k].size()));
        sets[k].fits = fits[k]->finish();
        fits[k].reset();
    });
}

/// Goodness and bootstrap of a model offered.
struct OfferedFit {
    const SpectraSet* set;
    SpectralFit* fit;
    std::optional<refine::Simulations> simulations;
};

/// The sets whose model is the one offered.
std::vector<OfferedFit> offered_fits(const std::vector<SpectraSet>& sets,
                                     std::vector<SourceResult>& results) {
    std::vector<OfferedFit> out;
    for (const SpectraSet& set : sets) {
        SourceResult& result = results[set.source()];
        if (result.best_fit < 0) continue;
        SpectralFit& fit = result.fits[static_cast<std::size_t>(result.best_fit)];
        if (fit.spectrum == set.files()) out.push_back({&set, &fit, {}});
    }
    return out;
}

refine::Simulations simulations_of(const OfferedFit& offered, const std::string& source,
                                   const engine::ModelGrids& grids, const spectral::FitOptions& options) {
    const SpectralFit& fit = *offered.fit;
    const auto& models = grids.models();
    const auto model =
        std::find_if(models.begin(), models.end(), [&](const auto& of) { return of->text == fit.model; });
    const std::string digest = content_hash(source + '\n' + fit.spectrum + '\n' + fit.model);
    const std::uint64_t seed = std::stoull(digest.substr(digest.find(':') + 1, 16), nullptr, 16);
    return {offered.set->inputs(), *model, fit, options, seed, true};
}

/// Simulates some of the offered fits: the engine fits those that have a lattice all at once.
void simulate(std::span<OfferedFit> offered, std::vector<SourceResult>& results,
              const engine::ModelGrids& grids, const spectral::FitOptions& options,
              engine::GridLikelihood& backend, std::mutex& engine_turn, const ThreadPool& pool) {
    pool.for_each(offered.size(), [&](std::size_t k) {
        const std::string& source = results[offered[k].set->source()].source.id;
        offered[k].simulations.emplace(simulations_of(offered[k], source, grids, options));
    });
    std::vector<spectral::SimulationTask> tasks;
    std::vector<std::size_t> task_of(offered.size(), offered.size());
    for (std::size_t k = 0; k < offered.size(); ++k)
        if (const auto task = offered[k].simulations->task()) {
            task_of[k] = tasks.size();
            tasks.push_back(*task);
        }
    std::unique_lock turn(engine_turn);
    const auto found = backend.evaluate(std::span<const spectral::SimulationTask>(tasks));
    turn.unlock();
    pool.for_each(offered.size(), [&](std::size_t k) {
        const refine::Simulations& simulations = *offered[k].simulations;
        const bool on_lattice = task_of[k] < tasks.size();
        const refine::SimulatedFits simulated = simulations.summarise(simulations.fits(
            on_lattice ? std::span(found[task_of[k]].fits) : std::span<const spectral::LatticeMinimum>()));
        SpectralFit& fit = *offered[k].fit;
        fit.gof_pvalue = simulated.gof_pvalue;
        for (std::size_t p = 0; p < fit.parameters.size(); ++p)
            fit.parameters[p].bootstrap = simulated.parameters[p];
        offered[k].simulations.reset();
    });
}

}  // namespace

void fit_batch(std::int64_t number, std::span<const SourceData> batch, const spectral::FitOptions& options,
               double step_seconds, engine::ModelGrids& grids, engine::GridLikelihood& backend,
               std::mutex& engine_turn, const ThreadPool& pool, Timeline& timeline,
               std::vector<SourceResult>& results) {
    std::vector<SpectrumWork> work;
    for (std::size_t i = 0; i < batch.size(); ++i)
        for (const Spectrum& spectrum : batch[i].spectra) {
            work.emplace_back().spectrum = &spectrum;
            work.back().source = i;
        }

    std::optional<Timeline::Stage> stage(std::in_place, timeline, "grid", number);
    pool.for_each(work.size(), [&](std::size_t k) {
        SpectrumWork& item = work[k];
        guarded(batch[item.source].source.id, item.spectrum->exposure.file, "fit", item.quarantine,
                step_seconds, [&] {
                    item.prepared = spectral::prepare(*item.spectrum, options);
                    item.data.emplace(*item.prepared);
                });
    });
    std::vector<const spectral::PreparedSpectrum*> prepared;
    for (const SpectrumWork& item : work)
        if (item.prepared) prepared.push_back(&*item.prepared);
    std::unique_lock turn(engine_turn);
    auto cells = grids.best_cells(backend, prepared);
    turn.unlock();
    auto next = cells.begin();
    for (SpectrumWork& item : work)
        if (item.prepared) item.cells = std::move(*next++);
    stage.emplace(timeline, "fit", number);
    std::vector<SpectraSet> sets = all_sets(work, options);
    const std::size_t n_models = options.models.size();
    for (SpectraSet& set : sets) set.quarantine.resize(n_models);
    const auto fits_of = [&](SpectraSet& set) {
        std::vector<refine::ModelTask> models;
        for (std::size_t m = 0; m < n_models; ++m)
            models.push_back({grids.models()[m], set.starts(m, *grids.models()[m])});
        return refine::ModelFits(
            set.inputs(), models, options, [&, files = set.files()](std::size_t m, const auto& step) {
                guarded(batch[set.source()].source.id, files, "fit", set.quarantine[m], step_seconds, step);
            });
    };
    if (backend.spares_threads()) {
        const std::size_t at_once = fits_at_once(pool);
        for (std::size_t first = 0; first < sets.size(); first += at_once)
            fit_with_engine(std::span(sets).subspan(first, std::min(at_once, sets.size() - first)), fits_of,
                            backend, engine_turn, pool);
    } else {
        pool.for_each(sets.size(), [&](std::size_t k) { sets[k].fits = fits_of(sets[k]).finish(); });
    }
    const auto take_rows = [&](std::size_t source, std::vector<QuarantineRow>& rows) {
        for (QuarantineRow& row : rows) results[source].quarantine.push_back(std::move(row));
    };
    for (SpectrumWork& item : work) take_rows(item.source, item.quarantine);
    for (SpectraSet& set : sets) {
        for (SpectralFit& fit : set.fits)
            if (!fit.model.empty()) results[set.source()].fits.push_back(std::move(fit));
        for (auto& rows : set.quarantine) take_rows(set.source(), rows);
    }
    for (SourceResult& result : results)
        result.best_fit = refine::select_model(result.fits, options.criterion);
    if (options.goodness_simulations == 0 && options.bootstrap_simulations == 0) return;
    constexpr std::size_t at_once = 128;  // lattices in memory: below 1.2 MB each
    std::vector<OfferedFit> offered = offered_fits(sets, results);
    for (std::size_t first = 0; first < offered.size(); first += at_once)
        simulate(std::span(offered).subspan(first, std::min(at_once, offered.size() - first)), results, grids,
                 options, backend, engine_turn, pool);
}

}  // namespace xsift::pipeline
