"""What a process of a run compiles, the others find: as an import would have compiled it."""

import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

from tests.compiling import ROOT, compile_one, modules, share_of

pytestmark = pytest.mark.skipif(sys.dont_write_bytecode, reason="nothing that is compiled is kept")


def test_the_shares_are_all_of_the_modules() -> None:
    files = modules()
    assert ROOT / "tests/conftest.py" in files
    assert ROOT / "src/fairlead/core/decide.py" in files
    assert sorted(file for number in range(3) for file in share_of(number, 3, files)) == files


def test_what_is_compiled_is_what_an_import_finds(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    test, other = tmp_path / "test_one.py", tmp_path / "other.py"
    for file in (test, other):
        file.write_text("def test_two() -> None:\n    assert [1] == [2]\n")
        compile_one(request.config, file)

    def fail(*_: object) -> None:
        raise AssertionError("it is compiled again")

    monkeypatch.setattr(rewrite, "_rewrite_test", fail)
    compile_one(request.config, test)
    namespace: dict[str, object] = {}
    code = rewrite._read_pyc(test, Path(rewrite.get_cache_dir(test)) / f"test_one{rewrite.PYC_TAIL}")  # pyright: ignore[reportPrivateUsage]
    assert code is not None
    exec(code, namespace)  # noqa: S102
    with pytest.raises(AssertionError, match=r"\[1\] == \[2\]"):
        namespace["test_two"]()  # pyright: ignore
    assert Path(cache_from_source(str(other))).exists()


def test_what_cannot_be_compiled_is_left_to_its_import(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    (tmp_path / "test_odd.py").write_text("def (")
    with pytest.raises(SyntaxError):
        compile_one(request.config, tmp_path / "test_odd.py")
