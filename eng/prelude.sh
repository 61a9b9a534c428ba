# Sourced by ./test, ./demo and ./bench, with $root set to the repository's directory.

# Quiet, no telemetry, and no build server that outlives the script and keeps its output open.
export DOTNET_NOLOGO=1
export DOTNET_CLI_TELEMETRY_OPTOUT=1
export TESTINGPLATFORM_TELEMETRY_OPTOUT=1
export DOTNET_CLI_UI_LANGUAGE=en
export DOTNET_CLI_USE_MSBUILD_SERVER=0
export MSBUILDDISABLENODEREUSE=1

# Says what to do, and fails, when the .NET SDK that global.json asks for is not there.
require_sdk() {
    local wanted
    wanted=$(sed -n 's/.*"version": *"\([^"]*\)".*/\1/p' "$root/global.json")
    if ! command -v dotnet > /dev/null; then
        echo "The .NET SDK is missing: no 'dotnet' on the PATH. ShmAlloc needs version $wanted or a later 10.0; see https://dot.net." >&2
        return 1
    fi
    if ! (cd "$root" && dotnet --version > /dev/null 2>&1); then
        echo "ShmAlloc needs the .NET SDK $wanted or a later 10.0; see https://dot.net. Installed are:" >&2
        dotnet --list-sdks >&2
        return 1
    fi
}

# missing_packages ENTRY...: of entries "program or file: Debian packages that bring it", the packages of those that are not there, on one line.
missing_packages() {
    local entry what
    for entry in "$@"; do
        what=${entry%%:*}
        if [[ $what == /* && ! -e $what ]] || { [[ $what != /* ]] && ! command -v "$what" > /dev/null; }; then
            printf '%s ' "${entry#*: }"
        fi
    done
    echo
}

# compile PROJECT_OR_SOLUTION: builds it in Release. The compiler stays for the projects of one build, in the process group of its caller; without
# job control it would outlive the script.
compile() {
    # From the root, so that global.json counts wherever the script was called from.
    cd "$root" && dotnet build "$1" -c Release -nodeReuse:false -tl:off -nologo -verbosity:minimal \
        -p:UseSharedCompilation=true -p:SharedCompilationId="shmalloc-$BASHPID"
}

# build PROJECT_OR_SOLUTION: builds it, and prints what the build said only if it fails.
build() {
    local log="$root/artifacts/build.log"
    mkdir -p "$root/artifacts"
    if ! (cd "$root" && dotnet build "$1" -c Release --disable-build-servers -nodeReuse:false -tl:off -nologo -verbosity:quiet) \
        > "$log" 2>&1 < /dev/null; then
        cat "$log" >&2
        echo "The build of $1 failed." >&2
        return 1
    fi
}

# built NAME: the path of the program that project NAME builds.
built() {
    echo "$root/artifacts/bin/$1/release/$1.dll"
}

# publish_tool: compiles the operator's tool to machine code, as artifacts/tool/shmalloc, and prints what the compilers said only if it fails.
publish_tool() {
    local log="$root/artifacts/tool.log"
    mkdir -p "$root/artifacts"
    if ! (cd "$root" && dotnet publish src/ShmAlloc.Tool/ShmAlloc.Tool.csproj -c Release -p:PublishAot=true -o artifacts/tool \
        --disable-build-servers -nodeReuse:false -tl:off -nologo -verbosity:minimal) > "$log" 2>&1 < /dev/null; then
        cat "$log" >&2
        echo "Publishing the tool failed." >&2
        return 1
    fi
    mv "$root/artifacts/tool/ShmAlloc.Tool" "$root/artifacts/tool/shmalloc"
}

# publish_native: compiles the native library, and prints what the compilers said only if it fails.
publish_native() {
    local log="$root/artifacts/native.log"
    mkdir -p "$root/artifacts"
    if ! (compile_native) > "$log" 2>&1 < /dev/null; then
        cat "$log" >&2
        echo "Publishing the native library failed." >&2
        return 1
    fi
}

# compile_native: compiles src/ShmAlloc.Native to machine code below artifacts/native; on x86-64 also for processors of the third level (2013
# and later), where the bit counting of the allocator is several times faster: the loader finds that one by itself in glibc-hwcaps.
compile_native() {
    compile_native_for "" artifacts/native || return 1
    if [[ $(uname -m) == x86_64 ]]; then
        compile_native_for x86-64-v3 artifacts/native/glibc-hwcaps/x86-64-v3
    fi
}

# compile_native_for INSTRUCTIONS DIRECTORY
compile_native_for() {
    local instructions=$1 directory=$2 options=()
    if [[ -n $instructions ]]; then
        options=("-p:IlcInstructionSet=$instructions" "-p:NativeIntermediateOutputPath=$root/artifacts/obj/native-$instructions/"
            "-p:NativeOutputPath=$root/artifacts/bin/native-$instructions/")
    fi
    mkdir -p "$root/$directory"
    (cd "$root" && dotnet publish src/ShmAlloc.Native/ShmAlloc.Native.csproj -c Release -o "$directory" "${options[@]}" \
        --disable-build-servers -nodeReuse:false -tl:off -nologo -verbosity:minimal) || return 1
    # The names of functions stay, for the disassembly gate; debug information of a kind that valgrind 3.19 cannot read goes.
    strip --strip-debug "$root/$directory/libshm_alloc.so" || return 1
    ln -sfn libshm_alloc.so "$root/$directory/libshm_alloc.so.1"
}
