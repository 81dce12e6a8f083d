"""What the double of the W&B server answers, one method an operation, named as the client names it."""

import itertools
import json
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from tests.helpers.wandb_double import WandbDouble


class Refused(Exception):
    """A server would turn it away.

    Args:
        code: Of HTTP.
        reason: In words.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Answers:
    """Operations of GraphQL; each takes the variables and gives the data.

    Args:
        double: Keeps what arrives.
    """

    def __init__(self, double: "WandbDouble") -> None:
        self._double = double

    def upsertBucket(self, given: dict[str, Any]) -> Any:
        from tests.helpers.wandb_double import ENTITY, Run

        name = given["name"]
        inserted = name not in self._double.runs
        run = self._double.runs.setdefault(name, Run({}))
        run.told |= {key: value for key, value in given.items() if value is not None}
        project = {"id": "project", "name": given["project"], "entity": {"id": "entity", "name": ENTITY}}
        told = {"displayName": None, "description": None, "config": "{}", "historyLineCount": 0, **run.told}
        return {"upsertBucket": {"bucket": {**told, "id": name, "project": project}, "inserted": inserted}}

    def serverFeaturesQuery(self, _: dict[str, Any]) -> Any:
        return {"serverInfo": {"features": []}}

    def createRunFiles(self, given: dict[str, Any]) -> Any:
        run = self._double.runs[given["run"]]
        files = [{"name": name, "uploadUrl": self._double.announce(run, name, None)} for name in given["files"]]
        return {"createRunFiles": {"runID": given["run"], "uploadHeaders": [], "files": files}}

    def createArtifact(self, given: dict[str, Any]) -> Any:
        artifact = self._double.artifact(given["input"])
        sequence = {"latestArtifact": None}
        state = "COMMITTED" if artifact.committed else "PENDING"
        return {"createArtifact": {"artifact": {"id": artifact.id, "state": state, "artifactSequence": sequence}}}

    def createArtifactManifest(self, given: dict[str, Any]) -> Any:
        artifact = self._double.artifacts[given["artifactID"]]
        file = {"id": f"{artifact.id}-manifest", "uploadHeaders": []}
        if given["includeUpload"]:
            file["uploadUrl"] = self._double.announce(artifact, "", given["digest"])
        return {"createArtifactManifest": {"artifactManifest": {"id": file["id"], "file": file}}}

    def createArtifactFiles(self, given: dict[str, Any]) -> Any:
        nodes = []
        for file in given["input"]["artifactFiles"]:
            artifact = self._double.artifacts[file["artifactID"]]
            url = self._double.announce(artifact, file["name"], file["md5"])
            own = {"storagePath": f"{artifact.id}/{file['name']}", "artifact": {"id": artifact.id}}
            nodes.append({**own, "uploadUrl": url, "uploadHeaders": [], "uploadMultipartUrls": None})
        return {"createArtifactFiles": {"files": {"edges": [{"node": node} for node in nodes]}}}

    def updateArtifactManifest(self, given: dict[str, Any]) -> Any:
        found = given["artifactManifestID"]
        artifact = self._double.artifacts[found.removesuffix("-manifest")]
        url = self._double.announce(artifact, "", given["digest"])
        file = {"id": found, "uploadUrl": url, "uploadHeaders": []}
        return {"updateArtifactManifest": {"artifactManifest": {"id": found, "file": file}}}

    def commitArtifact(self, given: dict[str, Any]) -> Any:
        artifact = self._double.artifacts[given["artifactID"]]
        lacking = set(artifact.manifest["contents"]) - set(artifact.files)
        if lacking:
            raise Refused(400, f"{artifact.id} lacks {', '.join(sorted(lacking))}")
        artifact.committed = True
        return {"commitArtifact": {"artifact": {"id": artifact.id, "digest": artifact.told["digest"]}}}

    def viewer(self, _: dict[str, Any]) -> Any:
        from tests.helpers.wandb_double import ENTITY

        teams = {"edges": [{"node": {"name": ENTITY}}]}
        return {"viewer": {"id": "viewer", "entity": ENTITY, "username": ENTITY, "flags": "{}", "teams": teams}}

    getDefaultEntity = viewer

    def artifactType(self, _: dict[str, Any]) -> Any:
        return {"project": {"artifact": None}}

    def organizationCoreWeaveOrganizationID(self, _: dict[str, Any]) -> Any:
        return {"entity": None}

    def upsertView2(self, given: dict[str, Any]) -> Any:
        if given["entityName"] != self.viewer({})["viewer"]["entity"]:
            raise Refused(403, f"{given['entityName']} is somebody else")
        self._double.views.append(given)
        return {"upsertView": {"view": {"id": "view", "name": given["name"]}, "inserted": True}}

    def upsertSweep(self, given: dict[str, Any]) -> Any:
        from tests.helpers.wandb_double import ENTITY

        config = yaml.safe_load(given["config"])
        if config["method"] != "grid":
            raise Refused(400, "the double draws grids only")
        name = f"sweep{len(self._double.sweeps)}"
        names, values = zip(*((key, one["values"]) for key, one in config["parameters"].items()), strict=True)
        waiting = [dict(zip(names, one, strict=True)) for one in itertools.product(*values)]
        self._double.sweeps[name] = {"config": given["config"], "project": given["projectName"], "waiting": waiting}
        entity = {"id": "entity", "name": given["entityName"] or ENTITY}
        project = {"id": "project", "name": given["projectName"], "entity": entity}
        return {"upsertSweep": {"sweep": {"name": name, "project": project}, "configValidationWarnings": []}}

    def sweepWithRuns(self, given: dict[str, Any]) -> Any:
        sweep = self._double.sweeps.get(given["sweep"])
        if sweep is None:
            return {"project": {"sweep": None}}
        return {"project": {"sweep": {"name": given["sweep"], "config": sweep["config"], "runs": {"edges": []}}}}

    def createAgent(self, given: dict[str, Any]) -> Any:
        return {"createAgent": {"agent": {"id": given["sweep"]}}}

    def heartbeat(self, given: dict[str, Any]) -> Any:
        sweep, busy = self._double.sweeps[given["id"]], json.loads(given["runState"])
        commands = []
        if not busy and sweep["waiting"]:
            drawn = {key: {"value": value} for key, value in sweep["waiting"].pop(0).items()}
            left = len(sweep["waiting"])
            commands = [{"type": "run", "run_id": f"{given['id']}-{left}", "program": "faketagger", "args": drawn}]
        elif not busy:
            commands = [{"type": "exit"}]
        return {"agentHeartbeat": {"agent": {"id": given["id"]}, "commands": json.dumps(commands)}}
