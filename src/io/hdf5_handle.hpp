#pragma once
/// @file
/// The HDF5 library behind small owners: handles, the lock, the reason of a failure, types, attributes.

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <hdf5.h>

namespace xsift::io::hdf5 {

/// Holds the library for this thread: one thread at a time, no error printing, no plug-ins.
class Session {
  public:
    Session();

  private:
    std::scoped_lock<std::recursive_mutex> lock_;
};

/// Owns an HDF5 identifier. Negative: none.
class Handle {
  public:
    using Close = herr_t (*)(hid_t);

    Handle() = default;
    Handle(hid_t id, Close closer) : id_(id), close_(closer) {}
    Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    Handle& operator=(Handle&& other) noexcept {
        std::swap(id_, other.id_);
        std::swap(close_, other.close_);
        return *this;
    }
    ~Handle() { close(); }

    hid_t get() const { return id_; }
    bool valid() const { return id_ >= 0; }
    /// Negative when the library could not close it.
    herr_t close() { return valid() ? close_(std::exchange(id_, -1)) : 0; }

  private:
    hid_t id_ = -1;
    Close close_ = nullptr;
};

/// The innermost message of the library's error stack, and the errno it quotes (0: none).
struct Failure {
    std::string message;
    int error_number = 0;
};
Failure last_failure();

template <typename T>
struct Type;  // file and memory type of a C++ number; every file of ours is little-endian
template <>
struct Type<double> {
    static hid_t file() { return H5T_IEEE_F64LE; }
    static constexpr const char* name = "float64";
};
template <>
struct Type<float> {
    static hid_t file() { return H5T_IEEE_F32LE; }
    static constexpr const char* name = "float32";
};
template <>
struct Type<std::int64_t> {
    static hid_t file() { return H5T_STD_I64LE; }
    static constexpr const char* name = "int64";
};
template <>
struct Type<std::int32_t> {
    static hid_t file() { return H5T_STD_I32LE; }
    static constexpr const char* name = "int32";
};
template <>
struct Type<std::int16_t> {
    static hid_t file() { return H5T_STD_I16LE; }
    static constexpr const char* name = "int16";
};
template <>
struct Type<std::uint32_t> {
    static hid_t file() { return H5T_STD_U32LE; }
    static constexpr const char* name = "uint32";
};
template <>
struct Type<std::uint8_t> {
    static hid_t file() { return H5T_STD_U8LE; }
    static constexpr const char* name = "uint8";
};

/// Fixed-length UTF-8 text of `width` bytes, padded with zero bytes.
Handle text_type(std::size_t width);

/// Writes a scalar attribute. Negative on failure.
herr_t write_attribute(hid_t object, const std::string& name, const std::string& text);
herr_t write_attribute(hid_t object, const std::string& name, std::int64_t number);

/// Reads a scalar attribute of fixed-length text or of an integer; false when it is absent or something else.
bool read_attribute(hid_t object, const std::string& name, std::string& text);
bool read_attribute(hid_t object, const std::string& name, std::int64_t& number);
/// Names of all attributes, sorted.
std::vector<std::string> attribute_names(hid_t object);
/// Names of all links of a group, sorted.
std::vector<std::string> link_names(hid_t group);

/// Reads or writes rows [first, first + count) of a one-dimensional dataset. Negative on failure.
herr_t read_rows(hid_t dataset, hid_t type, std::int64_t first, std::int64_t count, void* out);
herr_t write_rows(hid_t dataset, hid_t type, std::int64_t first, std::int64_t count, const void* values);

}  // namespace xsift::io::hdf5
