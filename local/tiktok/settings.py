"""Every knob of the sandbox. Where documents and the wire disagree, the default is what was observed."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from local.tiktok.rules import PULL_SECONDS, FailReason

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Settings(BaseModel):
    """One field a knob; README.md lists them with their meaning."""

    model_config = ConfigDict(extra="forbid")

    # OAuth
    token_profile: Literal["24h", "2h"] = "24h"
    pkce: Literal["optional", "required"] = "optional"
    code_seconds: Seconds = 600
    oauth_error_status: Literal[200, 400] = 200
    refresh_rotation: Literal["always", "never"] = "always"
    refresh_grace_seconds: Seconds = 0
    refresh_lifetime: Literal["restarts", "counts_down"] = "restarts"
    refresh_omits_expires_in: bool = False

    # Answers
    error_data: Literal["absent", "empty"] = "absent"
    empty_keys: Literal["omit", "emit"] = "omit"
    invalid_params_code: Literal["invalid_params", "invalid_param"] = "invalid_params"
    log_id_key: Literal["log_id", "logid"] = "log_id"
    missing_field_scope: Literal["scope_not_authorized", "scope_permission_missed", "empty"] = "scope_not_authorized"

    # Posting
    enforce_rate_limits: bool = True
    missing_privacy_level: Literal["invalid_params", "privacy_level_option_mismatch"] = "invalid_params"
    privacy_mismatch_status: Literal[403, 400] = 403
    brand_toggles: Literal["optional", "required"] = "optional"
    unaudited_rule: Literal["private_account", "self_only"] = "private_account"
    unaudited_creator_info: Literal["full", "self_only"] = "full"
    pending_share_cap: Literal["24h", "until_handled"] = "24h"

    # Transfer
    chunk_rules: Literal["2026-08", "legacy"] = "2026-08"
    mb: Literal["binary", "decimal"] = "binary"
    upload_path: Literal["/upload", "/upload/", "/video/"] = "/upload"
    upload_content_range: Literal["count", "last_index"] = "count"
    body_idle_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 30
    abandoned_upload: Literal["processing", "failed"] = "processing"
    pull_local_urls: bool = False
    pull_delay_seconds: Annotated[float, Field(ge=0, le=PULL_SECONDS)] = 0
    image_1080p: Literal["width_and_height", "shorter_side"] = "width_and_height"

    # Processing
    processing_seconds: Seconds = 2
    processing_seconds_per_gb: Seconds = 60
    moderation_seconds: Seconds = 2
    stick_publishes: bool = False
    forced_fail_reason: FailReason | None = None

    # Webhooks
    webhooks: Literal["on", "held", "off"] = "on"
    webhook_delay_seconds: Seconds = 0
    webhook_copies: Annotated[int, Field(ge=1, le=10)] = 1
    webhook_signature: Literal["good", "wrong", "missing"] = "good"
    webhook_timestamp: Literal["first", "renewed", "real"] = "first"

    # Faults
    hold_seconds: Seconds = 60
