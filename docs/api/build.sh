#!/usr/bin/env bash
# Makes the site of the guides and the API reference.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
    cat << 'END'
usage: build.sh [--serve | --links]

Makes docs/api/build/site from the XML documentation of src/ and from docs/*.md, by docfx. Fails when a reference leads nowhere, in a cref, an xref or a
link. Needs the .NET SDK; docfx comes from NuGet, into docs/api/build/tool.

  --serve   then shows it on http://localhost:8080 until Ctrl+C
  --links   makes nothing, only looks whether the links between the guides lead to a page or a picture that the site has
END
}

# Of docfx.json's content and resources below docs/.
links() {
    local page link target status=0
    for page in "$here"/../*.md "$here"/../load-tests/*.md; do
        while read -r link; do
            target=$(realpath -m --relative-to "$here/.." "$(dirname "$page")/$link")
            [[ -f $here/../$target && ($target =~ ^(load-tests/)?[^/]+\.md$ || $target == images/*) ]] && continue
            echo "${page#"$here"/../}: $link is not in the site" >&2
            status=1
        done < <(grep -oE '\]\([^)#]+' "$page" | cut -c 3- | grep -v '^https:' | sort -u)
    done
    return "$status"
}

case ${1-} in
    '' | --serve) ;;
    --links) links; exit ;;
    --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
esac

version=2.81.0
tool=$here/build/tool
if [[ ! -x $tool/docfx || $("$tool/docfx" --version) != "$version"* ]]; then
    rm -rf "$tool"
    dotnet tool install docfx --version "$version" --tool-path "$tool"
fi
rm -rf "$here/build/reference" "$here/build/site"
dotnet restore "$here/../../src/Kestrel"
log=$here/build/docfx.log
"$tool/docfx" "$here/docfx.json" | tee "$log"
# A parameter that is described anew beside what is inherited is no fault: the nearer description counts.
if grep -E '(warning|error)( [A-Za-z0-9]+)?: ' "$log" | grep -v "warning: Duplicate parameter '.*' found in comments, the latter one is ignored"; then
    echo "build.sh: see the warnings above" >&2
    exit 1
fi
echo "$here/build/site/index.html"
if [[ ${1-} == --serve ]]; then
    exec "$tool/docfx" serve "$here/build/site"
fi
