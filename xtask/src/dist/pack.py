"""Packs a built synix into an archive, a wheel and their checksums.

Called by `cargo xtask dist` as: pack.py VERSION TARGET BINARY SHARE OUT FILE...
The archive holds the binary, the files, and the folders below SHARE. The wheel holds the binary and the licences.
Equal inputs give equal bytes: times come from SOURCE_DATE_EPOCH (1980 without it), and owners and order are fixed.
"""

import base64
import gzip
import hashlib
import io
import os
import platform
import sys
import tarfile
import time
import zipfile
from pathlib import Path

# A zip file knows no earlier time.
EARLIEST = 315532800

METADATA = """\
Metadata-Version: 2.4
Name: synix
Version: {version}
Summary: A build system for data that language models make
License-Expression: Apache-2.0 OR MIT
{license_files}Requires-Python: >=3.8
Description-Content-Type: text/markdown

{readme}"""

WHEEL = """\
Wheel-Version: 1.0
Generator: cargo xtask dist
Root-Is-Purelib: false
Tag: py3-none-{tag}
"""


def platform_tag(target: str) -> str:
    """The tag by which pip decides whether a wheel runs on a machine."""
    arch = target.split("-")[0]
    if "apple" in target:
        return "macosx_11_0_arm64" if arch == "aarch64" else "macosx_10_12_x86_64"
    if "windows" in target:
        return {"x86_64": "win_amd64", "aarch64": "win_arm64"}[arch]
    if "musl" in target:
        return f"musllinux_1_2_{arch}"
    # The binary needs at least the C library that it was linked with.
    name, found = platform.libc_ver()
    if name != "glibc":
        raise SystemExit(f"error: cannot name a wheel for {target}: this machine has {name or 'an unknown C library'}, not glibc")
    major, minor = found.split(".")[:2]
    return f"manylinux_{major}_{minor}_{arch}"


def archive(path: Path, root: str, files: list[tuple[str, bytes, int]], epoch: int) -> None:
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", mtime=epoch, fileobj=raw) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name, content, mode in files:
                entry = tarfile.TarInfo(f"{root}/{name}")
                entry.size, entry.mode, entry.mtime = len(content), mode, epoch
                tar.addfile(entry, io.BytesIO(content))


def wheel(path: Path, version: str, tag: str, binary: tuple[str, bytes], texts: dict[str, bytes], epoch: int) -> None:
    info = f"synix-{version}.dist-info"
    licenses = {name: text for name, text in texts.items() if "LICENSE" in name}
    metadata = METADATA.format(
        version=version,
        license_files="".join(f"License-File: {name}\n" for name in licenses),
        readme=texts.get("README.md", b"").decode(),
    )
    files = [
        (f"synix-{version}.data/scripts/{binary[0]}", binary[1], 0o755),
        (f"{info}/METADATA", metadata.encode(), 0o644),
        (f"{info}/WHEEL", WHEEL.format(tag=tag).encode(), 0o644),
    ]
    files += [(f"{info}/licenses/{name}", text, 0o644) for name, text in licenses.items()]
    record = ""
    for name, content, _ in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(content)}\n"
    files.append((f"{info}/RECORD", f"{record}{info}/RECORD,,\n".encode(), 0o644))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content, mode in files:
            entry = zipfile.ZipInfo(name, time.gmtime(epoch)[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100000 | mode) << 16
            packed.writestr(entry, content)


def main() -> None:
    version, target, binary, share, out, *rest = sys.argv[1:]
    epoch = max(int(os.environ.get("SOURCE_DATE_EPOCH", EARLIEST)), EARLIEST)
    program = Path(binary)
    content = program.read_bytes()
    files = [(program.name, content, 0o755)]
    texts = {Path(name).name: Path(name).read_bytes() for name in sorted(rest)}
    files += [(name, text, 0o644) for name, text in texts.items()]
    shared = sorted(path for path in Path(share).rglob("*") if path.is_file())
    files += [(path.relative_to(share).as_posix(), path.read_bytes(), 0o644) for path in shared]
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    root = f"synix-{version}-{target}"
    made = [folder / f"{root}.tar.gz", folder / f"synix-{version}-py3-none-{platform_tag(target)}.whl"]
    archive(made[0], root, files, epoch)
    wheel(made[1], version, platform_tag(target), (program.name, content), texts, epoch)
    for path in made:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        # `sha256sum --check` reads this form.
        path.with_name(f"{path.name}.sha256").write_bytes(f"{digest}  {path.name}\n".encode())
        print(f"  {path}")


if __name__ == "__main__":
    main()
