"""What the template promises, read from the CloudFormation that SAM makes of it."""

import importlib
import json
import re
from functools import cache

import pytest

from publisher.domain.limits import MEDIA_DAYS, UPLOAD_DAYS, UPLOAD_OPEN_DAYS
from publisher.settings import Settings
from tests.architecture.cloudformation import (
    Resource,
    Template,
    conditions_in,
    functions_of,
    named,
    of_type,
    permissions_of,
    read_template,
    reference,
    texts,
    translate,
)
from tests.architecture.reach import AwsCall, aws_calls, port_methods, unnamed_uses
from tests.architecture.source import ROOT, camel, function_folders, module, production, snake
from tests.builders import an_endpoint

BASIC_ROLE = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
MAY_DECRYPT = {
    "accounts",
    "bulk",
    "changes",
    "doctor",
    "posts",
    "stats",
    "collect_stats",
    "initialize_post",
    "on_file_dropped",
    "sweep_drops",
    "upload_chunks",
    "check_status",
    "deliver",
    "sweep",
    "validations",
}
"""The functions that use TikTok's tokens, an upload URL or a webhook's secret."""
MOVE_MEDIA = {"download_media", "convert_photos", "upload_chunks"}
"""The functions whose work grows with the media."""
LOG_DELIVERY = {
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}
"""Takes no narrower resource than "*". https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html"""
MACHINE = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${AWS::StackName}-publish-post"
EXECUTIONS = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${AWS::StackName}-publish-post:*"
SECRET = re.compile(r"AKIA[0-9A-Z]{16}|PRIVATE KEY|\b(?=(\w*\d){4})\w{32,}\b")
"""What a key or a token looks like."""
STAGING = "arn:${AWS::Partition}:s3:::${AWS::StackName}-media-${AWS::AccountId}/staging/*"
UPLOADS = "arn:${AWS::Partition}:s3:::${AWS::StackName}-media-${AWS::AccountId}/uploads/*"
DROP_BUCKET = "arn:${AWS::Partition}:s3:::${AWS::StackName}-drop-${AWS::AccountId}"
DROPS = f"{DROP_BUCKET}/autopublish/*"
SCHEDULES = "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/${ScheduleGroup}/*"
MEDIA_PROBE = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${AWS::StackName}-probe-media"
DELIVER = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${AWS::StackName}-deliver"
SAME_ACTION = {
    "invoke": "InvokeFunction",
    "transact_write_items": "PutItem",  # its parts are puts
    "head_object": "GetObject",
    "delete_objects": "DeleteObject",
    "create_multipart_upload": "PutObject",
    "upload_part": "PutObject",
    "complete_multipart_upload": "PutObject",
    "list_parts": "ListMultipartUploadParts",
}
"""IAM's action where it is not named as the call."""
OF_VERSIONS = {
    "get_object": ("s3:GetObjectVersion", DROPS),  # no dropped file is read but by its version
    "list_object_versions": ("s3:ListBucketVersions", DROP_BUCKET),
}
"""Permissions of calls that are about versions."""


@pytest.fixture(scope="module")
def template() -> Template:
    return translate()


def test_each_folder_is_a_function_and_runs_as_tested(template: Template) -> None:
    functions = functions_of(template)
    assert sorted(functions) == function_folders()
    for folder, function in functions.items():
        assert function["Handler"] == f"{folder}.app.handler"
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert function["Code"]["S3Bucket"]
        assert function["Code"]["S3Key"]
        layers = [template["Resources"][reference(layer)] for layer in function["Layers"]]
        assert [layer["Type"] for layer in layers] == ["AWS::Lambda::LayerVersion"] * 2
        assert "VpcConfig" not in function


def test_each_layer_runs_where_the_functions_run(template: Template) -> None:
    for layer in of_type(template, "AWS::Lambda::LayerVersion").values():
        assert layer["Properties"]["CompatibleRuntimes"] == ["python3.13"]
        assert layer["Properties"]["CompatibleArchitectures"] == ["arm64"]
        assert layer["Properties"]["Content"]["S3Bucket"]
        assert layer["Properties"]["Content"]["S3Key"]


def test_each_function_is_bounded_in_time_and_memory(template: Template) -> None:
    for folder, function in functions_of(template).items():
        if folder in MOVE_MEDIA:
            assert function["Timeout"] == 900
        assert 30 <= function["Timeout"] <= 900
        assert 256 <= function["MemorySize"] <= (1769 if folder == "convert_photos" else 1024)


def test_pictures_are_converted_with_a_whole_processor(template: Template) -> None:
    """Lambda gives one at 1,769 MB. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
    assert functions_of(template)["convert_photos"]["MemorySize"] == 1769


def test_a_function_that_answers_http_ends_when_the_api_gives_up(template: Template) -> None:
    for folder in {folder for folder, _ in _routes(template)}:
        assert functions_of(template)[folder]["Timeout"] == 30


def test_no_function_reserves_concurrency(template: Template) -> None:
    """A new AWS account has too little of it to reserve any, and no function needs to run alone."""
    assert not [folder for folder, one in functions_of(template).items() if "ReservedConcurrentExecutions" in one]


def test_the_environment_is_what_settings_reads(template: Template) -> None:
    for folder, function in functions_of(template).items():
        variables = function["Environment"]["Variables"]
        assert set(variables) == {name.upper() for name in Settings.model_fields} | {"POWERTOOLS_SERVICE_NAME"}
        assert variables["POWERTOOLS_SERVICE_NAME"] == "publisher"
        assert {name: reference(value) for name, value in variables.items()} == {
            "POSTS_TABLE": "PostsTable",
            "ACCOUNTS_TABLE": "AccountsTable",
            "KEYS_TABLE": "KeysTable",
            "PHOTO_HOST_TABLE": "PhotoHostTable",
            "METRICS_TABLE": "MetricsTable",
            "ENDPOINTS_TABLE": "EndpointsTable",
            "MEDIA_BUCKET": reference(template["Resources"]["MediaBucket"]["Properties"]["BucketName"]),
            "DROP_BUCKET": reference(template["Resources"]["DropBucket"]["Properties"]["BucketName"]),
            "STATE_MACHINE_ARN": _machine_arn(template),
            "SCHEDULE_GROUP": "ScheduleGroup",
            "SCHEDULE_TARGET_ARN": _schedule_target(template),
            "SCHEDULE_ROLE_ARN": "ScheduleRole.Arn",
            "DEAD_LETTER_ARN": "DeadLetterQueue.Arn",
            "DELIVER_ARN": DELIVER,
            "MEDIA_PROBE_ARN": MEDIA_PROBE,
            "TOKEN_KEY_ID": "TokenKey",
            "TIKTOK_SECRET_ID": "TikTokSecret",
            "TIKTOK_API_URL": "TikTokApiUrl",
            "TIKTOK_AUTH_URL": "TikTokAuthUrl",
            "TRUSTED_MEDIA_ORIGINS": "TrustedMediaOrigins",
            "PUBLIC_URL": f"HasPublicUrl ? PublicUrl : HasDomain ? https://${{DomainName}} : {_last_address(folder)}",
            "OWNERSHIP_TOKENS": "OwnershipTokens",
            "POWERTOOLS_SERVICE_NAME": "publisher",
        }


def _last_address(folder: str) -> str:
    """The API's address when the operator gave none: the step that tells it to TikTok has no request to see it in."""
    return "https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}" if folder == "initialize_post" else ""


def _machine_arn(template: Template) -> str:
    name = reference(template["Resources"]["PublishPost"]["Properties"]["StateMachineName"])
    return "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:" + name


def _schedule_target(template: Template) -> str:
    name = reference(functions_of(template)["on_schedule_due"]["FunctionName"])
    return "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:" + name


def test_the_defaults_are_tiktok_itself_and_trust_no_private_media(template: Template) -> None:
    defaults = {name: parameter["Default"] for name, parameter in template["Parameters"].items()}
    assert defaults == {
        "PublicUrl": "",
        "DomainName": "",
        "CertificateArn": "",
        "HostedZoneId": "",
        "OwnershipTokens": "",
        "TikTokApiUrl": "https://open.tiktokapis.com",
        "TikTokAuthUrl": "https://www.tiktok.com",
        "TrustedMediaOrigins": "",
    }


def test_each_log_group_forgets_within_thirty_days(template: Template) -> None:
    for group in of_type(template, "AWS::Logs::LogGroup").values():
        assert 1 <= group["Properties"]["RetentionInDays"] <= 30


def test_each_function_logs_to_its_own_group(template: Template) -> None:
    groups = of_type(template, "AWS::Logs::LogGroup")
    for folder, function in functions_of(template).items():
        name = reference(function["LoggingConfig"]["LogGroup"])
        expected = "/aws/lambda/${AWS::StackName}-" + folder.replace("_", "-")
        assert name == f"{camel(folder)}LogGroup"
        assert reference(groups[name]["Properties"]["LogGroupName"]) == expected


def test_each_role_belongs_to_one_service(template: Template) -> None:
    services = {
        "PublishPostRole": "states",
        "SweepFunctionEveryMinuteRole": "scheduler",
        "CollectStatsFunctionEveryFiveMinutesRole": "scheduler",
        "SweepDropsFunctionEveryFiveMinutesRole": "scheduler",
        "DeliverFunctionEveryMinuteRole": "scheduler",
        "ScheduleRole": "scheduler",
    }
    roles = of_type(template, "AWS::IAM::Role")
    assert set(roles) == {*services, *(f"{camel(folder)}FunctionRole" for folder in function_folders())}
    for name, role in roles.items():
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Effect"] == "Allow"
        assert statement["Action"] == ["sts:AssumeRole"]
        assert statement["Principal"] == {"Service": [f"{services.get(name, 'lambda')}.amazonaws.com"]}


def test_each_function_has_a_role_of_its_own(template: Template) -> None:
    for folder, function in functions_of(template).items():
        assert reference(function["Role"]) == f"{camel(folder)}FunctionRole.Arn"
        assert template["Resources"][f"{camel(folder)}FunctionRole"]["Properties"]["ManagedPolicyArns"] == [BASIC_ROLE]


def test_no_permission_is_wider_than_named_actions_on_named_resources(template: Template) -> None:
    for name, role in of_type(template, "AWS::IAM::Role").items():
        for action, resource in permissions_of(role):
            assert "*" not in action
            assert resource != "*" or (name == "PublishPostRole" and action in LOG_DELIVERY)
            assert not resource.endswith(":*") or resource == EXECUTIONS


def test_each_function_may_do_what_its_code_does_and_nothing_else(template: Template) -> None:
    for folder, function in functions_of(template).items():
        granted = permissions_of(template["Resources"][f"{camel(folder)}FunctionRole"])
        expected = {_permission(call) for call in calls_of(folder)}
        if "DeadLetterConfig" in function:
            expected.add(("sqs:SendMessage", "DeadLetterQueue.Arn"))
        if ("scheduler:CreateSchedule", SCHEDULES) in expected:
            expected.add(("iam:PassRole", "ScheduleRole.Arn"))
        assert set(granted) == expected, folder


def test_every_use_of_a_port_names_the_method_so_that_it_can_be_followed() -> None:
    assert [use for module in production() for use in unnamed_uses(module)] == []


@cache
def calls_of(folder: str) -> frozenset[AwsCall]:
    """Return the calls to AWS that a function's code comes to."""
    uses = port_methods(module(f"{folder}.app"))
    if not _asks_for_a_key(folder):
        uses = frozenset(use for use in uses if use[0] not in ("keys", "sessions"))
    return frozenset(aws_calls(uses))


def _asks_for_a_key(folder: str) -> bool:
    app = importlib.import_module(f"{folder}.app")
    return hasattr(app, "api") and any(scope is not None for scope in app.api.routes.values())


def _permission(call: AwsCall) -> tuple[str, str]:
    prefix = "states" if call.service == "stepfunctions" else call.service
    if call.setting == "drop_bucket" and call.operation in OF_VERSIONS:
        return OF_VERSIONS[call.operation]
    resources = {
        "drop_bucket": DROPS,
        "schedule_group": SCHEDULES,
        "media_bucket": UPLOADS if call.port == "uploads" else STAGING,
        "state_machine_arn": EXECUTIONS if call.operation == "describe_execution" else MACHINE,
        "media_probe_arn": MEDIA_PROBE,
        "deliver_arn": DELIVER,
        "token_key_id": "TokenKey.Arn",
        "tiktok_secret_id": "TikTokSecret",
    }
    resource = resources.get(call.setting, f"{camel(call.setting)}.Arn")
    action = SAME_ACTION.get(call.operation, camel(call.operation))
    return f"{prefix}:{action}", f"${{{resource}}}/index/{call.index}" if call.index else resource


def test_only_functions_that_use_tokens_may_decrypt(template: Template) -> None:
    roles = of_type(template, "AWS::IAM::Role").items()
    decrypting = {name for name, role in roles if "kms:Decrypt" in dict(permissions_of(role))}
    assert decrypting == {f"{camel(folder)}FunctionRole" for folder in MAY_DECRYPT}


def test_the_functions_that_fetch_what_strangers_chose_have_no_secrets(template: Template) -> None:
    _has_no_secrets(template, "DownloadMedia", "PostsTable.Arn", STAGING, UPLOADS, DROPS)
    _has_no_secrets(template, "ProbeMedia", UPLOADS)


def test_the_function_that_decodes_what_strangers_chose_has_no_secrets(template: Template) -> None:
    _has_no_secrets(template, "ConvertPhotos", "PostsTable.Arn", STAGING)


def test_the_function_that_serves_pictures_to_everybody_has_no_secrets_and_no_posts(template: Template) -> None:
    _has_no_secrets(template, "Media", "PhotoHostTable.Arn", STAGING)


def test_the_function_that_calls_what_strangers_chose_opens_webhooks_secrets_and_nothing_else(
    template: Template,
) -> None:
    granted = permissions_of(template["Resources"]["DeliverFunctionRole"])
    assert set(granted) == {
        ("dynamodb:GetItem", "EndpointsTable.Arn"),
        ("dynamodb:UpdateItem", "EndpointsTable.Arn"),
        ("dynamodb:Query", "${EndpointsTable.Arn}/index/by_watch"),
        ("kms:Decrypt", "TokenKey.Arn"),
        ("sqs:SendMessage", "DeadLetterQueue.Arn"),
    }
    field = an_endpoint().secret_context["field"]
    for folder in ("deliver", "endpoints", "deliveries"):
        (condition,) = [
            statement["Condition"]
            for policy in template["Resources"][f"{camel(folder)}FunctionRole"]["Properties"]["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            if statement["Resource"] == {"Fn::GetAtt": ["TokenKey", "Arn"]}
        ]
        assert condition == {"StringEquals": {"kms:EncryptionContext:field": field}}


def _has_no_secrets(template: Template, name: str, *places: str) -> None:
    granted = permissions_of(template["Resources"][f"{name}FunctionRole"])
    assert {action.partition(":")[0] for action, _ in granted} <= {"dynamodb", "s3"}
    assert {resource for _, resource in granted} == set(places)


def test_the_machine_may_call_its_steps_and_deliver_its_log(template: Template) -> None:
    machine = template["Resources"]["PublishPost"]["Properties"]
    steps = [name.removesuffix("Arn") for name in machine["DefinitionSubstitutions"]]
    granted = permissions_of(template["Resources"]["PublishPostRole"])
    assert reference(machine["RoleArn"]) == "PublishPostRole.Arn"
    assert len(granted) == len(steps) + len(LOG_DELIVERY)
    assert set(granted) == {("lambda:InvokeFunction", _function_arns(step)) for step in steps} | {
        (action, "*") for action in LOG_DELIVERY
    }


def _function_arns(function: str) -> str:
    """A function's ARN and those of its versions, as SAM's own policy has them."""
    return f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{function}*"


def test_the_machine_knows_its_steps(template: Template) -> None:
    machine = template["Resources"]["PublishPost"]["Properties"]
    text = (ROOT / "statemachine" / "publish_post.asl.json").read_text()
    assert set(machine["DefinitionSubstitutions"]) == set(re.findall(r"\$\{(\w+)\}", text))
    for name, value in machine["DefinitionSubstitutions"].items():
        assert reference(value) == f"{name.removesuffix('Arn')}.Arn"
    assert machine["DefinitionS3Location"]["Bucket"]
    assert machine["DefinitionS3Location"]["Key"]


def test_the_machine_logs_errors_and_never_data(template: Template) -> None:
    logging = template["Resources"]["PublishPost"]["Properties"]["LoggingConfiguration"]
    ((destination),) = logging["Destinations"]
    assert logging["Level"] == "ERROR"
    assert logging["IncludeExecutionData"] is False
    assert reference(destination["CloudWatchLogsLogGroup"]["LogGroupArn"]) == "PublishPostLogGroup.Arn"
    group = template["Resources"]["PublishPostLogGroup"]["Properties"]
    assert reference(group["LogGroupName"]) == "/aws/vendedlogs/states/${AWS::StackName}-publish-post"


def test_the_api_and_the_code_have_the_same_routes(template: Template) -> None:
    expected = {}
    for folder in function_folders():
        app = importlib.import_module(f"{folder}.app")
        expected.update({(folder, route): True for route in getattr(getattr(app, "api", None), "routes", {})})
    assert _routes(template) == set(expected)


def _routes(template: Template) -> set[tuple[str, tuple[str, str]]]:
    """Folder of the function, and method and path."""
    routes = set()
    for path, methods in template["Resources"]["HttpApi"]["Properties"]["Body"]["paths"].items():
        for method, operation in methods.items():
            integration = operation["x-amazon-apigateway-integration"]
            assert (integration["type"], integration["httpMethod"]) == ("aws_proxy", "POST")
            assert integration["payloadFormatVersion"] == "2.0"
            (function,) = re.findall(r"\$\{(\w+)Function\.Arn\}/invocations$", integration["uri"]["Fn::Sub"])
            routes.add((snake(function), (method.upper(), path)))
            assert [part["name"] for part in operation.get("parameters", [])] == re.findall(r"\{(\w+)\}", path)
    return routes


def test_the_api_is_throttled_and_its_log_has_no_path(template: Template) -> None:
    stage = template["Resources"]["HttpApiApiGatewayDefaultStage"]["Properties"]
    assert reference(stage["ApiId"]) == "HttpApi"
    assert stage["StageName"] == "$default"
    assert stage["AutoDeploy"] is True
    assert 1 <= stage["DefaultRouteSettings"]["ThrottlingRateLimit"] <= 100
    assert 1 <= stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] <= 200
    # Ten carousels that are pulled in the same second are as welcome as one.
    pulls = stage["RouteSettings"]["GET /media/{prefix}/{name}"]
    assert set(stage["RouteSettings"]) == {"GET /media/{prefix}/{name}"}
    assert 10 * 35 <= pulls["ThrottlingRateLimit"] <= pulls["ThrottlingBurstLimit"] <= 5000
    assert reference(stage["AccessLogSettings"]["DestinationArn"]) == "HttpApiLogGroup.Arn"
    # A connect link and the address of a picture are secrets, and so is the query of OAuth.
    assert set(re.findall(r"\$context\.(\w+)", stage["AccessLogSettings"]["Format"])) == {
        "requestId",
        "routeKey",
        "status",
        "responseLatency",
    }
    assert json.loads(stage["AccessLogSettings"]["Format"])
    assert template["Resources"]["HttpApiLogGroup"]["Properties"]["LogGroupName"]


def test_a_domain_is_made_only_for_an_operator_who_has_one(template: Template) -> None:
    conditions = {
        name: resource["Condition"] for name, resource in template["Resources"].items() if "Condition" in resource
    }
    assert conditions == {"ApiDomain": "HasDomain", "ApiDomainMapping": "HasDomain", "ApiDomainRecord": "HasHostedZone"}
    assert template["Conditions"] == {
        "HasDomain": _is_given("DomainName"),
        "HasHostedZone": {"Fn::And": [{"Condition": "HasDomain"}, _is_given("HostedZoneId")]},
        "HasPublicUrl": _is_given("PublicUrl"),
    }
    assert template["Outputs"]["DomainTarget"]["Condition"] == "HasDomain"


def _is_given(parameter: str) -> dict[str, object]:
    return {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}


def test_a_domain_leads_to_the_api_over_tls_and_needs_a_certificate(template: Template) -> None:
    (domain,) = of_type(template, "AWS::ApiGatewayV2::DomainName").values()
    (configuration,) = domain["Properties"]["DomainNameConfigurations"]
    (mapping,) = of_type(template, "AWS::ApiGatewayV2::ApiMapping").values()
    (rule,) = template["Rules"].values()
    assert reference(domain["Properties"]["DomainName"]) == "DomainName"
    assert reference(configuration["CertificateArn"]) == "CertificateArn"
    assert (configuration["EndpointType"], configuration["SecurityPolicy"]) == ("REGIONAL", "TLS_1_2")
    assert {name: reference(value) for name, value in mapping["Properties"].items()} == {
        "ApiId": "HttpApi",
        "DomainName": "ApiDomain",
        "Stage": "HttpApiApiGatewayDefaultStage",
    }
    assert rule["RuleCondition"] == _is_given("DomainName")
    assert [assertion["Assert"] for assertion in rule["Assertions"]] == [_is_given("CertificateArn")]


def test_a_hosted_zone_gets_the_domains_address(template: Template) -> None:
    (record,) = of_type(template, "AWS::Route53::RecordSet").values()
    properties = record["Properties"]
    assert (reference(properties["HostedZoneId"]), reference(properties["Name"])) == ("HostedZoneId", "DomainName")
    assert properties["Type"] == "A"
    assert {name: reference(value) for name, value in properties["AliasTarget"].items()} == {
        "DNSName": "ApiDomain.RegionalDomainName",
        "HostedZoneId": "ApiDomain.RegionalHostedZoneId",
    }


def test_each_caller_of_a_function_is_named(template: Template) -> None:
    permissions = of_type(template, "AWS::Lambda::Permission").values()
    called = []
    for permission in permissions:
        properties = permission["Properties"]
        assert properties["Action"] == "lambda:InvokeFunction"
        source = reference(properties.get("SourceArn", ""))
        if properties["Principal"] == "apigateway.amazonaws.com":
            _, _, method, path = source.split("/", 3)
            assert source.startswith("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:HttpApi/*/")
            called.append((reference(properties["FunctionName"]), method, f"/{path}"))
        elif properties["Principal"] == "s3.amazonaws.com":
            # SAM cannot name the bucket, which refers to the function.
            assert reference(properties["SourceAccount"]) == "AWS::AccountId"
            called.append((reference(properties["FunctionName"]), "", ""))
        else:
            assert properties["Principal"] == "events.amazonaws.com"
            assert source == "OnExecutionEndedFunctionExecutionEnded.Arn"
            called.append((reference(properties["FunctionName"]), "", ""))
    assert len(called) == len(set(called)) == len(_routes(template)) + 2
    assert ("OnExecutionEndedFunction", "", "") in called
    assert ("OnFileDroppedFunction", "", "") in called
    for folder, (method, path) in _routes(template):
        assert (f"{camel(folder)}Function", method, re.sub(r"\{\w+\}", "*", path)) in called


def test_an_execution_that_died_is_noticed(template: Template) -> None:
    (event_rule,) = of_type(template, "AWS::Events::Rule").values()
    pattern = event_rule["Properties"]["EventPattern"]
    (target,) = event_rule["Properties"]["Targets"]
    assert pattern["source"] == ["aws.states"]
    assert pattern["detail-type"] == ["Step Functions Execution Status Change"]
    assert set(pattern["detail"]["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}
    assert [reference(arn) for arn in pattern["detail"]["stateMachineArn"]] == [_machine_arn(template)]
    assert reference(target["Arn"]) == "OnExecutionEndedFunction.Arn"
    assert target["Id"]


@pytest.mark.parametrize(
    ("name", "event", "most_minutes"),
    [
        ("Sweep", "EveryMinute", 5),
        ("CollectStats", "EveryFiveMinutes", 15),
        ("SweepDrops", "EveryFiveMinutes", 5),
        ("Deliver", "EveryMinute", 1),
    ],
)
def test_what_runs_by_the_clock_runs_often_enough(template: Template, name: str, event: str, most_minutes: int) -> None:
    schedule = template["Resources"][f"{name}Function{event}"]["Properties"]
    found = re.fullmatch(r"rate\((\d+) minutes?\)", schedule["ScheduleExpression"])
    assert found
    assert 1 <= int(found[1]) <= most_minutes
    assert schedule["FlexibleTimeWindow"]["Mode"] == "OFF"
    assert reference(schedule["Name"]) == "${AWS::StackName}-" + snake(name).replace("_", "-")
    assert reference(schedule["Target"]["Arn"]) == f"{name}Function.Arn"
    assert reference(schedule["Target"]["RoleArn"]) == f"{name}Function{event}Role.Arn"
    assert schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 0  # the next one is minutes away
    assert permissions_of(template["Resources"][f"{name}Function{event}Role"]) == [
        ("lambda:InvokeFunction", f"{name}Function.Arn")
    ]


def test_nothing_else_runs_by_the_clock(template: Template) -> None:
    assert len(of_type(template, "AWS::Scheduler::Schedule")) == 4


def test_a_schedule_of_a_post_may_start_posts_and_nothing_else(template: Template) -> None:
    (group,) = of_type(template, "AWS::Scheduler::ScheduleGroup").values()
    role = template["Resources"]["ScheduleRole"]
    trust = role["Properties"]["AssumeRolePolicyDocument"]
    (statement,) = trust["Statement"]
    (policy,) = role["Properties"]["Policies"]
    assert reference(group["Properties"]["Name"]) == "${AWS::StackName}-posts"
    assert trust["Version"] == policy["PolicyDocument"]["Version"] == "2012-10-17"
    # Nobody else's schedules act as this role.
    assert set(statement["Condition"]) == {"StringEquals"}
    assert reference(statement["Condition"]["StringEquals"]["aws:SourceAccount"]) == "AWS::AccountId"
    assert permissions_of(role) == [
        ("lambda:InvokeFunction", _schedule_target(template)),
        ("sqs:SendMessage", "DeadLetterQueue.Arn"),
    ]


def test_whoever_makes_schedules_may_hand_their_role_to_the_scheduler_only(template: Template) -> None:
    for role in of_type(template, "AWS::IAM::Role").values():
        for policy in role["Properties"].get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                if statement["Action"] == ["iam:PassRole"]:
                    assert statement["Condition"] == {
                        "StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}
                    }


def test_a_file_that_is_dropped_is_noticed(template: Template) -> None:
    bucket = template["Resources"]["DropBucket"]
    (called,) = bucket["Properties"]["NotificationConfiguration"]["LambdaConfigurations"]
    assert called["Event"] == "s3:ObjectCreated:*"
    assert reference(called["Function"]) == "OnFileDroppedFunction.Arn"
    assert called["Filter"] == {"S3Key": {"Rules": [{"Name": "prefix", "Value": "autopublish/"}]}}
    # S3 calls the function once when the bucket is made, to see whether it may.
    assert bucket["DependsOn"] == ["OnFileDroppedFunctionFileDroppedPermission"]


def test_an_event_that_fails_is_kept(template: Template) -> None:
    for folder in (
        *("on_execution_ended", "on_schedule_due", "on_file_dropped"),
        *("sweep", "sweep_drops", "collect_stats", "deliver"),
    ):
        assert reference(functions_of(template)[folder]["DeadLetterConfig"]["TargetArn"]) == "DeadLetterQueue.Arn"
    (event_rule,) = of_type(template, "AWS::Events::Rule").values()
    (target,) = event_rule["Properties"]["Targets"]
    assert reference(target["DeadLetterConfig"]["Arn"]) == "DeadLetterQueue.Arn"
    queue = template["Resources"]["DeadLetterQueue"]["Properties"]
    assert queue["MessageRetentionPeriod"] == 14 * 86400
    assert queue["SqsManagedSseEnabled"] is True


def test_eventbridge_may_write_to_the_dead_letter_queue(template: Template) -> None:
    (policy,) = [resource["Properties"] for resource in of_type(template, "AWS::SQS::QueuePolicy").values()]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert [reference(queue) for queue in policy["Queues"]] == ["DeadLetterQueue"]
    assert policy["PolicyDocument"]["Version"] == "2012-10-17"
    assert statement["Effect"] == "Allow"
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert reference(statement["Resource"]) == "DeadLetterQueue.Arn"
    source = reference(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
    assert source == "OnExecutionEndedFunctionExecutionEnded.Arn"


def test_each_table_can_be_restored_and_stays(template: Template) -> None:
    tables = of_type(template, "AWS::DynamoDB::Table")
    assert set(tables) == {
        *("PostsTable", "AccountsTable", "KeysTable", "PhotoHostTable", "MetricsTable", "EndpointsTable")
    }
    for table in tables.values():
        properties = table["Properties"]
        assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
        assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert properties["SSESpecification"]["SSEEnabled"] is True
        assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
        assert properties["BillingMode"] == "PAY_PER_REQUEST"


def test_each_table_has_its_key_and_the_indexes_that_are_queried(template: Template) -> None:
    calls = {call for folder in function_folders() for call in calls_of(folder)}
    queried = {(camel(call.setting), call.index) for call in calls if call.index}
    indexes = set()
    for name, table in of_type(template, "AWS::DynamoDB::Table").items():
        properties = table["Properties"]
        types = {part["AttributeName"]: part["AttributeType"] for part in properties["AttributeDefinitions"]}
        schemas = [properties["KeySchema"]]
        # Only figures are read many at once: the days of an account.
        ordered = [{"AttributeName": "sk", "KeyType": "RANGE"}] if name == "MetricsTable" else []
        assert properties["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}, *ordered]
        for index in properties.get("GlobalSecondaryIndexes", []):
            indexes.add((name, index["IndexName"]))
            schemas.append(index["KeySchema"])
            finds_ids = index["IndexName"] in ("by_watch", "by_publish", "by_video")
            keys = ["HASH"] if index["IndexName"] in ("by_publish", "by_video") else ["HASH", "RANGE"]
            assert [part["KeyType"] for part in index["KeySchema"]] == keys
            assert index["Projection"]["ProjectionType"] == ("KEYS_ONLY" if finds_ids else "ALL")
        assert {part["AttributeName"] for schema in schemas for part in schema} == set(types)
        assert all(kind == ("N" if attribute.endswith("_at") else "S") for attribute, kind in types.items())
    assert indexes == queried


def _is_private_encrypted_and_stays(bucket: Resource) -> None:
    properties = bucket["Properties"]
    (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    assert properties["PublicAccessBlockConfiguration"] == dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in ("AES256", "aws:kms")
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_the_media_bucket_is_private_encrypted_and_forgets(template: Template) -> None:
    bucket = template["Resources"]["MediaBucket"]
    staging, uploads = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    _is_private_encrypted_and_stays(bucket)
    for rule, prefix, days, open_days in (
        (staging, "staging/", MEDIA_DAYS, MEDIA_DAYS),
        (uploads, "uploads/", UPLOAD_DAYS, UPLOAD_OPEN_DAYS),
    ):
        assert rule["Id"]
        assert (rule["Status"], rule["Prefix"]) == ("Enabled", prefix)
        assert rule["ExpirationInDays"] == days
        assert rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == open_days


def test_a_browser_may_bring_parts_and_read_nothing(template: Template) -> None:
    (rule,) = template["Resources"]["MediaBucket"]["Properties"]["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedMethods"] == ["PUT"]
    assert rule["AllowedOrigins"] == ["*"]
    assert set(rule["AllowedHeaders"]) == {"content-type", "x-amz-checksum-sha256"}


def test_the_drop_bucket_is_private_and_encrypted_and_keeps_what_posts_were_made_of(template: Template) -> None:
    bucket = template["Resources"]["DropBucket"]
    properties = bucket["Properties"]
    (lifecycle,) = properties["LifecycleConfiguration"]["Rules"]
    _is_private_encrypted_and_stays(bucket)
    assert f"arn:${{AWS::Partition}}:s3:::{reference(properties['BucketName'])}" == DROP_BUCKET
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    # Its owner's files stay: only what was dropped again, deleted, or never came whole is removed.
    assert set(lifecycle) == {"Id", "Status", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"}
    assert lifecycle["Status"] == "Enabled"
    assert lifecycle["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert lifecycle["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


def test_both_buckets_speak_tls_only(template: Template) -> None:
    for name in of_type(template, "AWS::S3::Bucket"):
        policy = template["Resources"][f"{name}Policy"]["Properties"]
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert reference(policy["Bucket"]) == name
        assert policy["PolicyDocument"]["Version"] == "2012-10-17"
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
        resources = [reference(resource) for resource in statement["Resource"]]
        assert resources == [f"{name}.Arn", f"${{{name}.Arn}}/*"]
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_token_key_rotates_and_stays_in_the_account(template: Template) -> None:
    key = template["Resources"]["TokenKey"]
    policy = key["Properties"]["KeyPolicy"]
    (statement,) = policy["Statement"]
    assert key["DeletionPolicy"] == key["UpdateReplacePolicy"] == "Retain"
    assert key["Properties"]["EnableKeyRotation"] is True
    assert policy["Version"] == "2012-10-17"
    assert (statement["Effect"], statement["Action"], statement["Resource"]) == ("Allow", "kms:*", "*")
    assert reference(statement["Principal"]["AWS"]) == "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"


def test_the_secret_is_stored_by_the_operator(template: Template) -> None:
    for secret in of_type(template, "AWS::SecretsManager::Secret").values():
        assert set(secret["Properties"]) == {"Description"}


def test_the_template_holds_no_secret() -> None:
    assert [text for text in texts(read_template()) if SECRET.search(text)] == []


def test_everything_that_is_named_exists(template: Template) -> None:
    known = {*template["Resources"], *template["Parameters"]}
    used = named([template["Resources"], template["Outputs"]])
    assert {name for name in used if not name.startswith("AWS::")} <= known
    assert set(conditions_in([template["Resources"], template["Outputs"]])) == {
        "HasDomain",
        "HasHostedZone",
        "HasPublicUrl",
    }
    assert set(template["Outputs"]) == {
        "ApiUrl",
        "DomainTarget",
        "DropBucketName",
        "KeysTableName",
        "TikTokSecretName",
    }
