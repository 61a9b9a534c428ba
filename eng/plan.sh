# Sourced by ./test: what is built and run, in which order, and what must wait for what.

# Those that take longest come first, so that nothing long is left for the end; then the others in the solution's order.
longest_first=(ShmAlloc.Simulation.Tests ShmAlloc.Native.Tests ShmAlloc.ProcessTests)

# Whether the benchmarks still run, beside all that they compare: a quick run leaves that to the others, unless a filter asks for it.
only_with_all=(ShmAlloc.Benchmarks.Tests)

# The projects to run, as paths below the root; what is still to be built, one after the other: projects, the solution, "native", "format"; what is
# being built; what was built; the projects that did not begin yet.
projects=()
to_build=()
building=
declare -A is_built=()
to_test=()

# run_projects: builds, checks and runs all that the options ask for.
run_projects() {
    choose_projects
    install_needed
    plan
    start_jobs
    while ((${#job_name[@]} > 0)); do
        await_job
        if [[ $ended_name == "$(build_title "$building")" ]]; then
            finish_build
        else
            count_tests
        fi
        start_jobs
    done
    local project
    for project in "${to_test[@]}"; do
        echo "$(basename "$project" .csproj) did not run: what it needs was not built."
    done
}

choose_projects() {
    local all=() first=() name matching
    mapfile -t all < <(test_projects)
    for name in "${longest_first[@]}"; do
        first+=("tests/$name/$name.csproj")
    done
    # Of those first, the ones that the solution has.
    mapfile -t projects < <(
        printf '%s\n' "${first[@]}" | grep -xF "$(printf '%s\n' "${all[@]}")"
        printf '%s\n' "${all[@]}" | grep -vxF "$(printf '%s\n' "${first[@]}")"
    )
    if [[ $effort == quick && -z $filter ]]; then
        mapfile -t projects < <(printf '%s\n' "${projects[@]}" | grep -vF "$(printf '/%s.csproj\n' "${only_with_all[@]}")")
    fi
    if [[ -n $filter ]]; then
        say "Looking for the projects in which '$filter' matches."
        mapfile -t matching < <(matching_projects "$filter" "${projects[@]}")
        if ((${#matching[@]} > 0)); then
            projects=("${matching[@]}")
            say "Only these have tests that may match, and are built: ${projects[*]##*/}"
        else
            say "The sources do not tell: every test project is built."
        fi
    fi
}

plan() {
    local project
    to_test=("${projects[@]}")
    to_build=(ShmAlloc.slnx)
    if [[ -n $filter ]]; then
        to_build=("${projects[@]}")
    fi
    for project in "${projects[@]}"; do
        if needs_native_library "$project"; then
            to_build+=(native)
            break
        fi
    done
    if [[ $format == yes ]]; then
        to_build+=(format)
    fi
}

# start_jobs: as many as may begin now.
start_jobs() {
    local index
    if [[ -z $building ]] && ((${#to_build[@]} > 0 && ${#job_name[@]} < jobs)); then
        building=${to_build[0]}
        to_build=("${to_build[@]:1}")
        start_build
    fi
    for index in "${!to_test[@]}"; do
        if ((${#job_name[@]} < jobs)) && may_run "${to_test[index]}"; then
            start_tests "${to_test[index]}"
            unset "to_test[index]"
        fi
    done
}

# may_run PROJECT: whether what it needs is built.
may_run() {
    if [[ -z ${is_built[$1]:-} && -z ${is_built[ShmAlloc.slnx]:-} ]]; then
        return 1
    fi
    ! needs_native_library "$1" || [[ -n ${is_built[native]:-} ]]
}

build_title() {
    case $1 in
        native) echo "compiling the native library" ;;
        format) echo "checking the formatting" ;;
        *) echo "building $(basename "$1")" ;;
    esac
}

start_build() {
    local title log
    title=$(build_title "$building")
    log="$results/$(basename "$building").build.log"
    case $building in
        native) start_job "$title" "$log" "" compile_native ;;
        format) start_job "$title" "$log" "" check_format ;;
        *) start_job "$title" "$log" "projects ^ +[A-Za-z.]+ -> " compile "$building" ;;
    esac
}

finish_build() {
    local title
    title=$(build_title "$building")
    if ((ended_code == 0)); then
        is_built[$building]=yes
        say "$title: done in $ended_seconds s"
    else
        cat "$ended_log"
        say "$title failed."
        add_result 0 1 0
        # Without the solution nothing runs; of single projects the others do.
        if [[ $building == ShmAlloc.slnx ]]; then
            to_build=()
        fi
    fi
    building=
}

# Style and analyzers are errors of the build; what it does not look at is white space. A thorough run asks for all three, which costs minutes.
check_format() {
    local command=(whitespace . --folder --include src/ tests/ benchmarks/ samples/)
    if [[ $effort != quick ]]; then
        command=(ShmAlloc.slnx --no-restore)
    fi
    if ! (cd "$root" && dotnet format "${command[@]}" --verify-no-changes); then
        echo "The formatting differs: 'dotnet format' repairs most of it."
        return 1
    fi
}

# install_needed: installs the programs of the list that some project to run needs.
install_needed() {
    local entry command packages wanted_by_some=() claimed wanted
    if [[ $effort != quick ]]; then
        needed+=("${needed_for_all[@]}")
        if printf '%s\n' "${projects[@]}" | grep -q Benchmarks; then
            run_job "installing what is compared" "$results/peers.log" "" install_peers "${allocator_peers[@]}" "${cache_peers[@]}" || cat "$ended_log"
        fi
    fi
    claimed=$(for project in $(test_projects); do project_property "$project" NeedsPrograms; done)
    wanted=$(for project in "${projects[@]}"; do project_property "$project" NeedsPrograms; done)
    for entry in "${needed[@]}"; do
        command=${entry%%:*}
        if ! grep -qwF -- "$command" <<< "$claimed" || grep -qwF -- "$command" <<< "$wanted"; then
            wanted_by_some+=("$entry")
        fi
    done
    read -r -a packages < <(missing_packages "${wanted_by_some[@]}")
    if ((${#packages[@]} == 0)); then
        return 0
    fi
    if ((EUID != 0)); then
        echo "Missing: please install the packages ${packages[*]} (or run ./test as root, which does it)." >&2
        return 1
    fi
    say "installing ${packages[*]}"
    if ! run_job "installing" "$results/install.log" "" install_packages "${packages[@]}"; then
        cat "$ended_log"
        return 1
    fi
}

install_packages() {
    apt-get update -qq
    install_without_services "$@"
}
