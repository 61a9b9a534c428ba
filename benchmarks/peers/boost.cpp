// Boost.Interprocess managed_shared_memory, as its documentation shows it: one mutex, a tree of free blocks, best fit.
#include "driver.h"

#include <boost/interprocess/managed_shared_memory.hpp>
#include <boost/version.hpp>

#include <cstring>
#include <new>
#include <string>

using boost::interprocess::create_only;
using boost::interprocess::managed_shared_memory;
using boost::interprocess::open_only;

namespace {

alignas(managed_shared_memory) char place[sizeof(managed_shared_memory)];
managed_shared_memory *segment;

const char *open_heap(const parameters *p) {
    // It wants a name, which is a file of /dev/shm here.
    const char *slash = std::strrchr(p->path, '/');
    const char *name = slash ? slash + 1 : p->path;
    try {
        segment = p->process == 0 ? new (place) managed_shared_memory(create_only, name, p->heap_bytes) : new (place) managed_shared_memory(open_only, name);
        return nullptr;
    } catch (const std::exception &exception) {
        static std::string reason;
        reason = exception.what();
        return reason.c_str();
    }
}

void close_heap() { segment->~managed_shared_memory(); }

std::uint64_t allocate(std::size_t bytes) { return reinterpret_cast<std::uint64_t>(segment->allocate(bytes, std::nothrow)); }
void release(std::uint64_t handle) { segment->deallocate(reinterpret_cast<void *>(handle)); }
void *address(std::uint64_t handle) { return reinterpret_cast<void *>(handle); }
std::uint64_t to_wire(std::uint64_t handle) { return segment->get_handle_from_address(reinterpret_cast<void *>(handle)); }
std::uint64_t from_wire(std::uint64_t wire) { return reinterpret_cast<std::uint64_t>(segment->get_address_from_handle(static_cast<managed_shared_memory::handle_t>(wire))); }
const char *version() { return "Boost " BOOST_LIB_VERSION; }

} // namespace

extern "C" {
struct subject boost_interprocess = {"boost", open_heap, close_heap, allocate, release, address, to_wire, from_wire, version};
}
