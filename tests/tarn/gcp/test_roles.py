"""What doctor asks for, what Terraform grants and what the document lists are the same."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tarn.gcp.roles import APIS, ROLES, Scope, lake_datasets
from tarn.settings import CHECKOUT, Settings

TERRAFORM = CHECKOUT / "deploy" / "terraform"
DOCUMENT = CHECKOUT / "docs" / "gcp.md"


def quoted(list_name: str, file: Path) -> list[str]:
    """The strings of a list in a Terraform file."""
    found = re.search(rf"\b{list_name}\s*=\s*\[(.*?)\]", file.read_text(encoding="utf-8"), re.DOTALL)
    assert found, f"{file} has no {list_name}"
    return re.findall(r'"([^"]+)"', found[1])


@pytest.mark.parametrize("scope", Scope)
def test_terraform_grants_the_roles_and_no_others(scope: Scope) -> None:
    granted = quoted(f"{scope}_roles", TERRAFORM / "main.tf")
    assert sorted(granted) == sorted(role.name for role in ROLES if role.scope is scope)


def test_terraform_has_no_role_besides_its_lists() -> None:
    text = (TERRAFORM / "main.tf").read_text(encoding="utf-8")
    assert sorted(re.findall(r'"(roles/[^"]+)"', text)) == sorted(role.name for role in ROLES)


def test_the_document_lists_each_role_with_its_permissions() -> None:
    rows = [line.strip("| ").split(" | ") for line in DOCUMENT.read_text(encoding="utf-8").splitlines()]
    listed = {row[0].strip("`"): row[1:] for row in rows if row[0].startswith("`roles/")}
    assert listed == {
        role.name: [role.scope, " ".join(f"`{one}`" for one in role.permissions), role.purpose] for role in ROLES
    }


def test_apis_are_the_same_everywhere() -> None:
    assert quoted("apis", TERRAFORM / "main.tf") == list(APIS)
    assert sorted(re.findall(r"`([a-z]+\.googleapis\.com)`", DOCUMENT.read_text(encoding="utf-8"))) == list(APIS)


def test_terraform_makes_every_dataset_that_dbt_builds_into() -> None:
    settings = Settings()
    schemas = re.search(r'variable "dbt_schemas".*?default\s*=\s*\[(.*?)\]', _variables(), re.DOTALL)
    assert schemas
    made = [f"{settings.marts_dataset}_{name}" for name in re.findall(r'"(\w+)"', schemas[1])]
    assert [settings.lake_dataset, settings.marts_dataset, *made] == lake_datasets(settings)


@pytest.mark.parametrize("name", ["location", "lake_dataset", "marts_dataset"])
def test_terraform_s_defaults_are_the_settings(name: str) -> None:
    default = re.search(rf'variable "{name}".*?default\s*=\s*"(.*?)"', _variables(), re.DOTALL)
    assert default
    assert default[1] == Settings.model_fields[name].default


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_the_files_are_terraform_s() -> None:
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", str(TERRAFORM)],
        env={"TF_CLI_CONFIG_FILE": "", "PATH": str(Path(shutil.which("terraform") or "").parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def _variables() -> str:
    return (TERRAFORM / "variables.tf").read_text(encoding="utf-8")
