# Sourced by ./test: which test projects have a test that a --filter may match.

# test_names PROJECT_DIRECTORY: Namespace.Class.Method of every public method in the sources of a project, and more: in a file with several classes each
# method is taken to be in each of them.
test_names() {
    find "$1" -name '*.cs' -not -path '*/obj/*' -not -path '*/bin/*' -exec awk '
        function tell(class, method) {
            for (class in classes)
                for (method in methods)
                    print space "." class "." method
            delete classes
            delete methods
            space = ""
        }
        FNR == 1 { tell() }
        /^namespace / { space = $2; sub(/[;{].*/, "", space) }
        match($0, /(class|record|struct) +[A-Za-z_][A-Za-z_0-9]*/) { split(substr($0, RSTART, RLENGTH), words, / +/); classes[words[2]] }
        /^ +public / && match($0, /[A-Za-z_][A-Za-z_0-9]*\(/) { methods[substr($0, RSTART, RLENGTH - 1)] }
        END { tell() }' {} +
}

# filter_words FILTER: the texts of which a test must have at least one in its full name; nothing if the filter does not say so.
filter_words() {
    local filter=$1 term
    if [[ $filter != *[\&\|\=\~\!\(\)]* ]]; then
        echo "$filter"
        return 0
    fi
    # Something else than a name, or one that must not match beside others that need not: unclear.
    if [[ $filter == *\|* && $filter == *\!* ]]; then
        return 0
    fi
    tr '&|()' '\n\n\n\n' <<< "$filter" | while IFS= read -r term; do
        if [[ $term =~ ^\ *(FullyQualifiedName|Name|ClassName)\ *[=~]\ *(.*[^ ])\ *$ ]]; then
            echo "${BASH_REMATCH[2]}"
        elif [[ $term == *[\=\~]* && $term != *!* ]]; then
            echo "?"
        fi
    done
}

# matching_projects FILTER PROJECT...: those of the projects that may have a test that matches. Nothing if that is unclear, or if there is none, as with
# tests that a class inherits from one in another file.
matching_projects() {
    local words project
    words=$(filter_words "$1")
    shift
    if [[ -z $words || $words == *\?* ]]; then
        return 0
    fi
    for project in "$@"; do
        # All names are read, and then counted: a pipe that is closed early would look like a failure. As in a filter, capitals do not matter.
        if (($(test_names "$root/$(dirname "$project")" | grep -ciF -- "$words") > 0)); then
            echo "$project"
        fi
    done
}
