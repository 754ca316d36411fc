// Posteriors: a thread a node of a lattice, then a block a lattice. Factors of the models go to the device,
// summaries come back.
#include "package.cuh"
#include "posterior_body.cuh"
#include "posteriors.hpp"

#include <algorithm>

#include <xsift/engine/posterior_arrays.hpp>

namespace xsift::cuda {

namespace {

using engine::PosteriorOutcome;
using engine::PosteriorTask;
using spectral::DensitySummary;
using spectral::PosteriorData;
using spectral::PosteriorFluxData;
using spectral::PosteriorIntegral;
using spectral::PosteriorNode;

__global__ void __launch_bounds__(node_threads)
    nodes_kernel(const PosteriorJob* jobs, const PosteriorItem* items, unsigned n_items, unsigned* next,
                 double* room, std::size_t room_of_block) {
    __shared__ unsigned ticket;
    evaluate_nodes(ticket, static_cast<int>(threadIdx.x), jobs, items, n_items, next,
                   room + blockIdx.x * room_of_block);
}

__global__ void __launch_bounds__(integral_threads, 6) integral_kernel(const PosteriorJob* jobs) {
    __shared__ spectral::PosteriorRoom room;
    integrate_job(room, static_cast<int>(threadIdx.x), integral_threads, jobs[blockIdx.x]);
}

int nodes_of(const PosteriorTask& task) {
    return task.row.n_nodes * task.column.n_nodes;
}

/// Device memory of a task, bytes.
std::int64_t bytes_of(const PosteriorTask& task) {
    std::int64_t n = std::ssize(task.response) + 6 * task.n_bins + std::ssize(task.row_factor) +
                     std::ssize(task.column_factor) +
                     9 * (std::ssize(task.row.at) + std::ssize(task.column.at));
    for (const PosteriorTask::Flux& flux : task.fluxes)
        n += std::ssize(flux.row_factor) + std::ssize(flux.column_factor) + nodes_of(task);
    return 8 * (n + 4 * nodes_of(task)) + 4096;
}

}  // namespace

class Posteriors::Device {
  public:
    explicit Device(const engine::DeviceBudget& budget)
        : group_bytes_(budget.grid_group), room_bytes_(budget.grid_room) {}
    std::int64_t group_bytes() const { return group_bytes_; }

    void run(std::span<const PosteriorTask> tasks, std::span<PosteriorOutcome> outcomes) {
        send(tasks);
        std::int64_t most_bins = 1;
        for (const PosteriorTask& task : tasks) most_bins = std::max(most_bins, task.n_bins);
        const auto room_of_block = static_cast<std::size_t>(node_threads * most_bins);
        const unsigned blocks = blocks_for(nodes_kernel, node_threads, items_.size(), room_bytes_,
                                           room_of_block * sizeof(double));
        rates_.reserve(blocks * room_of_block);
        next_.reserve(1);
        next_.zero(stream_);
        const auto* const jobs = package_.at<PosteriorJob>(jobs_at_);
        nodes_kernel<<<blocks, node_threads, 0, stream_.get()>>>(jobs, package_.at<PosteriorItem>(items_at_),
                                                                 static_cast<unsigned>(items_.size()),
                                                                 next_.data(), rates_.data(), room_of_block);
        XSIFT_CUDA_CHECK(cudaGetLastError());
        integral_kernel<<<static_cast<unsigned>(tasks.size()), integral_threads, 0, stream_.get()>>>(jobs);
        XSIFT_CUDA_CHECK(cudaGetLastError());
        integrals_.copy_to(host_integrals_.span(), stream_);
        summaries_.copy_to(host_summaries_.span(), stream_);
        stream_.synchronize();
        const DensitySummary* from = host_summaries_.data();
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            outcomes[i].integral = host_integrals_.data()[i];
            outcomes[i].fluxes.assign(from, from + tasks[i].fluxes.size());
            from += tasks[i].fluxes.size();
        }
    }

  private:
    /// Where the arrays of an axis lie in the package.
    struct AxisPlaces {
        std::size_t mass, at, weight, log_prior, value, first, share;

        AxisPlaces(Package& package, const spectral::PosteriorAxis& axis)
            : mass(package.add(axis.mass)),
              at(package.add(axis.at)),
              weight(package.add(axis.weight)),
              log_prior(package.add(axis.log_prior)),
              value(package.add(axis.value)),
              first(package.add(axis.first)),
              share(package.add(axis.share)) {}
        void move(Package& package, spectral::PosteriorAxisData& axis) const {
            axis.mass = package.at<double>(mass);
            axis.at = package.at<double>(at);
            axis.weight = package.at<double>(weight);
            axis.log_prior = package.at<double>(log_prior);
            axis.value = package.at<double>(value);
            axis.first = package.at<std::int32_t>(first);
            axis.share = package.at<double>(share);
        }
    };
    /// Where the arrays of a task lie in the package.
    struct Places {
        std::size_t counts, background, background_exposure, response, first, count, start, row_factor,
            column_factor;
        AxisPlaces row, column;

        Places(Package& package, const PosteriorTask& task)
            : counts(package.add(task.counts)),
              background(package.add(task.background)),
              background_exposure(package.add(task.background_exposure)),
              response(package.add(task.response)),
              first(package.add(task.first)),
              count(package.add(task.count)),
              start(package.add(task.start)),
              row_factor(package.add(task.row_factor)),
              column_factor(package.add(task.column_factor)),
              row(package, task.row),
              column(package, task.column) {}
        void move(Package& package, PosteriorData& data) const {
            data.counts = package.at<double>(counts);
            data.background = package.at<double>(background);
            data.background_exposure = package.at<double>(background_exposure);
            data.response = package.at<double>(response);
            data.first = package.at<std::int32_t>(first);
            data.count = package.at<std::int32_t>(count);
            data.start = package.at<std::int64_t>(start);
            data.row_factor = package.at<double>(row_factor);
            data.column_factor = package.at<double>(column_factor);
            row.move(package, data.row);
            column.move(package, data.column);
        }
    };

    void send(std::span<const PosteriorTask> tasks) {
        package_.clear();
        items_.clear();
        std::vector<Places> places;
        std::vector<std::pair<std::size_t, std::size_t>> flux_places;
        std::size_t n_nodes = 0, n_log_units = 0;
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            places.emplace_back(package_, tasks[i]);
            for (const PosteriorTask::Flux& flux : tasks[i].fluxes)
                flux_places.emplace_back(package_.add(flux.row_factor), package_.add(flux.column_factor));
            const int n = nodes_of(tasks[i]);
            for (int first = 0; first < n; first += node_threads)
                items_.push_back({static_cast<std::int32_t>(i), first});
            n_nodes += static_cast<std::size_t>(n);
            n_log_units += static_cast<std::size_t>(n) * tasks[i].fluxes.size();
        }
        std::vector<PosteriorJob> jobs(tasks.size());
        std::vector<PosteriorFluxData> fluxes(flux_places.size());
        jobs_at_ = package_.add(std::span<const PosteriorJob>(jobs));
        items_at_ = package_.add(std::span<const PosteriorItem>(items_));
        const std::size_t fluxes_at = package_.add(std::span<const PosteriorFluxData>(fluxes));
        package_.reserve();
        nodes_.reserve(n_nodes);
        weights_.reserve(n_nodes);
        log_units_.reserve(n_log_units);
        integrals_.reserve(tasks.size());
        host_integrals_.reserve(tasks.size());
        summaries_.reserve(fluxes.size());
        host_summaries_.reserve(fluxes.size());
        PosteriorNode* nodes = nodes_.data();
        double *weights = weights_.data(), *log_units = log_units_.data();
        std::size_t flux = 0;
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            jobs[i] = {engine::posterior_data(tasks[i]),
                       package_.at<PosteriorFluxData>(fluxes_at) + flux,
                       nodes,
                       log_units,
                       weights,
                       integrals_.data() + i,
                       summaries_.data() + flux};
            places[i].move(package_, jobs[i].data);
            for (const PosteriorTask::Flux& of : tasks[i].fluxes) {
                fluxes[flux] = {of.n_energies, package_.at<double>(flux_places[flux].first),
                                package_.at<double>(flux_places[flux].second)};
                ++flux;
            }
            const int n = nodes_of(tasks[i]);
            nodes += n;
            weights += n;
            log_units += static_cast<std::size_t>(n) * tasks[i].fluxes.size();
        }
        package_.send(stream_);
        stream_.synchronize();
    }

    std::int64_t group_bytes_, room_bytes_;
    Package package_;
    std::vector<PosteriorItem> items_;
    std::size_t jobs_at_ = 0, items_at_ = 0;
    DeviceBuffer<PosteriorNode> nodes_;
    DeviceBuffer<double> weights_, log_units_, rates_;
    DeviceBuffer<PosteriorIntegral> integrals_;
    PinnedBuffer<PosteriorIntegral> host_integrals_;
    DeviceBuffer<DensitySummary> summaries_;
    PinnedBuffer<DensitySummary> host_summaries_;
    DeviceBuffer<unsigned> next_;
    Stream stream_;  // last: destroyed first, after waiting for work on the buffers
};

Posteriors::Posteriors(const engine::DeviceBudget& budget) : device_(std::make_unique<Device>(budget)) {}
Posteriors::~Posteriors() = default;

std::vector<PosteriorOutcome> Posteriors::evaluate(std::span<const PosteriorTask> tasks) {
    return run_in_groups<PosteriorOutcome>(*device_, tasks, device_->group_bytes(), bytes_of);
}

}  // namespace xsift::cuda
