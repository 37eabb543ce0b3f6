# shellcheck shell=dash disable=SC1003,SC2015,SC2154
# Releases on a host: staged beside the others, listed with a digest of each file, checked, pruned.

differs() {
    fail "another release of $version is installed already on $called: a version never changes, release a new one"
}

# What stage finds: the release itself (`same`), its files without a record (`there`), or nothing (`copy`), with
# the rsync of the host and a release to copy from.
dg_begin() {
    needs flock setsid sha256sum sed find sort wc ls cut tr xargs readlink head tail grep cat mkdir mv rm sleep
    folders
    renewed
    mkdir -p "$staging" "$here/releases" "$here/instances" 2>/dev/null || fail "$here can't be written on $called"
    rm -rf "${staging:?}"
    if [ -d "$root/$version" ]; then
        if { IFS= read -r found <"$here/releases/$version/digest"; } 2>/dev/null; then
            [ -z "$digest" ] || [ "$found" = "$digest" ] || differs
            printf 'same\n'
        else
            printf 'there\n'
        fi
        exit 0
    fi
    [ -n "$digest" ] || fail "$version is not installed in $root on $called, and $why"
    mkdir -p "$staging/files" || fail "$staging can't be written on $called"
    near=''
    for one in "$here"/releases/*/digest; do
        one=${one%/digest}
        [ ! -d "$root/${one##*/}" ] || near=${one##*/}
    done
    printf 'copy\n%s\n' "$near"
    rsync --version 2>/dev/null | head -n 1
}

# all_but PATTERN: the first line that is another one, or else how many there are. So whatever dies on the way to it,
# what is not seen to be well is not taken for it; `every` compares.
all_but() {
    LC_ALL=C sed -n -e "/$1/!{p;q;}" -e '$='
}

every() {
    case $wrong in
    "$1") return 0 ;;
    '' | *[!0-9]*) ;;
    *) wrong="only $wrong of $1 files were checked" ;;
    esac
    wrong=${wrong:-none of $1 files was checked}
    return 1
}

# verified FOLDER LIST: whether a folder holds what the list says, to the letter. In another language than the
# locale C, sha256sum has another word for OK.
verified() {
    cd "$1" || fail "$1 is not there on $called"
    if [ -s "$2/sums" ]; then
        wrong=$({ LC_ALL=C sha256sum -c "$2/sums" 2>&1 || echo "sha256sum ended with $?"; } | all_but ': OK$')
        every "$(($(wc -l <"$2/sums")))" || return 1
    fi
    while IFS= read -r path && IFS= read -r target; do
        if [ "$(readlink "$path")" != "$target" ]; then
            wrong="$path is not a link to $target"
            return 1
        fi
    done <"$2/links"
    while IFS= read -r path; do
        if [ ! -x "$path" ]; then
            wrong="$path is not executable"
            return 1
        fi
    done <"$2/execs"
}

# counted LIST: whether there is nothing else in the folder.
counted() {
    found=$(find . ! -type d | wc -l)
    listed=$(($(wc -l <"$1/sums") + $(wc -l <"$1/links") / 2))
    wrong="it has $((found)) files and links in place of $listed"
    [ "$((found))" -eq "$listed" ]
}

listed() {
    mkdir -p "$staging/list" && cd "$staging/list" || fail "$staging can't be written on $called"
    if ! printf '%s' "$sums" >sums || ! printf '%s' "$links" >links || ! printf '%s' "$execs" >execs ||
        ! printf '%s\n' "$digest" >digest || ! printf '%s\n' "$staged" >staged; then
        fail "$staging can't be written on $called: is its disk full?"
    fi 2>/dev/null
}

recorded_as_staged() {
    rm -rf "${here:?}/releases/$version"
    mv "$staging/list" "$here/releases/$version" || fail "$here/releases can't be written on $called"
    rm -rf "${staging:?}"
}

# The copied files become the release, in one step; or what is there already is shown to be it.
dg_install() {
    folders
    renewed
    listed
    exec 7>>"$here/staging.lock" && at_most 60000 && hold 7 -x || fail "$here is busy with another release on $called"
    if [ -d "$root/$version" ]; then
        verified "$root/$version" "$staging/list" || differs
    else
        verified "$staging/files" "$staging/list" && counted "$staging/list" ||
            fail "$version did not arrive whole on $called: $wrong"
        mv "$staging/files" "$root/$version" || fail "$root can't be written on $called"
    fi
    recorded_as_staged
}

# A release that was brought by somebody else is written down as it is.
dg_adopt() {
    folders
    renewed
    [ ! -e "$here/releases/$version/digest" ] || exit 0
    mkdir -p "$staging/list" && cd "$root/$version" || fail "$here can't be written on $called"
    list=$staging/list
    LC_ALL=C
    export LC_ALL
    find . -type f -exec sha256sum {} + | sort -k 2 >"$list/sums"
    find . -type l | sort | while IFS= read -r path; do printf '%s\n%s\n' "$path" "$(readlink "$path")"; done >"$list/links"
    find . -type f | sort | while IFS= read -r path; do [ ! -x "$path" ] || printf '%s\n' "$path"; done >"$list/execs"
    if grep -q '^\\' "$list/sums" || ! counted "$list"; then
        fail "$version has file names with a newline or a backslash on $called, which can't be listed"
    fi
    cat "$list/sums" "$list/links" "$list/execs" | sha256sum | cut -d ' ' -f 1 >"$list/digest"
    [ -s "$list/digest" ] || fail "$version can't be listed on $called"
    printf '%s\n' "$staged" >"$list/staged"
    recorded_as_staged
}

dg_secrets() {
    folders
    renewed
    umask 077
    mkdir -p "$here/secrets" && chmod 700 "$here/secrets" && printf '%s' "$secrets" >"$here/secrets/.new.$$" &&
        mv -f "$here/secrets/.new.$$" "$here/secrets/$version" || fail "the secrets can't be written on $called"
}

dg_clean() {
    folders
    rm -rf "${staging:?}"
}

# installed VERSION: whether a release is there, with all its files.
installed() {
    [ -d "$root/$1" ] || fail "$1 is not installed in $root on $called"
    [ -s "$here/releases/$1/sums" ] || return 0
    wrong=$(cd "$root/$1" && cut -c 67- "$here/releases/$1/sums" | tr '\n' '\0' | QUOTING_STYLE=literal xargs -0 ls -d 2>&1 | all_but '^[.]\/')
    every "$(($(wc -l <"$here/releases/$1/sums")))" || fail "$1 is not complete on $called: $wrong"
}

startable() {
    case $1 in
    /*) program=$1 ;;
    */*) program=$root/$version/$1 ;;
    *)
        command -v "$1" >/dev/null 2>&1 || fail "$1 is not on the PATH of $called"
        return 0
        ;;
    esac
    [ -f "$program" ] || fail "$1 is not in the release on $called"
    [ -x "$program" ] || fail "$1 is not executable on $called"
}

dg_prove() {
    needs flock setsid sha256sum tr grep sed cut xargs ls mv rm mkdir sleep tail head
    folders
    renewed
    installed "$version"
    if [ -n "$unchanged" ] && [ -e "$here/releases/$version/digest" ]; then
        verified "$root/$version" "$here/releases/$version" || fail "$version is not what was staged on $called: $wrong"
    fi
    eval "set -- $start_words"
    startable "$1"
    [ -n "$check_words" ] || exit 0
    mkdir -p "$mine" || fail "$here can't be written on $called"
    : >"$mine/check.log"
    eval "set -- $check_words"
    bounded 3000 "$mine/check.log" "$@" && exit 0
    why="ended with $code"
    [ -z "$overran" ] || why="did not end within 30 s"
    fail "the check of $version $why on $called: $(last_lines "$mine/check.log" 0 | tr '\n' ' ')"
}

# Lines of `release VERSION SECONDS`, oldest or not, and of `kept VERSION`.
dg_releases() {
    folders
    for one in "$here"/releases/*/staged; do
        name=${one%/staged}
        name=${name##*/}
        { IFS= read -r staged <"$one"; } 2>/dev/null || continue
        [ ! -d "$root/$name" ] || printf 'release %s %s\n' "$name" "$staged"
    done
    for mine in "$here"/instances/*; do
        recorded || continue
        printf 'kept %s\nkept %s\n' "$current" "$previous"
    done
}

dg_remove() {
    folders
    mkdir -p "$staging" || fail "$here can't be written on $called"
    rm -rf "${staging:?}/removed" "${here:?}/releases/$version" "${here:?}/secrets/$version"
    mv "$root/$version" "$staging/removed" || fail "$version can't be removed from $called"
    rm -rf "${staging:?}/removed"
}
