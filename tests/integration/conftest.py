"""Each port twice: its fake, and its adapter on an AWS in this process that is made from template.yaml."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from moto.core.models import botocore_stubber
from samtranslator.yaml_helper import yaml_parse

from publisher.aws.accounts import DynamoAccounts
from publisher.aws.app_secret import SecretsManagerApp
from publisher.aws.clients import client
from publisher.aws.drops import S3Drops
from publisher.aws.endpoints import DynamoEndpoints
from publisher.aws.events import DynamoEvents
from publisher.aws.executions import StepFunctions
from publisher.aws.keys import DynamoKeys
from publisher.aws.media_store import S3MediaStore
from publisher.aws.metrics import DynamoMetrics
from publisher.aws.photo_host import DynamoPhotoHost
from publisher.aws.posts import DynamoPosts
from publisher.aws.schedules import EventBridgeSchedules
from publisher.aws.sessions import DynamoSessions
from publisher.aws.slots import DynamoSlots
from publisher.aws.uploads import S3Uploads
from publisher.aws.vault import KmsVault
from tests.fakes import FakeClock, FakePorts

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
REGION = "eu-central-1"
APP = {"client_key": "key", "client_secret": "secret"}
MACHINE = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}}
ACCOUNT = "123456789012"
SERVICES = ("dynamodb", "kms", "s3", "scheduler", "secretsmanager", "stepfunctions")


class Aws:
    """An AWS of one's own: clients by service, and what template.yaml defines, each made when it is asked for."""

    def __init__(self, template: dict[str, Any], clients: dict[str, Any]) -> None:
        self.clients = clients
        self._template = template
        self._tables: set[str] = set()
        self._one_maker = threading.Lock()

    def table(self, name: str) -> str:
        with self._one_maker:
            if name not in self._tables:
                properties = dict(self._template[name]["Properties"])
                ttl = properties.pop("TimeToLiveSpecification")
                for set_later in ("PointInTimeRecoverySpecification", "SSESpecification"):
                    del properties[set_later]
                self.clients["dynamodb"].create_table(TableName=name, **properties)
                self.clients["dynamodb"].update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
                self._tables.add(name)
        return name

    @cached_property
    def bucket(self) -> str:
        self.clients["s3"].create_bucket(Bucket="media", CreateBucketConfiguration={"LocationConstraint": REGION})
        return "media"

    @cached_property
    def drop_bucket(self) -> str:
        self.clients["s3"].create_bucket(Bucket="drops", CreateBucketConfiguration={"LocationConstraint": REGION})
        versioning = self._template["DropBucket"]["Properties"]["VersioningConfiguration"]
        self.clients["s3"].put_bucket_versioning(Bucket="drops", VersioningConfiguration=versioning)
        return "drops"

    @cached_property
    def schedule_group(self) -> str:
        self.clients["scheduler"].create_schedule_group(Name="posts")
        return "posts"

    @cached_property
    def key_id(self) -> str:
        return str(self.clients["kms"].create_key()["KeyMetadata"]["KeyId"])

    @cached_property
    def secret_id(self) -> str:
        return str(self.clients["secretsmanager"].create_secret(Name="app", SecretString=json.dumps(APP))["ARN"])

    @cached_property
    def machine(self) -> str:
        role = f"arn:aws:iam::{ACCOUNT}:role/machine"
        made = self.clients["stepfunctions"].create_state_machine(
            name="publish-post", definition=json.dumps(MACHINE), roleArn=role
        )
        return str(made["stateMachineArn"])

    def break_in(self, service: str, operation: str, fault: Callable[..., AWSResponse | None]) -> None:
        """Have `fault` see each request of an operation, on a new client; AWS never sees one that it answers."""

        def see(request: AWSPreparedRequest, **more: object) -> AWSResponse | None:
            answer = fault(request=request, **more)
            if answer is not None:
                request.headers["x-answered"] = "yes"
            return answer

        self.clients[service] = client(service)
        name = self.clients[service].meta.service_model.service_id.hyphenize()
        self.clients[service].meta.events.register_first(f"before-send.{name}.{operation}", see)

    def lose_answer(self, service: str, operation: str) -> None:
        """Apply the next call and drop its answer, as a network does."""
        lost: list[AWSPreparedRequest] = []

        def apply_and_drop(request: AWSPreparedRequest, event_name: str, **_: object) -> None:
            if not lost:
                lost.append(request)
                assert botocore_stubber(event_name, request) is not None
                raise ReadTimeoutError(endpoint_url=request.url)

        self.break_in(service, operation, apply_and_drop)

    def answer(
        self, service: str, operation: str, status: int, body: dict[str, Any] | str, *, times: int = 99
    ) -> list[int]:
        """Answer the next calls with an error, without effect; the list grows with each."""
        text = body if isinstance(body, str) else json.dumps(body)
        answered: list[int] = []

        def refuse(request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
            if len(answered) >= times:
                return None
            answered.append(status)
            return AWSResponse(request.url, status, HTTPHeaders(), MockRawResponse(text))

        self.break_in(service, operation, refuse)
        return answered


class AwsPorts:
    """The adapters, each made when it is asked for, so that a test can break the network before."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.clock = FakeClock()

    @property
    def posts(self) -> DynamoPosts:
        return DynamoPosts(self.aws.clients["dynamodb"], self.aws.table("PostsTable"), self.clock)

    @property
    def events(self) -> DynamoEvents:
        return DynamoEvents(self.aws.clients["dynamodb"], self.aws.table("PostsTable"), self.clock)

    @property
    def accounts(self) -> DynamoAccounts:
        return DynamoAccounts(self.aws.clients["dynamodb"], self.aws.table("AccountsTable"), self.clock)

    @property
    def keys(self) -> DynamoKeys:
        return DynamoKeys(self.aws.clients["dynamodb"], self.aws.table("KeysTable"), self.clock)

    @property
    def sessions(self) -> DynamoSessions:
        return DynamoSessions(self.aws.clients["dynamodb"], self.aws.table("KeysTable"), self.clock)

    @property
    def endpoints(self) -> DynamoEndpoints:
        return DynamoEndpoints(self.aws.clients["dynamodb"], self.aws.table("EndpointsTable"), self.clock)

    @property
    def vault(self) -> KmsVault:
        return KmsVault(self.aws.clients["kms"], self.aws.key_id)

    @property
    def app_secret(self) -> SecretsManagerApp:
        return SecretsManagerApp(self.aws.clients["secretsmanager"], self.aws.secret_id, self.clock)

    @property
    def media(self) -> S3MediaStore:
        return S3MediaStore(self.aws.clients["s3"], self.aws.bucket)

    @property
    def slots(self) -> DynamoSlots:
        return DynamoSlots(self.aws.clients["dynamodb"], self.aws.table("AccountsTable"), self.clock)

    @property
    def metrics(self) -> DynamoMetrics:
        return DynamoMetrics(self.aws.clients["dynamodb"], self.aws.table("MetricsTable"), self.clock)

    @property
    def schedules(self) -> EventBridgeSchedules:
        return EventBridgeSchedules(
            self.aws.clients["scheduler"],
            self.aws.schedule_group,
            target=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:due",
            role=f"arn:aws:iam::{ACCOUNT}:role/schedules",
            dead_letter=f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead-letters",
        )

    @property
    def drops(self) -> S3Drops:
        return S3Drops(self.aws.clients["s3"], self.aws.drop_bucket)

    @property
    def uploads(self) -> S3Uploads:
        return S3Uploads(self.aws.clients["s3"], self.aws.bucket, self.clock)

    @property
    def photo_host(self) -> DynamoPhotoHost:
        return DynamoPhotoHost(self.aws.clients["dynamodb"], self.aws.table("PhotoHostTable"), self.clock)

    @property
    def executions(self) -> StepFunctions:
        return StepFunctions(self.aws.clients["stepfunctions"], self.aws.machine)


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    resources: dict[str, Any] = yaml_parse(TEMPLATE.read_text())["Resources"]
    return resources


@pytest.fixture(scope="session")
def shared_clients() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        return {service: client(service) for service in SERVICES}


@pytest.fixture
def aws(template: dict[str, Any], shared_clients: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """An empty AWS; its calls happen one after the other, as moto's parts are not safe to call at once."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    lock, call = threading.RLock(), BotocoreStubber.__call__

    def one_at_a_time(stubber: BotocoreStubber, event_name: str, request: AWSPreparedRequest, **more: Any) -> Any:
        if isinstance(request.body, bytearray):  # which a network takes, and moto does not
            request.body = bytes(request.body)
        if "x-answered" in request.headers:
            return None
        with lock:
            return call(stubber, event_name, request, **more)

    monkeypatch.setattr(BotocoreStubber, "__call__", one_at_a_time)
    # Nobody has to wait between the SDK's tries.
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    with mock_aws():
        yield Aws(template, dict(shared_clients))


@pytest.fixture
def aws_ports(aws: Aws) -> AwsPorts:
    return AwsPorts(aws)


@pytest.fixture(params=["fake", "aws"])
def ports(request: pytest.FixtureRequest) -> FakePorts | AwsPorts:
    """Every port, once as its fake and once as its adapter."""
    return FakePorts() if request.param == "fake" else request.getfixturevalue("aws_ports")


@pytest.fixture
def race() -> Callable[[Callable[[int], object], int], list[object]]:
    """Call a function with 0, 1, 2 … at the same moment in as many threads, and return what came of each."""

    def run(act: Callable[[int], object], workers: int) -> list[object]:
        gate = threading.Barrier(workers)

        def go(number: int) -> object:
            gate.wait()
            try:
                return act(number)
            except Exception as error:  # noqa: BLE001 (an error is an outcome here)
                return error

        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(go, range(workers)))

    return run
