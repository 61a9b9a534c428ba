# Sourced by ./test. Jobs run beside each other, each in a process group of its own and with its output in a file of its own. While the script
# waits for them, it says every few seconds what is going on.

progress_seconds=8

# What runs now, by the id of its process: also how much of it is done, since when, and after how many seconds without more it hangs.
declare -A job_name=() job_log=() job_began=() job_counts=() job_done=() job_moved=() job_patience=()

# What was last said, and what has ended.
said=0
ended_name=
ended_log=
ended_code=0
ended_seconds=0
ended_hung=no

# start_job NAME LOG COUNTS COMMAND...: COMMAND may be a function. COUNTS is what to tell of a log that grows, as "tests ^passed ": the lines
# that match the expression behind the first word are counted. Sets started to the id of the process.
start_job() {
    local name=$1 log=$2 counts=$3
    shift 3
    mkdir -p "$(dirname "$log")"
    # With job control each job gets a process group, and is not deaf to an interrupt.
    set -m
    "$@" > "$log" 2>&1 < /dev/null &
    set +m
    started=$!
    job_name[$started]=$name
    job_log[$started]=$log
    job_counts[$started]=$counts
    job_began[$started]=$SECONDS
    job_moved[$started]=$SECONDS
    job_done[$started]=0
}

# hangs_after PID SECONDS: ends a job when it has done nothing more for so long. A slow machine is no reason.
hangs_after() {
    job_patience[$1]=$2
}

# await_job: returns when a job has ended, and sets ended_name, ended_log, ended_code, ended_seconds and ended_hung.
await_job() {
    local pid
    while true; do
        for pid in "${!job_name[@]}"; do
            if ! kill -0 "$pid" 2> /dev/null; then
                ended_code=0
                wait "$pid" || ended_code=$?
                # What it started and did not end.
                kill -KILL -- "-$pid" 2> /dev/null || true
                ended_name=${job_name[$pid]}
                ended_log=${job_log[$pid]}
                ended_seconds=$((SECONDS - job_began[$pid]))
                ended_hung=no
                if [[ ${job_patience[$pid]:-} == over ]]; then
                    ended_hung=yes
                fi
                unset "job_name[$pid]" "job_log[$pid]" "job_counts[$pid]" "job_began[$pid]" "job_done[$pid]" "job_moved[$pid]" "job_patience[$pid]"
                return 0
            fi
        done
        if ((SECONDS - said >= progress_seconds)); then
            say_progress
        fi
        sleep 0.2
    done
}

# run_job NAME LOG COUNTS COMMAND...: one job alone; answers with its exit code.
run_job() {
    start_job "$@"
    await_job
    return "$ended_code"
}

# say TEXT: a line with the time since the script began.
say() {
    said=$SECONDS
    printf '[%d:%02d] %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$1"
}

say_progress() {
    local pid line=
    for pid in "${!job_name[@]}"; do
        look_at_job "$pid"
        line+="${line:+; }${job_name[$pid]} (${job_counts[$pid]:+${job_done[$pid]} ${job_counts[$pid]%% *}, }$((SECONDS - job_began[$pid])) s)"
    done
    say "$line"
}

# look_at_job PID: counts what it has done, and ends it if it hangs.
look_at_job() {
    local pid=$1 counts=${job_counts[$1]} number=0
    if [[ -z $counts ]]; then
        return 0
    fi
    number=$(grep -cE -- "${counts#* }" "${job_log[$pid]}" 2> /dev/null) || true
    if ((number != job_done[$pid])); then
        job_done[$pid]=$number
        job_moved[$pid]=$SECONDS
    elif [[ ${job_patience[$pid]:-over} != over ]] && ((SECONDS - job_moved[$pid] >= job_patience[$pid])); then
        job_patience[$pid]=over
        end_group "$pid"
    fi
}

# end_jobs: interrupts what runs, so that it can tidy up, and ends what is still there after a while.
end_jobs() {
    local pid
    for pid in "${!job_name[@]}"; do
        kill -INT -- "-$pid" 2> /dev/null || true
    done
    for pid in "${!job_name[@]}"; do
        end_group "$pid"
    done
    job_name=()
}

# end_group PID: the process and all that it started and that stayed in its group.
end_group() {
    local tenths=0
    kill -INT -- "-$1" 2> /dev/null || true
    while ((tenths++ < 100)) && kill -0 -- "-$1" 2> /dev/null; do
        sleep 0.1
    done
    kill -KILL -- "-$1" 2> /dev/null || true
}
