#!/bin/sh
# Installs a released groat into a folder (default /usr/local/bin), after its
# checksum was compared. VERSION and REPOSITORY say which; RELEASES may name
# another place that holds the same files.
set -eu
dir=${1:-/usr/local/bin}
: "${VERSION:?VERSION is not set: name a release, such as 1.2.0}"
base=${RELEASES:-https://github.com/${REPOSITORY:-groat/groat}/releases/download/v$VERSION}

os=$(uname -s | tr '[:upper:]' '[:lower:]')
case $os in
linux | darwin) ;;
mingw* | msys* | cygwin*) os=windows ;;
*) echo "groat is not released for $os" >&2; exit 1 ;;
esac
case $(uname -m) in
x86_64 | amd64) arch=amd64 ;;
aarch64 | arm64) arch=arm64 ;;
armv7*) arch=armv7 ;;
*) echo "groat is not released for $(uname -m)" >&2; exit 1 ;;
esac
archive=groat_${VERSION}_${os}_$arch.tar.gz
[ "$os" != windows ] || archive=${archive%.tar.gz}.zip

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for f in "$archive" checksums.txt; do
	curl -fsSL --proto '=https,file' -o "$tmp/$f" "$base/$f"
done
cd "$tmp"
grep " [*]\{0,1\}$archive\$" checksums.txt >this.txt || { echo "checksums.txt does not name $archive" >&2; exit 1; }
if command -v sha256sum >/dev/null; then sha256sum -c this.txt >&2; else shasum -a 256 -c this.txt >&2; fi
mkdir -p "$dir"
case $archive in
*.zip) unzip -oq "$archive" groat.exe -d "$dir" ;;
*) tar -xzf "$archive" groat && install -m 755 groat "$dir/groat" ;;
esac
"$dir/groat" version >&2
