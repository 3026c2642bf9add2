"""The container files agree with the repository and with the settings, as far as that can be seen without an engine."""

import re
from pathlib import Path
from typing import Any

import pytest

from fairlead.settings import Settings, load_settings
from tests.ops.files import OPS, ROOT, read_yaml

CONTAINER = OPS / "container"
VARIABLES = {f"FAIRLEAD_{name.upper()}" for name in Settings.model_fields if name != "schema_name"} | {
    "FAIRLEAD_SCHEMA",
    "FAIRLEAD_SECRETS_DIR",
}
OURS = ("migrate", "web", "worker")
# The names that stand for a newest version, whatever that may be.
_PINNED = re.compile(r"[a-z0-9/-]+:v?[0-9]+\.[0-9]+[a-z0-9.-]*")


def compose() -> dict[str, Any]:
    return read_yaml(CONTAINER / "compose.yaml")


def instructions() -> list[tuple[str, str]]:
    text = (CONTAINER / "Containerfile").read_text(encoding="utf-8")
    joined = re.sub(r"\\\n", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def final_stage() -> list[tuple[str, str]]:
    lines = instructions()
    start = max(number for number, (word, _) in enumerate(lines) if word == "FROM")
    return lines[start:]


def test_the_final_image_runs_unprivileged_and_builds_nothing() -> None:
    stage = final_stage()
    assert [rest for word, rest in stage if word == "USER"] == ["10001:10001"]
    runs = " ".join(rest for word, rest in stage if word == "RUN")
    assert not re.search(r"\b(pip|uv|apt-get|gcc|make)\b", runs)
    assert [rest for word, rest in stage if word == "COPY"] == ["--from=build /opt/fairlead /opt/fairlead"]


def test_every_package_comes_by_its_hash_and_ready_made() -> None:
    installs = [
        command
        for word, rest in instructions()
        if word == "RUN"
        for command in rest.split("&&")
        if "pip" in command and " install " in command
    ]
    assert len(installs) == 3
    for command in installs:
        assert "--require-hashes --only-binary :all:" in " ".join(command.split()) or "--no-deps --no-index" in command
    assert any("uv export --quiet --frozen --no-dev" in rest for _, rest in instructions())


def test_images_are_pinned() -> None:
    images = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    images += [service["image"] for service in compose()["services"].values()]
    assert [image for image in images if not _PINNED.fullmatch(image)] == []


def test_what_is_copied_exists_and_is_let_through() -> None:
    let_through = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")
    }
    copied = {
        name
        for word, rest in instructions()
        if word == "COPY" and not rest.startswith("--from")
        for name in rest.split()[:-1]
    }
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)
    assert "*" in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def test_every_variable_is_a_setting() -> None:
    set_here = {name for word, rest in instructions() if word == "ENV" for name in re.findall(r"(FAIRLEAD_\w+)=", rest)}
    for service in OURS:
        set_here |= set(compose()["services"][service]["environment"])
    assert set_here >= {"FAIRLEAD_SECRETS_DIR", "FAIRLEAD_HTTP_HOST"}
    assert set_here - VARIABLES == set()


def test_every_secret_is_a_setting_and_is_read_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = compose()
    for name in OURS:
        for secret in found["services"][name]["secrets"]:
            assert secret.upper() in VARIABLES
            assert found["secrets"][secret]["file"] == f"secrets/{secret}"
    for service in found["services"].values():
        assert set(service.get("secrets", [])) <= set(found["secrets"])
    written = "postgresql://fairlead:x@postgres:5432/fairlead"
    (tmp_path / "fairlead_database_url").write_text(written + "\n", encoding="utf-8")
    monkeypatch.delenv("FAIRLEAD_DATABASE_URL", raising=False)
    monkeypatch.setenv("FAIRLEAD_SECRETS_DIR", str(tmp_path))
    url = load_settings().database_url
    assert url is not None
    assert url.get_secret_value() == written


def test_no_secret_is_in_the_repository() -> None:
    ignored = (CONTAINER / "secrets" / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"*", "!.gitignore"} <= set(ignored)
    for service in compose()["services"].values():
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name or str(value).startswith("/run/secrets/"), name


def test_ours_start_after_the_schema_is_there_and_the_schema_after_the_database() -> None:
    services = compose()["services"]
    for name in ("web", "worker"):
        assert services[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services["migrate"]["restart"] == "no"
    assert [services[name]["command"] for name in OURS] == [[name] for name in OURS]


def test_ours_are_confined_and_have_time_to_finish() -> None:
    for name in OURS:
        service = compose()["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        shutdown_timeout_seconds = int(service["environment"]["FAIRLEAD_SHUTDOWN_TIMEOUT_SECONDS"])
        assert int(service["stop_grace_period"].removesuffix("s")) > shutdown_timeout_seconds


def test_every_mounted_file_exists_and_every_volume_is_declared() -> None:
    found = compose()
    for service in found["services"].values():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (CONTAINER / source).exists(), mount
            else:
                assert source in found["volumes"], mount


def test_nothing_is_open_to_the_network_unasked() -> None:
    for service in compose()["services"].values():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")


def test_health_is_asked_where_it_is_answered() -> None:
    ports = {"web": Settings.model_fields["web_port"].default, "worker": Settings.model_fields["worker_port"].default}
    for name, port in ports.items():
        assert f"127.0.0.1:{port}/readyz" in " ".join(compose()["services"][name]["healthcheck"]["test"])
