#!/usr/bin/env bash
# check_tidy.sh CLANG_TIDY BUILD_DIR [PATH…]
#
# Names what clang-tidy finds in the .cpp files of the rooms (or below the given paths) and in the
# headers of ours that they include. BUILD_DIR holds a build of the tree by ninja, which knows how
# each file is compiled and what it includes. A file that passed is not looked at again before its
# text, a header that it includes, its command line, the checks or clang-tidy change.
set -euo pipefail
export LC_ALL=C
export clang_tidy=$1
build=$(realpath "$2")
export build
shift 2
[ $# -gt 0 ] || set -- engine operators state schemas replay bench
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export tidy=$build/tidy  # passed/FILE: its fingerprint when it passed; now/FILE: that of today
rm -rf "$tidy/now"
mkdir -p "$tidy/now" "$tidy/passed"

# "FILE<tab>COMMAND": how each file in question is compiled, as CMake wrote it.
awk -F'": "' -v OFS='\t' -v root="$PWD/" '
  /"command": "/ { command = $2 }
  /"file": "/ {
    sub(/",?$/, "", $2)
    if (index($2, root) == 1) print substr($2, length(root) + 1), command
  }' "$build/compile_commands.json" | sort -u >"$tidy/commands"
find "$@" -name '*.cpp' | sort | join -t $'\t' - "$tidy/commands" >"$tidy/wanted"

# "FILE<tab>INPUT<tab>HASH": what each was made of; the first input of an object is the file itself.
ninja -C "$build" -t deps | awk -v OFS='\t' '
  /^[^ ]/ { file = "" }
  /^ / { input = substr($0, 5); if (file == "") file = input; print file, input }' >"$tidy/pairs"
cut -f 2 "$tidy/pairs" | sort -u >"$tidy/inputs"
(cd "$build" && xargs -d '\n' realpath --relative-to="$OLDPWD") <"$tidy/inputs" >"$tidy/names"
(cd "$build" && xargs -d '\n' sha256sum) <"$tidy/inputs" | cut -d ' ' -f 1 >"$tidy/hashes"
paste "$tidy/inputs" "$tidy/names" "$tidy/hashes" | awk -F'\t' -v OFS='\t' '
  NR == FNR { name[$1] = $2; hash[$1] = $3; next }
  { print name[$1], name[$2], hash[$2] }' - "$tidy/pairs" | sort -u >"$tidy/made_of"

# A fingerprint: clang-tidy, its checks and this script; the command; every input with its hash.
common=$(cat <("$clang_tidy" --version) .clang-tidy test/house/check_tidy.sh | sha256sum)
awk -F'\t' -v common="$common" -v now="$tidy/now/" '
  NR == FNR { command[$1] = $2; next }
  !($1 in command) { next }
  $1 != file {
    close(path)
    file = path = $1
    gsub("/", "+", path)
    path = now path
    built[file] = 1
    print common, command[file] > path
  }
  { print $2, $3 > path }
  END {
    for (file in command) {
      if (file in built) continue
      print file ": has not been built, so what it includes is not known" > "/dev/stderr"
      exit 1
    }
  }' "$tidy/wanted" "$tidy/made_of"

# Clang does not know all options of g++, and warns of other things: warnings are g++'s business.
sed 's/ -fvect-cost-model=[a-z]*//' "$build/compile_commands.json" >"$tidy/compile_commands.json"
# The analyzer follows this many states of a function; all it has ever found here came long before.
states=(-Xclang -analyzer-config -Xclang max-nodes=30000)
export options="--quiet -p $tidy --extra-arg=-w ${states[*]/#/--extra-arg=}"

check() {  # HASH NAME
  local output file=${2//+//}
  if output=$("$clang_tidy" $options "$file" 2>&1); then
    echo "$1" >"$tidy/passed/$2"
  else
    grep -v ' generated\.$' <<<"$output"
    return 1
  fi
}
export -f check

(cd "$tidy/now" && sha256sum -- *) | while read -r hash name; do
  [ "$(cat "$tidy/passed/$name" 2>/dev/null)" = "$hash" ] || echo "$hash $name"
done >"$tidy/changed"
echo "$(wc -l <"$tidy/wanted") files, $(wc -l <"$tidy/changed") to be looked at"
xargs -r -P "$(nproc)" -L 1 bash -c 'check "$@"' check <"$tidy/changed"
