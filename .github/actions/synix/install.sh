#!/usr/bin/env bash
# Installs synix from a release, a checkout or a git repository, and puts it on the path of the steps that follow.
# The inputs of action.yml come as variables, so that none of them is read as a part of this script.
set -euo pipefail

fail() {
    echo "::error::$*"
    exit 1
}

bin="$RUNNER_TEMP/synix/bin"
mkdir -p "$bin"
echo "$bin" >> "$GITHUB_PATH"

chosen=0
for input in "$VERSION" "$FROM_PATH" "$FROM_GIT"; do
    [ -z "$input" ] || chosen=$((chosen + 1))
done
[ "$chosen" = 1 ] || fail "set exactly one of the inputs version, path and git: $chosen are set"

if [ -n "$FROM_PATH" ]; then
    (cd "$FROM_PATH" && cargo build --release --locked --package synix --bin synix)
    built="$FROM_PATH/target/release/synix"
    [ -f "$built" ] || built="$built.exe"
    cp "$built" "$bin/"
    exit
fi

if [ -n "$FROM_GIT" ]; then
    [ -n "$REV" ] || fail "the input git needs rev, the commit to build"
    cargo install --locked --git "$FROM_GIT" --rev "$REV" --root "$RUNNER_TEMP/synix" synix
    exit
fi

case "$PLATFORM" in
    Linux-X64) target=x86_64-unknown-linux-gnu ;;
    Linux-ARM64) target=aarch64-unknown-linux-gnu ;;
    macOS-ARM64) target=aarch64-apple-darwin ;;
    macOS-X64) target=x86_64-apple-darwin ;;
    Windows-X64) target=x86_64-pc-windows-msvc ;;
    *) fail "no release is built for $PLATFORM: use the input path or git, which build it" ;;
esac
name="synix-$VERSION-$target.tar.gz"
from="$GITHUB_SERVER_URL/$REPOSITORY/releases/download/v$VERSION"
cd "$RUNNER_TEMP/synix"
get() { curl --proto '=https' --fail --silent --show-error --location --retry 3 --remote-name "$from/$1"; }
get "$name" || fail "cannot get $name: see whether $REPOSITORY has a release v$VERSION"
if [ -n "$SHA256" ]; then
    echo "$SHA256  $name" > "$name.sha256"
else
    get "$name.sha256" || fail "the release v$VERSION of $REPOSITORY has no checksum for $name; pin it with the input sha256"
fi
# macOS has no sha256sum.
if command -v sha256sum > /dev/null; then check=(sha256sum); else check=(shasum --algorithm 256); fi
"${check[@]}" --check "$name.sha256" || fail "$name is not the file that its checksum names: nothing is installed"
# A relative path, because GNU tar takes the colon of `D:` for the end of a host name.
tar -xzf "$name" -C bin --strip-components 1
