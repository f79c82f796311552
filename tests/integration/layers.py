#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Layers and chains against what GNU tar, overlayfs and the kernel's EROFS make of them.

  layers.py convert KVBOX TAR IMAGE         one layer; prints the result document
  layers.py compare KVBOX FOLDER CASE       makes the case's tars, converts them, builds the chain, mounts it
                                            joined and compares with the tars unpacked and put over each
                                            other by overlayfs
  layers.py devices KVBOX FOLDER CASE       the same with one device per layer
  layers.py expect KVBOX FOLDER CASE        compares with the listing that the case itself gives
  layers.py tar KVBOX FOLDER TAR            one layer, whose tar exists, joined
  layers.py cases                           the names of the cases

Needs root, and a mount namespace of its own: unshare -m layers.py ...
"""
import decimal
import hashlib
import io
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tarfile

# ---- the converter, started as kvbox itself starts it ---------------------------------------------


def run_convert(kvbox, words, stdin, out):
    fd = os.open(out, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
    reader, writer = os.pipe()

    def place():
        os.dup2(writer, 61)
        os.dup2(fd, 60)
        os.dup2(61, 3)
        os.dup2(60, 4)

    child = subprocess.Popen([kvbox, "convert", *words], stdin=stdin, preexec_fn=place, close_fds=False)
    os.close(writer)
    with os.fdopen(reader, "rb") as f:
        text = f.read()
    code = child.wait()
    os.close(fd)
    if not text:
        sys.exit(f"convert ended with {code} and no result")
    result = json.loads(text)
    if "message" in result:
        sys.exit(f"error: {result['message']}")
    return result


def convert_layer(kvbox, source, out):
    with open(source, "rb") as f:
        return run_convert(kvbox, ["layer"], f, out)


def convert_chain(kvbox, layers, out):
    """layers: (image, diffid) from the bottom up."""
    ours, theirs = socket.socketpair()
    fds = [os.open(image, os.O_RDONLY) for image, _ in layers]
    for i in range(0, len(fds), 8):
        socket.send_fds(ours, [b"l"], fds[i:i + 8])
    result = run_convert(kvbox, ["chain", *[d.removeprefix("sha256:") for _, d in layers]], theirs, out)
    for fd in fds:
        os.close(fd)
    return result


# ---- listing --------------------------------------------------------------------------------------


def listing(root):
    """One line for each file, the same for equal trees on different file systems."""
    lines, groups = [], {}
    paths = [root]
    for folder, dirs, files in os.walk(os.fsencode(root)):
        paths += [os.path.join(folder, n) for n in dirs + files]
    top = len(os.fsencode(root))
    for path in sorted(os.fsencode(p) for p in paths):
        s = os.lstat(path)
        name = os.fsdecode(path[top:]) or "/"
        words = [ascii(name), stat.filemode(s.st_mode), f"{s.st_uid}:{s.st_gid}", str(s.st_mtime_ns)]
        if stat.S_ISREG(s.st_mode):
            with open(path, "rb") as f:
                words += [str(s.st_size), hashlib.file_digest(f, "sha256").hexdigest()
                          if hasattr(hashlib, "file_digest") else hashlib.sha256(f.read()).hexdigest()]
        if stat.S_ISLNK(s.st_mode):
            words.append(ascii(os.fsdecode(os.readlink(path))))
        if stat.S_ISCHR(s.st_mode) or stat.S_ISBLK(s.st_mode):
            words.append(f"{os.major(s.st_rdev)},{os.minor(s.st_rdev)}")
        if not stat.S_ISDIR(s.st_mode) and s.st_nlink > 1:
            words.append("same=" + groups.setdefault((s.st_dev, s.st_ino), ascii(name)))
        for attr in sorted(os.listxattr(path, follow_symlinks=False)):
            words.append(f"{attr}={os.getxattr(path, attr, follow_symlinks=False).hex()}")
        lines.append(" ".join(words))
    return lines


def check_links(root):
    """An inode has as many links as names (overlayfs counts those of the lower file, hidden ones too)."""
    names = {}
    for folder, _, files in os.walk(root):
        for name in files:
            s = os.lstat(os.path.join(folder, name))
            names.setdefault((s.st_ino, s.st_nlink), []).append(os.path.join(folder, name))
    for (_, nlink), paths in names.items():
        assert nlink == len(paths), f"{nlink} links, but {len(paths)} names: {paths}"


def compare(got, want):
    check_links(got)
    got, want = listing(got), listing(want)
    if got == want:
        print(f"{len(got)} files are equal")
        return
    both = set(got) & set(want)
    for line in got:
        if line not in both:
            print("got ", line)
    for line in want:
        if line not in both:
            print("want", line)
    sys.exit(1)


def run(*words):
    subprocess.run(words, check=True)


# ---- the other way: GNU tar and overlayfs ----------------------------------------------------------


def unpack(source, to, lower, options=()):
    """One layer as a folder that overlayfs can take. `lower`: the folders below, from the top down."""
    os.mkdir(to)
    run("tar", "-C", to, "--xattrs", "--xattrs-include=*", "--numeric-owner", "--same-owner", *options, "-pxf", source)
    with tarfile.open(source) as t:
        named = {os.path.normpath("/" + m.name): m for m in t}
    for folder, dirs, files in os.walk(to, topdown=False):
        for name in files:
            path = os.path.join(folder, name)
            if not name.startswith(".wh."):
                continue
            os.unlink(path)
            real = os.path.join(folder, name.removeprefix(".wh."))
            if name == ".wh..wh..opq":
                os.setxattr(folder, "trusted.overlay.opaque", b"y")
            elif os.path.isdir(real) and not os.path.islink(real):
                os.setxattr(real, "trusted.overlay.opaque", b"y")
            elif not os.path.lexists(real):
                os.mknod(real, stat.S_IFCHR, os.makedev(0, 0))
    for folder, _, _ in os.walk(to, topdown=False):
        inside = "/" + os.path.relpath(folder, to) if folder != to else "/"
        if inside not in named or not named[inside].isdir():
            imply(folder, inside, lower)
        else:
            # GNU tar sets it before it makes what comes later in the archive.
            mtime = decimal.Decimal(named[inside].pax_headers.get("mtime", named[inside].mtime))
            os.utime(folder, ns=(0, int(mtime * 10**9)))


def imply(folder, inside, lower):
    """A folder that the tar does not name has the lower one's attributes."""
    os.chown(folder, 0, 0)
    os.chmod(folder, 0o755)
    for below in lower:
        path = below + inside
        if not os.path.lexists(path):
            continue
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.copystat(path, folder)
            os.chown(folder, os.lstat(path).st_uid, os.lstat(path).st_gid)
            if "trusted.overlay.opaque" in os.listxattr(path):
                os.removexattr(folder, "trusted.overlay.opaque")
            return
        break
    os.utime(folder, ns=(0, 0 if inside == "/" else MTIME * 10**9))


def reference(work, tars, options=()):
    folders = []
    for i, source in enumerate(tars):
        folder = os.path.join(work, f"d{i}")
        unpack(source, folder, folders[::-1], options)
        folders.append(folder)
    if len(folders) == 1:
        return folders[0]
    merged = os.path.join(work, "merged")
    os.mkdir(merged)
    # Relative names: 127 long ones do not fit the page that mount options have.
    names = ":".join(os.path.basename(f) for f in folders[::-1])
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"ro,lowerdir={names},index=off,xino=off",
                    merged], check=True, cwd=work)
    return merged


# ---- the cases ------------------------------------------------------------------------------------


MTIME = 1700000000


class Layer:
    """A tar that is written entry by entry."""

    def __init__(self, fmt=tarfile.PAX_FORMAT):
        self.file = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.file, mode="w", format=fmt)

    def add(self, name, kind, data=b"", mode=0o644, uid=0, gid=0, mtime=MTIME, xattrs=None, **more):
        t = tarfile.TarInfo(name)
        t.type, t.mode, t.uid, t.gid, t.mtime, t.size = kind, mode, uid, gid, mtime, len(data)
        t.pax_headers = {"SCHILY.xattr." + k: v for k, v in (xattrs or {}).items()}
        for key, value in more.items():
            setattr(t, key, value)
        self.tar.addfile(t, io.BytesIO(data))
        return self

    def reg(self, name, data=b"x", **more):
        return self.add(name, tarfile.REGTYPE, data, **more)

    def dir(self, name, mode=0o755, **more):
        return self.add(name, tarfile.DIRTYPE, mode=mode, **more)

    def sym(self, name, to, **more):
        return self.add(name, tarfile.SYMTYPE, linkname=to, mode=0o777, **more)

    def link(self, name, to):
        return self.add(name, tarfile.LNKTYPE, linkname=to)

    def node(self, name, kind, major, minor, **more):
        return self.add(name, kind, devmajor=major, devminor=minor, **more)

    def gone(self, name):
        folder, base = os.path.split(name)
        return self.reg(os.path.join(folder, ".wh." + base), b"")

    def opaque(self, name):
        return self.reg(os.path.join(name, ".wh..wh..opq"), b"")

    def write(self, path):
        self.tar.close()
        with open(path, "wb") as f:
            f.write(self.file.getvalue())


def base():
    layer = Layer().dir("./", mode=0o755, mtime=1600000000)
    for d in ("a", "a/b", "a/b/c", "etc"):
        layer.dir(d, mode=0o750, uid=7, gid=8)
    layer.reg("a/one", b"1" * 5000, mtime=1700000001.5).reg("a/b/two", b"22", uid=70000, gid=80000)
    layer.reg("a/b/c/three", b"").reg("etc/passwd", b"root:x:0:0::/:/bin/sh\n")
    return layer


def case_kinds():
    """Everything a tar can hold."""
    layer = base()
    layer.sym("sym", "a/one").sym("far", "../../../etc/passwd").sym("long", "x/" * 2000)
    layer.link("hard1", "a/one").link("a/b/hard2", "hard1")
    layer.node("null", tarfile.CHRTYPE, 1, 3, mode=0o666)
    layer.node("big", tarfile.BLKTYPE, 259, 70000, mode=0o600).node("pipe", tarfile.FIFOTYPE, 0, 0)
    layer.reg("suid", b"s", mode=0o4755).dir("sticky", mode=0o1777)
    layer.reg("cap", b"c", xattrs={"security.capability": "\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
                                   "user.text": "hello", "user.empty": ""})
    layer.dir("attrs", xattrs={"user.on.folder": "y" * 3000, "trusted.mine": "t"})
    layer.reg("n" * 255).reg("old", mtime=1).reg("e\u0301").reg("\u00e9").reg("-first").reg(".hidden").reg("...")
    layer.reg("deep/" * 30 + "implied", b"d")
    # A folder a second time changes its attributes only.
    return [layer.dir("etc", mode=0o700, uid=5)]


def case_large_folder():
    """Folders of many blocks."""
    layer = base()
    for i in range(3000):
        layer.reg(f"many/{'x' * (i % 90)}{i}", str(i).encode())
    layer.dir("many", mode=0o700, mtime=1700000777)
    return [layer, Layer().reg("many/more").gone("many/x1")]


def case_whiteouts():
    upper = Layer().gone("a/one").gone("a/b/c").dir("etc", mode=0o711).reg("etc/new").gone("nothing")
    return [base(), upper, Layer().dir("a", mode=0o700).reg("a/one", b"again")]


def case_opaque():
    second = Layer().dir("a", mode=0o700, uid=1).opaque("a").reg("a/only")
    third = Layer().reg("a/b", b"a file now").opaque("etc")
    return [base(), second, third, Layer().dir("a/b2").reg("etc/hosts", b"h")]


def case_whiteout_and_folder():
    """A folder that is removed and made anew in one layer."""
    return [base(), Layer().gone("a").dir("a").reg("a/fresh"), Layer().dir("a/b").gone("a/b").reg("a/b/z")]


def case_file_folder_file():
    return [base(), Layer().reg("a/b", b"a file").dir("etc/passwd").reg("etc/passwd/entry"),
            Layer().dir("a/b", mode=0o711).reg("a/b/new").reg("etc/passwd", b"a file again"),
            Layer().sym("a/b", "one")]


def case_replaced():
    """Later entries of one tar replace earlier ones."""
    layer = base().reg("a/one", b"second").dir("x").reg("x/y").reg("x", b"now a file").reg("z").dir("z").reg("z/in")
    layer.sym("s", "a").reg("s", b"not through the link")
    return [layer]


def case_implied():
    """Folders that only names of other entries make."""
    return [base(), Layer().reg("a/b/four", b"4").reg("new/deep/file"), Layer().reg("a/b/c/five").reg("etc/x/y")]


def case_implied_over_link():
    return [base().sym("bin", "a"), Layer().reg("bin/tool", b"hides the link")]


def case_hardlinks():
    """Names of one file in one layer, of which upper layers take some away."""
    lower = base().reg("h/1", b"shared").link("h/2", "h/1").link("h/3", "h/1").link("h/4", "h/1")
    return [lower, Layer().gone("h/2").reg("h/3", b"own"), Layer().reg("h/5", b"five").link("h/6", "h/5")]


def case_sparse():
    """Made by GNU tar itself, in its three forms and as old GNU has it."""
    return ["gnu", "0.0", "0.1", "1.0"]


def case_many_layers():
    layers = [base()]
    for i in range(1, 127):
        layer = Layer().reg(f"l/{i}", str(i).encode() * i).reg("a/one", str(i).encode())
        layer.dir("a/b", mode=0o700 + i % 8)
        if i % 3 == 0:
            layer.gone(f"l/{i - 1}")
        if i % 50 == 0:
            layer.opaque("l")
        layers.append(layer)
    return layers


def case_formats():
    gnu = Layer(tarfile.GNU_FORMAT)
    gnu.reg("g/" + "n" * 200 + "/" + "m" * 200, b"long").sym("g/l", "t" * 300)
    ustar = Layer(tarfile.USTAR_FORMAT)
    ustar.reg("u/" + "p" * 90 + "/" + "q" * 90, b"split")
    return [base(), gnu, ustar]


def case_empty():
    return [base(), Layer(), Layer(), Layer().reg("last")]


def case_lower_links():
    """Hard links to what lower layers have; GNU tar cannot make them in a folder of their own."""
    lower = base().reg("t/1", b"one", uid=9).link("t/2", "t/1")
    upper = Layer().link("t/3", "t/1").link("new/4", "/t/2").gone("t/2").link("et", "etc/passwd")
    top = Layer().gone("etc/passwd").link("u", "t/3").link("v", "et")
    return [lower, upper, top]


EXPECT = {
    "lower_links": {
        "t/1": ("one", ["t/1", "t/3", "new/4", "u"]),
        "new/4": ("one", ["t/1", "t/3", "new/4", "u"]),
        "et": ("root:x:0:0::/:/bin/sh\n", ["et", "v"]),
        "t/2": None,
        "etc/passwd": None,
    },
}

CASES = {name.removeprefix("case_"): f for name, f in list(globals().items()) if name.startswith("case_")}


def make_sparse(work, forms):
    paths = []
    folder = os.path.join(work, "sparse")
    os.mkdir(folder)
    for name, pieces, size in (("ends", [(0, b"a" * 100), (1 << 20, b"b" * 9000)], 3 << 20), ("hole", [], 1 << 20),
                               ("start", [(65536, b"c")], 65537)):
        with open(os.path.join(folder, name), "wb") as f:
            for at, data in pieces:
                os.pwrite(f.fileno(), data, at)
            f.truncate(size)
    for i, form in enumerate(forms):
        paths.append(os.path.join(work, f"{i}.tar"))
        words = ["--format=gnu"] if form == "gnu" else ["--format=pax", f"--sparse-version={form}"]
        run("tar", "-C", work, "-cf", paths[-1], "--sparse", *words, f"--transform=s,^sparse,{form},", "sparse")
    return paths


def make_tars(work, case):
    layers = CASES[case]()
    if case == "sparse":
        return make_sparse(work, layers)
    paths = []
    for i, layer in enumerate(layers):
        paths.append(os.path.join(work, f"{i}.tar"))
        layer.write(paths[-1])
    return paths


# ---- commands -------------------------------------------------------------------------------------


def build(kvbox, work, tars):
    layers = []
    for i, source in enumerate(tars):
        image = os.path.join(work, f"{i}.erofs")
        result = convert_layer(kvbox, source, image)
        assert os.path.getsize(image) == result["image_size"], "size of the image"
        run("fsck.erofs", image)
        layers.append((image, result["diffid"]))
    chain = os.path.join(work, "chain.erofs")
    result = convert_chain(kvbox, layers, chain)
    assert os.path.getsize(chain) == result["image_size"], "size of the chain image"
    return chain, [image for image, _ in layers]


def mount_joined(work, chain, images):
    joined = os.path.join(work, "joined")
    with open(joined, "wb") as out:
        for path in [chain, *images]:
            with open(path, "rb") as f:
                shutil.copyfileobj(f, out)
        out.write(bytes(1 << 20))  # as the padding behind a joined disk
    at = os.path.join(work, "erofs")
    os.mkdir(at)
    run("mount", "-t", "erofs", "-o", "ro,loop", joined, at)
    return at


def mount_devices(work, chain, images):
    loops = []
    for path in [chain, *images]:
        out = subprocess.run(["losetup", "--read-only", "--show", "-f", path], check=True, capture_output=True, text=True)
        loops.append(out.stdout.strip())
    at = os.path.join(work, "erofs")
    os.mkdir(at)
    try:
        run("mount", "-t", "erofs", "-o", "ro," + ",".join("device=" + d for d in loops[1:]), loops[0], at)
    finally:
        # They go when the mount does.
        for loop in loops:
            run("losetup", "-d", loop)
    return at


def expect(root, wanted):
    for path, want in wanted.items():
        full = os.path.join(root, path)
        if want is None:
            assert not os.path.lexists(full), f"{path} is there"
            continue
        text, names = want
        s = os.lstat(full)
        with open(full, encoding="ascii") as f:
            assert f.read() == text, f"{path}: contents"
        same = [n for n in names if os.lstat(os.path.join(root, n)).st_ino == s.st_ino]
        assert same == names, f"{path}: {same} are one file, not {names}"
        assert s.st_nlink == len(names), f"{path}: {s.st_nlink} links"
    print("as expected")


def main(words):
    if words[:1] == ["cases"]:
        print("\n".join(CASES))
    elif words[0] == "convert":
        print(json.dumps(convert_layer(*words[1:])))
    elif words[0] in ("compare", "devices", "expect"):
        _, kvbox, work, case = words
        tars = make_tars(work, case)
        mount = mount_devices if words[0] == "devices" else mount_joined
        root = mount(work, *build(kvbox, work, tars))
        if words[0] == "expect":
            expect(root, EXPECT[case])
        else:
            # Without it GNU tar puts no file in the place of a folder; with it folders are not merged.
            options = ["--recursive-unlink"] if case == "replaced" else []
            compare(root, reference(work, tars, options))
    elif words[0] == "tar":
        _, kvbox, work, source = words
        compare(mount_joined(work, *build(kvbox, work, [source])), reference(work, [source]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
