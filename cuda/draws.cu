// Simulated sources on the device. Compiled without fused multiplications and additions (CMakeLists.txt), so
// that a photon has the same time, to the last bit, as on the host.
#include "draws.cuh"

#include <utility>

namespace xsift::cuda {
namespace {

__global__ __launch_bounds__(draw_threads) void draw_kernel(const DrawJob* jobs) {
    draw_photons(static_cast<int>(threadIdx.x), jobs[blockIdx.x]);
}

__global__ __launch_bounds__(exact_threads, 4) void maximum_kernel(const ProductTask* tasks,
                                                                   const MaximumRequest* requests,
                                                                   MaximumFound* found) {
    __shared__ MomentRoom room;
    find_maximum(room, static_cast<int>(threadIdx.x), tasks, requests[blockIdx.x], found[blockIdx.x]);
}

}  // namespace

void Draws::start(std::vector<DrawOf> draws, double* time, float* weight, const Stream& stream) {
    draws_ = std::move(draws);
    time_of_.clear();
    package_.clear();
    struct Places {
        std::size_t start, passed, edge;
    };
    // Draws of one task follow each other and share its arrays.
    std::vector<Places> places;
    for (std::size_t i = 0; i < draws_.size(); ++i) {
        if (i > 0 && draws_[i].task == draws_[i - 1].task) {
            places.push_back(places.back());
            continue;
        }
        const timing::ConstantRate& rate = draws_[i].task->rate;
        const auto intervals = static_cast<std::size_t>(rate.n_intervals);
        places.push_back(
            {package_.add(std::span(rate.start, intervals)),
             package_.add(std::span(rate.passed, intervals + 1)),
             package_.add(std::span(rate.edge, static_cast<std::size_t>(rate.n_stretches) + 1))});
    }
    std::vector<DrawJob> jobs(draws_.size());
    const std::size_t jobs_at = package_.add(std::span<const DrawJob>(jobs));
    package_.reserve();
    for (std::size_t i = 0; i < draws_.size(); ++i) {
        const engine::DrawTask& task = *draws_[i].task;
        const auto n = std::ssize(task.search.time);
        timing::ConstantRate rate = task.rate;
        rate.start = package_.at<double>(places[i].start);
        rate.passed = package_.at<double>(places[i].passed);
        rate.edge = package_.at<double>(places[i].edge);
        jobs[i] = {rate, task.seed, draws_[i].index, n, time, task.search.weight.empty() ? nullptr : weight};
        time_of_.push_back(time);
        time += n;
        weight += n;
    }
    package_.send(stream);
    if (jobs.empty()) return;
    draw_kernel<<<static_cast<unsigned>(jobs.size()), draw_threads, 0, stream.get()>>>(
        package_.at<DrawJob>(jobs_at));
    XSIFT_CUDA_CHECK(cudaGetLastError());
}

void Draws::request(std::size_t draw, engine::DrawJudge::Wanted trial) {
    const engine::EventTask& search = draws_[draw].task->search;
    of_draw_[draw].push_back(requested_.size());
    requested_.push_back({time_of_[draw], 0.5 * (search.gti_start.front() + search.gti_stop.back()),
                          trial.trial, static_cast<std::int32_t>(draw), trial.statistic});
}

void Draws::run(const ProductTask* tasks, const Stream& stream) {
    if (requested_.empty()) return;
    requests_.reserve(requested_.size());
    found_.reserve(requested_.size());
    std::copy(requested_.begin(), requested_.end(), requests_.host.data());
    requests_.upload(stream);
    maximum_kernel<<<static_cast<unsigned>(requested_.size()), exact_threads, 0, stream.get()>>>(
        tasks, requests_.device.data(), found_.device.data());
    XSIFT_CUDA_CHECK(cudaGetLastError());
    found_.download(stream);
    stream.synchronize();
}

std::optional<std::vector<timing::FoundMaximum>> Draws::judged(std::size_t draw) const {
    std::vector<engine::DrawJudge::Climbed> climbed;
    for (const std::size_t r : of_draw_[draw]) {
        const MaximumFound& m = found_.host[r];
        climbed.push_back(
            {requested_[r].statistic, m.harmonics, m.frequency, m.value, m.evidence, m.may_be_faster});
    }
    return engine::DrawJudge(*draws_[draw].task).judged(climbed);
}

}  // namespace xsift::cuda
