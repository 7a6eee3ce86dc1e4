#!/usr/bin/env bash
# Draws the extension's icons (PNG, as Chrome wants them in a manifest) from extension/icons/any.svg.
set -euo pipefail
cd "$(dirname "$0")/../extension/icons"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for size in 16 32 48 128; do
  cat >"$work/icon.html" <<HTML
<body><script>
  const picture = new Image($size, $size);
  picture.onload = () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: $size, height: $size });
    canvas.getContext("2d").drawImage(picture, 0, 0, $size, $size);
    document.body.textContent = canvas.toDataURL();
  };
  picture.src = "data:image/svg+xml;base64,$(base64 -w0 any.svg)";
</script>
HTML
  chromium --headless --no-sandbox --disable-gpu --user-data-dir="$work/profile" --virtual-time-budget=2000 --dump-dom \
    "file://$work/icon.html" 2>/dev/null | grep -o 'base64,[A-Za-z0-9+/=]*' | cut -d, -f2 | base64 -d >"$size.png"
done
