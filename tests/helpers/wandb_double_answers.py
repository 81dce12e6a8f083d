"""What the double of the W&B server answers, one method an operation, named as the client names it."""

import json
from typing import TYPE_CHECKING, Any

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
