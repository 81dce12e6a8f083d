"""Black box: external tools as adapters. Folders of images in, folders of images out; nothing of tags."""

from faketagger.zoo.attack import apply
from faketagger.zoo.conformance import CheckResult, check_adapter
from faketagger.zoo.doctor import Diagnosis, doctor
from faketagger.zoo.installation import Installation, installation
from faketagger.zoo.installer import install
from faketagger.zoo.manifest import Adapter, Manifest, load_manifest
from faketagger.zoo.marking import Marker, watermark_digest
from faketagger.zoo.preparation import Prepared, prepare
from faketagger.zoo.registry import find_adapters, get_adapter
from faketagger.zoo.results import AttackRun, ImageResult, Timings
from faketagger.zoo.runner import RunReport
from faketagger.zoo.sandbox import Sandbox

__all__ = [
    "Adapter",
    "AttackRun",
    "CheckResult",
    "Diagnosis",
    "ImageResult",
    "Installation",
    "Manifest",
    "Marker",
    "Prepared",
    "RunReport",
    "Sandbox",
    "Timings",
    "apply",
    "check_adapter",
    "doctor",
    "find_adapters",
    "get_adapter",
    "install",
    "installation",
    "load_manifest",
    "prepare",
    "watermark_digest",
]
