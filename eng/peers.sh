# Sourced by ./bench and by ./test --all: what ShmAlloc is compared with.

# What the comparisons need besides the .NET SDK: "file: Debian packages that bring it". What is missing is left out of the tables, which say so.
allocator_peers=(
    "/usr/bin/cc: gcc libc6-dev"
    "/usr/bin/g++: g++"
    "/usr/include/mimalloc.h: libmimalloc-dev"
    "/usr/include/jemalloc/jemalloc.h: libjemalloc-dev"
    "/usr/include/boost/version.hpp: libboost-dev"
)
cache_peers=(
    "/usr/include/lmdb.h: liblmdb0 liblmdb-dev"
    "/usr/bin/redis-server: redis-server"
    "/usr/bin/memcached: memcached"
)
web_peers=(
    "/usr/bin/redis-server: redis-server"
    "/usr/bin/memcached: memcached"
)
# The services that come with them, which nobody asked for: the benchmark and the tests start servers of their own.
services=(redis-server memcached)

# install_peers PEER...: installs what is missing of such a list.
install_peers() {
    local packages
    read -r -a packages < <(missing_packages "$@")
    if ((${#packages[@]} == 0)); then
        return 0
    fi
    if ((EUID != 0)); then
        echo "For all comparisons please install ${packages[*]} (or run ./bench as root, which does it)." >&2
        return 0
    fi
    echo "Installing ${packages[*]} ..." >&2
    apt-get update -qq < /dev/null > /dev/null || true
    install_without_services "${packages[@]}" || echo "They could not be installed." >&2
}

# install_without_services PACKAGE...: a policy-rc.d that forbids it keeps services from starting meanwhile; an older one is put back. A service that
# is new here does not start with the machine either.
install_without_services() (
    policy=/usr/sbin/policy-rc.d
    kept=$policy.kept-by-shmalloc
    if [[ -e $policy ]]; then
        mv "$policy" "$kept"
    fi
    trap 'rm -f "$policy"; if [[ -e $kept ]]; then mv "$kept" "$policy"; fi' EXIT
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" < /dev/null > /dev/null || exit 1
    for service in "${services[@]}"; do
        if [[ " $* " == *" $service "* ]] && command -v systemctl > /dev/null; then
            systemctl disable "$service" > /dev/null 2>&1 || true
        fi
    done
)
