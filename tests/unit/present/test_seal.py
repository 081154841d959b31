"""The sealed pack: what it holds, who can open it, and what it asks of a passphrase."""

import hashlib
import hmac
import io
import os
import shutil
import struct
import subprocess
import warnings
import zipfile
import zlib
from getpass import GetPassWarning
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.present.seal import seal
from analysis.steps.common import ROOT
from analysis.steps.seal import VARIABLE

WORDS = "draw six words from the list"
FILES = {"report.html": b"<p>Differences are A less B.</p>" * 40, "outputs/T1.csv": b"a,b\n1,2\n"}


def entry(archive: bytes, name: str) -> tuple[bytes, bytes, bytes, bytes]:
    """Salt, check, body and mark of authenticity of an encrypted file (WinZip AE-2, AES-256)."""
    info = zipfile.ZipFile(io.BytesIO(archive)).getinfo(name)
    assert info.compress_type == 99
    assert info.flag_bits & 1
    kind, size, version, vendor, strength, _ = struct.unpack("<HHH2sBH", info.extra[:11])
    assert (kind, size, version, vendor, strength) == (0x9901, 7, 2, b"AE", 3)
    lengths = struct.unpack("<HH", archive[info.header_offset + 26 : info.header_offset + 30])
    start = info.header_offset + 30 + sum(lengths)
    data = archive[start : start + info.compress_size]
    return data[:16], data[16:18], data[18:-10], data[-10:]


def keys(passphrase: str, salt: bytes) -> tuple[bytes, bytes, bytes]:
    made = hashlib.pbkdf2_hmac("sha1", passphrase.encode(), salt, 1000, 66)
    return made[:32], made[32:64], made[64:]


def test_the_format_is_the_one_that_others_open():
    """Opened by its definition, by hashlib and, where that is installed, openssl."""
    archive = seal(FILES, WORDS)
    for name, content in FILES.items():
        salt, check, body, mark = entry(archive, name)
        cipher, authentic, expected = keys(WORDS, salt)
        assert check == expected
        assert mark == hmac.new(authentic, body, "sha1").digest()[:10]
        if shutil.which("openssl"):
            blocks = range(1, len(body) // 16 + 2)
            counters = b"".join(each.to_bytes(16, "little") for each in blocks)
            command = ["openssl", "enc", "-aes-256-ecb", "-nopad", "-K", cipher.hex()]
            stream = subprocess.run(command, input=counters, capture_output=True, check=True).stdout
            plain = bytes(a ^ b for a, b in zip(body, stream, strict=False))
            assert zlib.decompress(plain, -15) == content


def test_another_passphrase_does_not_open_it():
    salt, check, body, mark = entry(seal(FILES, WORDS), "report.html")
    _, authentic, _ = keys(WORDS + "s", salt)
    assert mark != hmac.new(authentic, body, "sha1").digest()[:10]
    assert FILES["report.html"][:20] not in body


def test_two_packs_of_the_same_files_have_nothing_in_common():
    assert entry(seal(FILES, WORDS), "report.html")[2] != entry(seal(FILES, WORDS), "report.html")[2]


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    folder = tmp_path / "closed"
    lines = ["sha256,file"]
    for name in ("report.html", "report.docx", "gate.csv", "outputs/T1.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
        lines += [f"{hashlib.sha256(name.encode()).hexdigest()},closed/{name}"] if name != "gate.csv" else []
    (folder / "manifest.csv").write_text("\n".join(lines))
    for name in ("clean/allocation.csv", "allocated/subjects.csv", "issues.html"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("family_id,arm\n")
    return folder


def test_tables_of_participants_are_not_in_the_pack(closed: Path, monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, WORDS)
    out = closed.parent / "pack.zip"
    assert main(["seal", "--closed", str(closed), "--out", str(out)]) == 0
    with zipfile.ZipFile(out) as archive:
        assert sorted(archive.namelist()) == ["manifest.csv", "outputs/T1.csv", "report.docx", "report.html"]
    assert out.stat().st_mode & 0o777 == 0o600
    assert WORDS not in "".join(capsys.readouterr())


@pytest.mark.parametrize("passphrase", ["short", "nineteen characters", "a" * 40])
def test_a_passphrase_that_could_be_guessed_is_refused(closed: Path, monkeypatch, capsys, passphrase: str):
    monkeypatch.setenv(VARIABLE, passphrase)
    assert main(["seal", "--closed", str(closed), "--out", str(closed.parent / "pack.zip")]) == 2
    said = capsys.readouterr().err
    assert "six words" in said
    assert passphrase not in said
    assert not (closed.parent / "pack.zip").exists()


def test_only_a_finished_closed_view_is_sealed(closed: Path, monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, WORDS)
    out = ["--out", str(closed.parent / "pack.zip")]
    (closed / "gate.csv").unlink()
    assert main(["seal", "--closed", str(closed), *out]) == 2
    assert "closed/gate.csv is absent" in capsys.readouterr().err
    opened = closed.rename(closed.parent / "open")
    assert main(["seal", "--closed", str(opened), *out]) == 2
    assert "only a folder closed/ is sealed" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["outputs/T1.csv", "outputs/T2.csv", "report.html"])
def test_a_file_that_is_not_the_one_of_the_manifest_is_not_sealed(
    closed: Path, monkeypatch, capsys, name: str
):
    monkeypatch.setenv(VARIABLE, WORDS)
    (closed / name).write_text("edited")
    assert main(["seal", "--closed", str(closed), "--out", str(closed.parent / "pack.zip")]) == 2
    assert f"closed/{name} is not what the manifest lists" in capsys.readouterr().err


def test_a_file_of_the_manifest_that_is_gone_is_missed(closed: Path, monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, WORDS)
    (closed / "outputs" / "T1.csv").unlink()
    assert main(["seal", "--closed", str(closed), "--out", str(closed.parent / "pack.zip")]) == 2
    assert "closed/outputs/T1.csv is not what the manifest lists" in capsys.readouterr().err


def test_a_pack_is_not_overwritten_and_lies_neither_in_the_open_nor_in_the_repository(
    closed: Path, monkeypatch, capsys
):
    monkeypatch.setenv(VARIABLE, WORDS)
    places = {
        closed.parent / "open" / "pack.zip": "may not lie in open/",
        ROOT / "docs" / "pack.zip": "may not lie inside the repository",
        closed.parent / "there.zip": "is there already",
    }
    (closed.parent / "there.zip").write_text("an older pack")
    for out, said in places.items():
        assert main(["seal", "--closed", str(closed), "--out", str(out)]) == 2
        assert said in capsys.readouterr().err
    assert (closed.parent / "there.zip").read_text() == "an older pack"


def test_the_passphrase_is_asked_for_twice(closed: Path, monkeypatch, capsys):
    monkeypatch.delenv(VARIABLE, raising=False)
    answers = iter([WORDS, WORDS + "!", WORDS, WORDS])
    monkeypatch.setattr("getpass.getpass", lambda _: next(answers))
    command = ["seal", "--closed", str(closed), "--out", str(closed.parent / "pack.zip")]
    assert main(command) == 2
    assert "not the same" in capsys.readouterr().err
    assert main(command) == 0
    assert os.path.getsize(closed.parent / "pack.zip")


def typed_in_the_open(prompt: str) -> str:
    warnings.warn("echo", GetPassWarning, stacklevel=1)
    return WORDS


def interrupted(prompt: str) -> str:
    raise KeyboardInterrupt


@pytest.mark.parametrize("ask", [typed_in_the_open, interrupted])
def test_nothing_is_sealed_where_the_passphrase_would_be_seen_or_is_not_given(
    closed: Path, monkeypatch, capsys, ask
):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("getpass.getpass", ask)
    assert main(["seal", "--closed", str(closed), "--out", str(closed.parent / "pack.zip")]) == 2
    assert "no passphrase" in capsys.readouterr().err
    assert not (closed.parent / "pack.zip").exists()
