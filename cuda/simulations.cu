// Simulated fits: a thread a draw, many tasks a launch. Expected counts of the nodes go to the device, minima
// come back.
#include "grid_ops.cuh"
#include "package.cuh"
#include "simulation_body.cuh"
#include "simulations.hpp"

#include <algorithm>

#include <xsift/engine/grid_task.hpp>
#include <xsift/engine/simulation_arrays.hpp>

namespace xsift::cuda {

namespace {

using engine::SimulationArrays;
using engine::SimulationOutcome;
using engine::SimulationTask;
using spectral::LatticeMinimum;

// Four blocks a multiprocessor leave a thread the registers it needs; left to itself the compiler takes fewer
// and spills. Single spectra have a kernel of their own: a quarter of the other's local memory, which a
// device sets aside for all threads it could hold.
template <int spectra>
__global__ void __launch_bounds__(simulation_threads, 4)
    simulate_kernel(const SimulationJob* jobs, const SimulationItem* items, unsigned n_items, unsigned* next,
                    float* room, std::size_t room_of_block) {
    __shared__ unsigned ticket;
    simulate_items<GridOps, spectra>(ticket, static_cast<int>(threadIdx.x), jobs, items, n_items, next,
                                     room + blockIdx.x * room_of_block);
}

constexpr auto single_kernel = simulate_kernel<1>;
constexpr auto joint_kernel = simulate_kernel<spectral::most_lattice_spectra>;

/// Device memory of a task, bytes.
std::int64_t bytes_of(const SimulationTask& task) {
    const std::int64_t places = task.n_bins() + engine::CellCounts::lanes * std::ssize(task.spectra);
    return 8 * std::ssize(task.log_counts) + 4 * places * task.rows * task.columns + 16 * task.n_bins() +
           static_cast<std::int64_t>(sizeof(LatticeMinimum)) * task.n_draws + 4096;
}

}  // namespace

class Simulations::Device {
  public:
    explicit Device(const engine::DeviceBudget& budget)
        : group_bytes_(budget.grid_group), room_bytes_(budget.grid_room) {}
    std::int64_t group_bytes() const { return group_bytes_; }

    void run(std::span<const SimulationTask> tasks, std::span<SimulationOutcome> outcomes) {
        const std::int64_t most_places = send(tasks);
        const auto room_of_block = static_cast<std::size_t>(2 * simulation_threads * most_places);
        const std::size_t n_joint = items_.size() - n_single_;
        const auto blocks = [&](auto* kernel, std::size_t n_items) {
            return n_items == 0 ? 0U
                                : blocks_for(kernel, simulation_threads, n_items, room_bytes_,
                                             room_of_block * sizeof(float));
        };
        const unsigned single_blocks = blocks(single_kernel, n_single_),
                       joint_blocks = blocks(joint_kernel, n_joint);
        counts_.reserve(std::max(single_blocks, joint_blocks) * room_of_block);
        next_.reserve(2);
        next_.zero(stream_);
        const auto launch = [&](auto* kernel, unsigned n_blocks, std::size_t first, std::size_t n_items,
                                unsigned* next) {
            if (n_blocks == 0) return;
            kernel<<<n_blocks, simulation_threads, 0, stream_.get()>>>(
                package_.at<SimulationJob>(jobs_at_), package_.at<SimulationItem>(items_at_) + first,
                static_cast<unsigned>(n_items), next, counts_.data(), room_of_block);
            XSIFT_CUDA_CHECK(cudaGetLastError());
        };
        launch(single_kernel, single_blocks, 0, n_single_, next_.data());
        launch(joint_kernel, joint_blocks, n_single_, n_joint, next_.data() + 1);
        fits_.copy_to(host_fits_.span(), stream_);
        stream_.synchronize();
        const LatticeMinimum* from = host_fits_.data();
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            outcomes[i].fits.assign(from, from + tasks[i].n_draws);
            from += tasks[i].n_draws;
        }
    }

  private:
    struct Places {
        std::size_t log_counts, node_counts, expected, background;
    };

    /// @return places of counts of the largest task
    std::int64_t send(std::span<const SimulationTask> tasks) {
        package_.clear();
        items_.clear();
        std::vector<SimulationArrays> arrays;
        arrays.reserve(tasks.size());
        std::vector<Places> places;
        std::vector<SimulationItem> joint;
        std::size_t draws = 0;
        std::int64_t most_places = 1;
        for (const SimulationTask& task : tasks) {
            const SimulationArrays& own = arrays.emplace_back(task);
            places.push_back({package_.add(task.log_counts),
                              package_.add(std::span<const float>(own.node_counts)),
                              package_.add(task.expected), package_.add(task.expected_background)});
            std::vector<SimulationItem>& items = task.spectra.size() == 1 ? items_ : joint;
            for (std::int64_t first = 0; first < task.n_draws; first += simulation_threads)
                items.push_back({static_cast<std::int32_t>(arrays.size() - 1), first});
            draws += static_cast<std::size_t>(task.n_draws);
            most_places = std::max(most_places, own.data.n_places);
        }
        n_single_ = items_.size();
        items_.insert(items_.end(), joint.begin(), joint.end());
        fits_.reserve(draws);
        host_fits_.reserve(draws);
        std::vector<SimulationJob> jobs(tasks.size());
        jobs_at_ = package_.add(std::span<const SimulationJob>(jobs));
        items_at_ = package_.add(std::span<const SimulationItem>(items_));
        package_.reserve();
        LatticeMinimum* fits = fits_.data();
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            SimulationJob& job = jobs[i];
            job = {arrays[i].data, tasks[i].n_draws, fits};
            job.data.lattice.log_counts = package_.at<double>(places[i].log_counts);
            for (int d = 0; d < job.data.n_spectra; ++d)
                job.data.node_counts[d] =
                    package_.at<float>(places[i].node_counts) + job.data.n_nodes() * job.data.place[d];
            job.data.expected = package_.at<double>(places[i].expected);
            if (!tasks[i].expected_background.empty())
                job.data.expected_background = package_.at<double>(places[i].background);
            fits += tasks[i].n_draws;
        }
        package_.send(stream_);
        stream_.synchronize();
        return most_places;
    }

    std::int64_t group_bytes_, room_bytes_;
    Package package_;
    std::vector<SimulationItem> items_;
    std::size_t jobs_at_ = 0, items_at_ = 0;
    std::size_t n_single_ = 0;  ///< items of single spectra, which come first
    DeviceBuffer<LatticeMinimum> fits_;
    PinnedBuffer<LatticeMinimum> host_fits_;
    DeviceBuffer<float> counts_;
    DeviceBuffer<unsigned> next_;
    Stream stream_;  // last: destroyed first, after waiting for work on the buffers
};

Simulations::Simulations(const engine::DeviceBudget& budget) : device_(std::make_unique<Device>(budget)) {}
Simulations::~Simulations() = default;

std::vector<SimulationOutcome> Simulations::evaluate(std::span<const SimulationTask> tasks) {
    return run_in_groups<SimulationOutcome>(*device_, tasks, device_->group_bytes(), bytes_of);
}

}  // namespace xsift::cuda
