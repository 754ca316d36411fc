#include "hdf5_handle.hpp"

#include <bit>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <utility>

namespace xsift::io::hdf5 {

static_assert(std::endian::native == std::endian::little,
              "checksums are over the little-endian bytes in memory");

namespace {

std::recursive_mutex& library_mutex() {
    static std::recursive_mutex mutex;
    return mutex;
}

/// What a visitor of the library fills. Visitors must not throw: the library would never give its lock back.
template <typename Found>
struct Visit {
    Found found;
    bool out_of_memory = false;

    template <typename Step>
    herr_t guarded(const Step& step) noexcept {
        try {
            step(found);
            return 0;
        } catch (const std::bad_alloc&) {
            out_of_memory = true;
            return -1;
        }
    }
    /// @throws std::bad_alloc
    Found take() {
        if (out_of_memory) throw std::bad_alloc();
        return std::move(found);
    }
};

/// H5Ewalk2 visitor, innermost entry first.
herr_t note_failure(unsigned, const H5E_error2_t* entry, void* data) {
    auto& visit = *static_cast<Visit<Failure>*>(data);
    visit.out_of_memory |= entry->min_num == H5E_NOSPACE;
    return visit.guarded([&](Failure& failure) {
        const std::string text = entry->desc != nullptr ? entry->desc : "";
        if (failure.message.empty()) failure.message = text;
        const std::size_t at = text.find("errno = ");
        if (failure.error_number == 0 && at != std::string::npos)
            failure.error_number = std::atoi(text.c_str() + at + 8);
    });
}

/// Whether so little memory is left that the library and its filters fail for want of it, whatever they say.
bool memory_is_exhausted() {
    constexpr std::size_t enough = std::size_t{1} << 20;
    // A new expression may be left out by the compiler. NOLINTNEXTLINE(cppcoreguidelines-no-malloc)
    return std::unique_ptr<void, decltype(&std::free)>(std::malloc(enough), &std::free) == nullptr;
}

/// The failure before the handles of a scope were closed: every call of the library forgets those of earlier
/// calls.
thread_local std::optional<Failure> noted;

/// @throws std::bad_alloc when memory is exhausted: that says nothing about the file.
Failure current_failure() {
    Visit<Failure> visit;
    visit.out_of_memory = memory_is_exhausted();
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note_failure, &visit);
    Failure failure = visit.take();
    if (failure.message.empty()) failure.message = "no reason given";
    return failure;
}

herr_t note_if_failed(herr_t status) {
    if (status < 0) noted = current_failure();
    return status;
}

/// H5Literate and H5Aiterate visitor.
template <typename Info>
herr_t note_name(hid_t, const char* name, const Info*, void* data) {
    return static_cast<Visit<std::vector<std::string>>*>(data)->guarded(
        [&](std::vector<std::string>& names) { names.emplace_back(name); });
}

/// Calls the transfer for rows [first, first + count).
template <typename Transfer>
herr_t on_rows(hid_t dataset, std::int64_t first, std::int64_t count, const Transfer& transfer) {
    if (count == 0) return 0;
    const hsize_t start = static_cast<hsize_t>(first), length = static_cast<hsize_t>(count);
    const Handle space(H5Dget_space(dataset), H5Sclose);
    const Handle memory(H5Screate_simple(1, &length, nullptr), H5Sclose);
    if (!space.valid() || !memory.valid()) return note_if_failed(-1);
    if (H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, &start, nullptr, &length, nullptr) < 0)
        return note_if_failed(-1);
    return note_if_failed(transfer(memory.get(), space.get()));
}

herr_t write_attribute(hid_t object, const std::string& name, hid_t type, const void* value) {
    const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    Handle attribute(H5Acreate2(object, name.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    if (!attribute.valid() || H5Awrite(attribute.get(), type, value) < 0) return note_if_failed(-1);
    return note_if_failed(attribute.close());
}

/// Opens a scalar attribute, if it is there.
Handle scalar_attribute(hid_t object, const std::string& name) {
    if (H5Aexists(object, name.c_str()) <= 0) return {};
    Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose);
    const Handle space(H5Aget_space(attribute.get()), H5Sclose);
    if (!space.valid() || H5Sget_simple_extent_npoints(space.get()) != 1) return {};
    return attribute;
}

}  // namespace

Session::Session() : lock_(library_mutex()) {
    // Its clean-up at exit crashes after a failed close (of a full disk); we close all that we open
    // ourselves.
    static const herr_t no_cleanup = H5dont_atexit();
    static_cast<void>(no_cleanup);
    // A process-wide switch: files may ask for plug-ins, which are code to load.
    static const herr_t plugins_off = H5PLset_loading_state(0);
    static_cast<void>(plugins_off);
    // The automatic printing is set for each thread.
    thread_local const herr_t printing_off = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    static_cast<void>(printing_off);
}

Failure last_failure() {
    Failure failure = noted ? *noted : current_failure();
    noted.reset();
    return failure;
}

Handle text_type(std::size_t width) {
    Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.get(), width == 0 ? 1 : width);
    H5Tset_cset(type.get(), H5T_CSET_UTF8);
    H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
    return type;
}

herr_t write_attribute(hid_t object, const std::string& name, const std::string& text) {
    return write_attribute(object, name, text_type(text.size()).get(), text.c_str());
}

herr_t write_attribute(hid_t object, const std::string& name, std::int64_t number) {
    return write_attribute(object, name, H5T_STD_I64LE, &number);
}

bool read_attribute(hid_t object, const std::string& name, std::string& text) {
    const Handle attribute = scalar_attribute(object, name);
    if (!attribute.valid()) return false;
    const Handle type(H5Aget_type(attribute.get()), H5Tclose);
    if (H5Tget_class(type.get()) != H5T_STRING || H5Tis_variable_str(type.get()) != 0) return false;
    const std::size_t size = H5Tget_size(type.get());
    if (H5Aget_storage_size(attribute.get()) != size) return false;
    text.assign(size, '\0');
    if (H5Aread(attribute.get(), type.get(), text.data()) < 0) return false;
    text.resize(text.find_last_not_of('\0') + 1);
    return true;
}

bool read_attribute(hid_t object, const std::string& name, std::int64_t& number) {
    const Handle attribute = scalar_attribute(object, name);
    if (!attribute.valid()) return false;
    const Handle type(H5Aget_type(attribute.get()), H5Tclose);
    return H5Tget_class(type.get()) == H5T_INTEGER &&
           H5Aread(attribute.get(), H5T_NATIVE_INT64, &number) >= 0;
}

std::vector<std::string> attribute_names(hid_t object) {
    Visit<std::vector<std::string>> names;
    H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, nullptr, note_name<H5A_info_t>, &names);
    return names.take();
}

std::vector<std::string> link_names(hid_t group) {
    Visit<std::vector<std::string>> names;
    H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, note_name<H5L_info_t>, &names);
    return names.take();
}

herr_t read_rows(hid_t dataset, hid_t type, std::int64_t first, std::int64_t count, void* out) {
    return on_rows(dataset, first, count, [&](hid_t memory, hid_t space) {
        return H5Dread(dataset, type, memory, space, H5P_DEFAULT, out);
    });
}

herr_t write_rows(hid_t dataset, hid_t type, std::int64_t first, std::int64_t count, const void* values) {
    return on_rows(dataset, first, count, [&](hid_t memory, hid_t space) {
        return H5Dwrite(dataset, type, memory, space, H5P_DEFAULT, values);
    });
}

}  // namespace xsift::io::hdf5
