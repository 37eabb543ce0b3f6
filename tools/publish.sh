#!/bin/sh
# Tags the tree that users call, moves the major tag and makes the release: publish.sh VERSION IMAGE FOLDER
# The tree differs from main in one line: action.yml names the image by its digest, so that nothing is built by users.
set -eu
version=$1
image=$2
folder=$3
major=v${version%%.*}

python3 tools/release.py check "$version"
python3 tools/release.py image "$image"
git config user.name "github-actions[bot]"
git config user.email "41898282+github-actions[bot]@users.noreply.github.com"
# Git asks gh for the token: it stands in no file and on no command line.
git config credential.helper '!gh auth git-credential'
git commit --quiet --message "Release $version: users take the image by its digest" action.yml
git tag "v$version"
git tag --force "$major"
# A version that exists is never moved: this push fails. The major tag follows only after it.
git push origin "refs/tags/v$version"
git push --force origin "refs/tags/$major"
gh release create "v$version" --verify-tag --title "v$version" --generate-notes "$folder"/*
