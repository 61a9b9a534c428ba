# Sourced by ./test, for --arm64, --all and --deep. The unit tests and the C programs, compiled for ARM64 and run by an emulator of its processors, on the kernel of
# this machine. That shows constants, structures, code generation and the C calling convention; it does not show a weak memory order, since the
# processor below keeps its own, stronger one.

arm64="$root/artifacts/arm64"

# The C library and what else the runtime needs, from Debian's packages for ARM64. They are unpacked here and not installed.
arm64_libraries=(libc6 libgcc-s1 libssl3 libstdc++6 zlib1g)

# Not run: what is said of the source tree, which is the same for every processor; and what asks the kernel about a mapping by MADV_POPULATE_READ, which
# the emulator answers with success without asking anybody.
arm64_filter='FullyQualifiedName!~ShmAlloc.Tests.Tidy&FullyQualifiedName!~A_committed_size_that_the_file_does_not_have_is_not_believed'

# The programs of tests/ShmAlloc.Native.Tests that are lists of cases.
arm64_programs=(allocation.c bad_input.c opening.c host.c forks.c forking_threads.c signals.c threads.c at_load.c
    caching.c counting.c entries.c tags.c marks.c flights.c waiting.c stale.c sharing.c)

# Cases that the emulator cannot run, and why. Programs/emulator.c says whether it does what the first reason blames it for; if not, those cases run.
arm64_no_advice="the emulator does not pass on MADV_WIPEONFORK and MADV_DONTFORK, so that a child is taken for its parent"
declare -A arm64_skipped=(
    ["a relative path still works after the directory was changed"]=$arm64_no_advice
    ["it survives a host that closes every descriptor it does not know"]=$arm64_no_advice
    ["a child allocates and frees at once, without calling shm_init"]=$arm64_no_advice
    ["a reservation of the parent is the parent's"]=$arm64_no_advice
    ["a parent that dies is found dead although its child lives"]=$arm64_no_advice
    ["a parent that dies is found dead although its child lives and never calls"]=$arm64_no_advice
    ["exec in a child takes its slot away and leaves the parent's"]=$arm64_no_advice
    ["a child that leaves the heap leaves the parent's alone"]=$arm64_no_advice
    ["handlers allocate in children that have just been forked"]=$arm64_no_advice
    ["a number counts across processes"]=$arm64_no_advice
    ["F15: of many who set one key at once none is told to try again"]=$arm64_no_advice
    ["many who add one by version lose none"]=$arm64_no_advice
    ["a mark of another cache, of another process, or that was written over is never current"]=$arm64_no_advice
    ["no copy is behind while others set the value"]=$arm64_no_advice
    ["of many processes one works the value out, and the others wait for it"]=$arm64_no_advice
    ["when a leader is killed, one who waits takes over, long before the limit"]=$arm64_no_advice
    ["those who take a stale value find out that its leader is dead, or hangs"]=$arm64_no_advice
    ["a child that was forked cannot complete its parent's flight, and waits for it"]=$arm64_no_advice
    ["a storm of forks in which parents and children are killed damages nothing"]=$arm64_no_advice
    ["threads fork while others allocate, and the children start threads"]="the emulator hangs when a process with threads forks"
    ["a program that is started by another shares its heap"]="the kernel does not know how to start a program for ARM64"
    ["no thread is started, and no signal disposition or mask changed"]="the emulator has a thread of its own"
    ["a thousand times initialised and left"]="it counts the lines of /proc/self/maps, which the emulator makes up"
)

run_arm64() {
    local step
    for step in install_arm64_tools unpack_arm64_libraries publish_arm64_tests compile_arm64_library; do
        if ! run_job "ARM64: ${step//_/ }" "$results/$step.log" "" "$step"; then
            cat "$ended_log"
            say "ARM64: ${step//_/ } failed."
            add_result 0 1 0
            return 0
        fi
    done
    rm -f "$results/ShmAlloc.Tests-arm64.trx"
    start_job ShmAlloc.Tests-arm64 "$results/ShmAlloc.Tests-arm64.log" 'tests ^(passed|failed|skipped) ' run_arm64_unit_tests
    start_job "C programs for ARM64" "$results/arm64-programs.log" 'cases ^(passed|failed|skipped) ' run_arm64_programs
    while ((${#job_name[@]} > 0)); do
        await_job
        if [[ $ended_name == ShmAlloc.Tests-arm64 ]]; then
            count_tests "$ended_name" "$ended_code" "$ended_seconds"
        else
            count_arm64_programs "$ended_code" "$ended_seconds"
        fi
    done
}

install_arm64_tools() {
    local packages=()
    command -v qemu-aarch64-static > /dev/null || packages+=(qemu-user-static)
    if ! command -v aarch64-linux-gnu-gcc > /dev/null || [[ ! -d /usr/aarch64-linux-gnu/include ]]; then
        packages+=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross)
    fi
    if ((${#packages[@]} == 0)); then
        return 0
    fi
    if ((EUID != 0)); then
        echo "Missing: please install the packages ${packages[*]} (or run ./test as root, which does it)."
        return 1
    fi
    install_packages "${packages[@]}"
}

# unpack_arm64_libraries: with lists and settings of its own, so that the machine's apt stays one for its own architecture.
unpack_arm64_libraries() {
    local state="$arm64/apt" sources=/etc/apt/sources.list.d/debian.sources options package
    if [[ -e $arm64/libraries/complete ]]; then
        return 0
    fi
    [[ -f $sources ]] || sources=/etc/apt/sources.list
    rm -rf "$arm64/libraries" "$state"
    mkdir -p "$state/lists/partial" "$state/archives/partial" "$arm64/libraries"
    options=(-qq -o "Dir::State=$state" -o "Dir::State::lists=$state/lists" -o "Dir::Cache=$state" -o Dir::State::status=/dev/null
        -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o "Dir::Etc::sourcelist=$sources" -o Dir::Etc::sourceparts=/dev/null
        -o Acquire::Languages=none -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update || return 1
    (cd "$state/archives" && apt-get "${options[@]}" download "${arm64_libraries[@]/%/:arm64}") || return 1
    for package in "$state"/archives/*.deb; do
        dpkg-deb -x "$package" "$arm64/libraries" || return 1
    done
    rm -rf "$state"
    touch "$arm64/libraries/complete"
}

# publish_arm64 PROJECT OPTION...: with a directory of its own for what is built, which the build for this machine does not see.
publish_arm64() {
    cd "$root" && dotnet publish "$1" -c Release -r linux-arm64 "-p:ArtifactsPath=$arm64" "${@:2}" \
        --disable-build-servers -nodeReuse:false -tl:off -nologo -verbosity:minimal
}

publish_arm64_tests() {
    publish_arm64 tests/ShmAlloc.Tests/ShmAlloc.Tests.csproj --self-contained -o "$arm64/tests"
}

compile_arm64_library() {
    publish_arm64 src/ShmAlloc.Native/ShmAlloc.Native.csproj -p:CppCompilerAndLinker=aarch64-linux-gnu-gcc -o "$arm64/native" || return 1
    ln -sfn libshm_alloc.so "$arm64/native/libshm_alloc.so.1"
}

emulated() {
    qemu-aarch64-static -L "$arm64/libraries" "$@"
}

# run_arm64_unit_tests: the emulator does not see that memory which is mapped twice, once to write code and once to run it, was changed.
run_arm64_unit_tests() {
    DOTNET_EnableWriteXorExecute=0 exec timeout --foreground --kill-after=20 "$test_seconds" \
        qemu-aarch64-static -L "$arm64/libraries" "$arm64/tests/ShmAlloc.Tests" \
        --results-directory "$results" --report-xunit-trx --report-xunit-trx-filename ShmAlloc.Tests-arm64.trx \
        --show-test-results all --progress off --ansi off --filter "$arm64_filter"
}

# run_arm64_programs: a line "passed", "failed" or "skipped" for each case.
run_arm64_programs() {
    local sources="$root/tests/ShmAlloc.Native.Tests/Programs" program sentence
    mkdir -p "$arm64/programs"
    if arm64_children_are_told; then
        for sentence in "${!arm64_skipped[@]}"; do
            [[ ${arm64_skipped[$sentence]} != "$arm64_no_advice" ]] || unset "arm64_skipped[$sentence]"
        done
    fi
    for program in "${arm64_programs[@]}"; do
        if ! aarch64-linux-gnu-gcc -std=gnu11 -O1 -g -Wall -Wextra -Werror -pthread -I "$root/src/ShmAlloc.Native/include" "$sources/$program" \
            -o "$arm64/programs/$program.out" -L "$arm64/native" -lshm_alloc "-Wl,-rpath,$arm64/native"; then
            echo "failed $program: it does not compile"
            continue
        fi
        sed -n 's/^CASE("\(.*\)")$/\1/p' "$sources/$program" | while IFS= read -r sentence; do
            run_arm64_case "$program" "$sentence"
        done
    done
}

# arm64_children_are_told: whether a child finds its memory as its parent said that it should.
arm64_children_are_told() {
    aarch64-linux-gnu-gcc -std=gnu11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror "$root/tests/ShmAlloc.Native.Tests/Programs/emulator.c" \
        -o "$arm64/programs/emulator.out" || return 1
    qemu-aarch64-static -L "$arm64/libraries" "$arm64/programs/emulator.out"
}

run_arm64_case() {
    local program=$1 sentence=$2 directory code=0 reason=${arm64_skipped[$2]:-}
    if [[ -n $reason ]]; then
        echo "skipped $program: $sentence: $reason"
        return 0
    fi
    directory=$(mktemp -d /dev/shm/shmalloc-arm64-XXXXXX)
    (
        export TEST_HEAP="$directory/heap"
        if [[ $program == at_load.c ]]; then
            export SHM_FILE="$directory/heap"
        fi
        timeout --kill-after=10 120 qemu-aarch64-static -L "$arm64/libraries" "$arm64/programs/$program.out" "$sentence"
    ) || code=$?
    rm -rf "$directory"
    if ((code == 0)); then
        echo "passed $program: $sentence"
    else
        echo "failed $program: $sentence: exit code $code"
    fi
}

# count_arm64_programs EXIT_CODE SECONDS
count_arm64_programs() {
    local log="$results/arm64-programs.log" run_passed run_failed run_skipped
    run_passed=$(grep -c '^passed ' "$log") || true
    run_failed=$(grep -c '^failed ' "$log") || true
    run_skipped=$(grep -c '^skipped ' "$log") || true
    if (($1 != 0 || run_passed + run_failed == 0)); then
        echo "The C programs for ARM64 ended with exit code $1."
        run_failed=$((run_failed + 1))
    fi
    add_result "$run_passed" "$run_failed" "$run_skipped"
    if ((run_failed + run_skipped > 0)); then
        grep -v '^passed ' "$log" || true
    fi
    say "C programs for ARM64: $run_passed passed, $run_failed failed, $run_skipped skipped in $2 s"
}
