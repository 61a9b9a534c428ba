# Sourced by ./test: the test projects, how one is run, and what counts.

passed=0
failed=0
skipped=0

# add_result PASSED FAILED SKIPPED: adds to the figures of the last line.
add_result() {
    passed=$((passed + $1))
    failed=$((failed + $2))
    skipped=$((skipped + $3))
}

# The projects of the solution that say that they are test projects, as paths below the root.
test_projects() {
    local project
    sed -n 's/.*<Project Path="\([^"]*\.csproj\)".*/\1/p' "$root/ShmAlloc.slnx" | while read -r project; do
        if grep -q '<IsTestProject>true</IsTestProject>' "$root/$project"; then
            echo "$project"
        fi
    done
}

# project_property PROJECT NAME: what a project file says literally; nothing if it does not say it.
project_property() {
    sed -n "s/.*<$2>\(.*\)<\/$2>.*/\1/p" "$root/$1"
}

needs_native_library() {
    [[ $(project_property "$1" NeedsNativeLibrary) == true ]]
}

# counter REPORT NAME: one figure of the report's summary; 0 if there is no report.
counter() {
    local counters
    counters=$(grep -o '<Counters [^>]*>' "$1" 2> /dev/null | tail -n 1) || counters=
    counters=$(sed -n "s/.* $2=\"\([0-9]*\)\".*/\1/p" <<< "$counters")
    echo "${counters:-0}"
}

# The job that runs a test project.
execute_tests() {
    local name=$1 options
    options=(--results-directory "$results" --report-xunit-trx --report-xunit-trx-filename "$name.trx"
        --show-test-results all --progress off --ansi off --long-running 60 --xunit-diagnostics on)
    if [[ -n $filter ]]; then
        options+=(--filter "$filter" --ignore-exit-code 8)
    fi
    exec dotnet exec "$(built "$name")" "${options[@]}"
}

start_tests() {
    local name
    name=$(basename "$1" .csproj)
    mkdir -p "$results"
    rm -f "$results/$name.trx"
    start_job "$name" "$results/$name.log" 'tests ^(passed|failed|skipped) ' execute_tests "$name"
    hangs_after "$started" "$test_seconds"
}

# What a project printed, but for the blocks of the tests that passed.
without_passed() {
    awk '/^passed / { passing = 1; next } !/^[ \t]|^$/ { passing = 0 } !passing' "$1"
}

# count_tests: adds the figures of the project that has ended. The report counts, not what was printed.
count_tests() {
    local name=$ended_name exit_code=$ended_code report="$results/$ended_name.trx" fault=
    local run_passed run_failed run_skipped
    run_passed=$(counter "$report" passed)
    run_failed=$(counter "$report" failed)
    run_skipped=$(counter "$report" notExecuted)
    if [[ $ended_hung == yes ]]; then
        fault="hung: no test ended for $test_seconds seconds"
    elif [[ ! -f $report ]]; then
        fault="crashed with exit code $exit_code and left no report"
    elif ((exit_code != 0 && run_failed == 0)); then
        fault="failed with exit code $exit_code"
    elif ((run_passed + run_failed == 0)) && [[ -z $filter ]]; then
        fault="ran no test"
    fi
    if [[ -n $fault ]]; then
        run_failed=$((run_failed + 1))
    fi
    add_result "$run_passed" "$run_failed" "$run_skipped"
    if ((run_failed + run_skipped > 0)); then
        echo "== $name"
        without_passed "$results/$name.log"
    fi
    say "$name${fault:+ $fault}: $run_passed passed, $run_failed failed, $run_skipped skipped in $ended_seconds s"
}
