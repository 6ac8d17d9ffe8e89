"""The operator's side under /_sandbox/: settings, clock, users, apps, grants, faults, actions, the log."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from local.tiktok import events, lifecycle, oauth, ownership, rules
from local.tiktok.clock import EARLIEST, LATEST
from local.tiktok.faults import Fault
from local.tiktok.rules import FailReason, RemovalReason
from local.tiktok.state import App, Entity, Event, Figures, Post, PrivacyLevel, Publish, User, Video, World
from local.tiktok.store import Store
from local.tiktok.videos import all_videos
from local.tiktok.web import Request, Response, json_response

PREFIX = "/_sandbox/"
DEFAULT_APP = "sandbox-client-key"


class AdminError(Exception):
    """A wrong admin call; the sentence says what to change."""

    def __init__(self, message: str, status: int = 400) -> None:
        self.status = status
        super().__init__(message)


class ClockChange(Entity):
    """Stop or start the clock, set it (Unix seconds), advance it (seconds), in this order."""

    frozen: bool | None = None
    set: float | None = None
    advance: float = 0


class GrantRequest(Entity):
    """A consent without the consent page; all scopes of the app unless some are named."""

    username: str
    client_key: str = DEFAULT_APP
    scopes: list[str] | None = None


class FinishDraft(Entity):
    """The creator posts a draft from the inbox; doing it again makes a second post.

    The editor shows title and description of the request, which only photos have; what is given here replaces them.
    """

    action: Literal["finish_draft"]
    publish_id: str
    privacy_level: PrivacyLevel = "PUBLIC_TO_EVERYONE"
    title: str | None = None
    description: str | None = None


class Revoke(Entity):
    """The creator's consent ends: by default he removes the app in TikTok's settings."""

    action: Literal["revoke"]
    username: str
    client_key: str = DEFAULT_APP
    reason: RemovalReason = rules.DISCONNECTED_BY_USER


class Property(Entity):
    """A URL prefix whose ownership an app claims."""

    url_prefix: str


class Stick(Entity):
    """A publish stays in processing, or goes on."""

    action: Literal["stick", "unstick"]
    publish_id: str


class Fail(Entity):
    """A publish in processing fails now."""

    action: Literal["fail"]
    publish_id: str
    fail_reason: FailReason


class Withdraw(Entity):
    """A public post or video can be seen by its creator only, or by everybody again."""

    action: Literal["withdraw", "show_again"]
    post_id: int


class AddVideos(Entity):
    """Public videos that the creator has made in TikTok's app, spread evenly over the last `days`.

    Durations in seconds, sides in pixels; each title ends with the video's number, the oldest one's is 1.
    """

    username: str
    count: Annotated[int, Field(ge=1, le=1_000)] = 1
    days: Annotated[float, Field(gt=0, le=3_650)] = 30
    title: str = "Made in the app"
    duration: Annotated[int, Field(ge=1, le=rules.DURATION_MAX_SECONDS)] = 30
    width: Annotated[int, Field(ge=rules.SIDE_MIN, le=rules.SIDE_MAX)] = 1_080
    height: Annotated[int, Field(ge=rules.SIDE_MIN, le=rules.SIDE_MAX)] = 1_920


class Release(Entity):
    """Held events are sent, in the order given; all of them, in theirs, unless some are named."""

    action: Literal["release"]
    events: list[int] | None = None


class Replay(Entity):
    """Somebody sends the bytes and the signature of an event's last attempt again, once."""

    action: Literal["replay"]
    event: int


class Forge(Entity):
    """Somebody sends `body` once: text as it is, an object as JSON.

    It is signed with `secret`, else with the app's own, and with the time `t` (Unix seconds), else the sandbox's.
    """

    action: Literal["forge"]
    body: str | dict[str, Any]
    client_key: str = DEFAULT_APP
    secret: str | None = None
    t: Annotated[int, Field(ge=0)] | None = None


_OnPublish = FinishDraft | Stick | Fail
_OnEvents = Release | Replay | Forge
_ACTION: TypeAdapter[_OnPublish | _OnEvents | Revoke | Withdraw] = TypeAdapter(
    Annotated[_OnPublish | _OnEvents | Revoke | Withdraw, Field(discriminator="action")]
)
_FAULTS: TypeAdapter[list[Fault]] = TypeAdapter(list[Fault])


def answer(store: Store, request: Request) -> Response:
    """Serve one admin call."""
    resource, _, rest = request.path.removeprefix(PREFIX).partition("/")
    name, _, part = rest.partition("/")
    serve = _CALLS.get((request.method, "/".join(filter(None, (resource, name and "*", part)))))
    if serve is None:
        return json_response(404, {"error": f"there is no {request.method} {request.path}; README.md lists the calls"})
    try:
        content = request.body.read()
        return json_response(200, serve(store, json.loads(content) if content else {}, unquote(name)))
    except AdminError as error:
        return json_response(error.status, {"error": str(error)})
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()]
        return json_response(400, {"error": "; ".join(problems)})
    except ValueError as error:
        return json_response(400, {"error": f"the body is not JSON: {error}"})


def _patched[T: BaseModel](current: T, change: Any) -> T:
    if not isinstance(change, dict):
        raise AdminError("the body must be a JSON object")
    return type(current).model_validate(current.model_dump() | change)


def _get_settings(store: Store, _body: Any, _name: str) -> Any:
    with store.change() as world:
        return world.settings.model_dump()


def _patch_settings(store: Store, body: Any, _name: str) -> Any:
    with store.change() as world:
        world.settings = _patched(world.settings, body)
        return world.settings.model_dump()


def _get_clock(store: Store, _body: Any, _name: str) -> Any:
    with store.change() as world:
        return {"now": world.clock.now(), "frozen": world.clock.frozen_at is not None}


def _post_clock(store: Store, body: Any, _name: str) -> Any:
    change = ClockChange.model_validate(body)
    with store.change() as world:
        clock = world.clock
        moment = (clock.now() if change.set is None else change.set) + change.advance
        if not EARLIEST <= moment <= LATEST:
            raise AdminError(f"the clock goes from {EARLIEST} to {LATEST}")
        if change.frozen is not None:
            clock.freeze(change.frozen)
        clock.move_to(moment)
        return {"now": clock.now(), "frozen": clock.frozen_at is not None}


def _get_users(store: Store, _body: Any, _name: str) -> Any:
    with store.change() as world:
        return {"users": [user.model_dump() for user in world.users.values()]}


def _post_user(store: Store, body: Any, _name: str) -> Any:
    user = User.model_validate(body)
    with store.change() as world:
        if user.username in world.users:
            raise AdminError(f"there is a user {user.username} already; PATCH changes it", 409)
        world.users[user.username] = user
        return user.model_dump()


def _patch_user(store: Store, body: Any, name: str) -> Any:
    with store.change() as world:
        user = _patched(_user(world, name), body)
        if user.username != name:
            raise AdminError("a username cannot be changed")
        world.users[name] = user
        return user.model_dump()


def _get_apps(store: Store, _body: Any, _name: str) -> Any:
    with store.change() as world:
        return {"apps": [app.model_dump() for app in world.apps.values()]}


def _post_app(store: Store, body: Any, _name: str) -> Any:
    app = App.model_validate(body)
    with store.change() as world:
        if app.client_key in world.apps:
            raise AdminError(f"there is an app {app.client_key} already; PATCH changes it", 409)
        world.apps[app.client_key] = app
        return app.model_dump()


def _patch_app(store: Store, body: Any, name: str) -> Any:
    with store.change() as world:
        app = _patched(_app(world, name), body)
        if app.client_key != name:
            raise AdminError("a client key cannot be changed")
        world.apps[name] = app
        return app.model_dump()


def _post_property(store: Store, body: Any, name: str) -> Any:
    with store.change() as world:
        _, file, content = _claim(world, body, name)
        return {"file": file, "content": content}


def _verify_property(store: Store, body: Any, name: str) -> Any:
    with store.change() as world:
        prefix, file, content = _claim(world, body, name)
    # Fetched without the lock: the host may ask the sandbox something meanwhile.
    fault = ownership.find_fault(prefix + file, content)
    if fault:
        raise AdminError(fault, 409)
    with store.change() as world:
        app = _app(world, name)
        if prefix not in app.verified_properties:
            app.verified_properties.append(prefix)
        return app.model_dump()


def _claim(world: World, body: Any, client_key: str) -> tuple[str, str, str]:
    """Give URL prefix, file name and content of a property that can be verified."""
    prefix = Property.model_validate(body).url_prefix
    fault = ownership.fault_of_prefix(prefix, world.settings)
    if fault:
        raise AdminError(fault)
    return prefix, *ownership.verification_file(_app(world, client_key).client_key, prefix)


def _post_grant(store: Store, body: Any, _name: str) -> Any:
    wanted = GrantRequest.model_validate(body)
    with store.change() as world:
        app = _app(world, wanted.client_key)
        scopes = app.scopes if wanted.scopes is None else wanted.scopes
        unknown = set(scopes) - set(app.scopes)
        if unknown:
            raise AdminError(f"the app does not have the scopes {', '.join(sorted(unknown))}")
        return oauth.new_grant(world, app, _user(world, wanted.username), scopes)


def _get_videos(store: Store, _body: Any, _name: str) -> Any:
    with store.change() as world:
        videos = [video for username in world.users for video in all_videos(world, username)]
        return {"videos": [asdict(video.film) | video.figures for video in videos]}


def _post_videos(store: Store, body: Any, _name: str) -> Any:
    wanted = AddVideos.model_validate(body)
    with store.change() as world:
        user, now = _user(world, wanted.username), world.clock.now()
        step = wanted.days * rules.DAY_SECONDS / wanted.count
        if now - wanted.count * step < EARLIEST:
            raise AdminError(f"there is nothing before {EARLIEST}; take fewer days")
        added = []
        for number in range(1, wanted.count + 1):
            created_at = int(now - step * (wanted.count + 1 - number))
            video = Video(
                video_id=world.past_id(created_at),
                username=user.username,
                title=f"{wanted.title} {number}",
                created_at=created_at,
                **wanted.model_dump(include={"duration", "width", "height"}),
            )
            world.videos[str(video.video_id)] = video
            added.append(video.model_dump())
        return {"videos": added}


def _patch_video(store: Store, body: Any, name: str) -> Any:
    with store.change() as world:
        known = {str(video.film.video_id) for username in world.users for video in all_videos(world, username)}
        if name not in known:
            raise AdminError(f"there is no video {name}", 404)
        world.figures[name] = _patched(world.figures.get(name, Figures()), body)
        return world.figures[name].model_dump()


def _get_faults(store: Store, _body: Any, _name: str) -> Any:
    with store.change() as world:
        return {"faults": [fault.model_dump() for fault in world.faults]}


def _post_faults(store: Store, body: Any, _name: str) -> Any:
    faults = _FAULTS.validate_python(body if isinstance(body, list) else [body])
    with store.change() as world:
        world.faults += faults
        return {"faults": [fault.model_dump() for fault in world.faults]}


def _delete_faults(store: Store, _body: Any, _name: str) -> Any:
    with store.change() as world:
        world.faults.clear()
        return {"faults": []}


def _post_action(store: Store, body: Any, _name: str) -> Any:
    action = _ACTION.validate_python(body)
    with store.change() as world:
        match action:
            case Revoke():
                app = _app(world, action.client_key)
                if not lifecycle.end_grants(world, app.client_key, action.username, action.reason):
                    raise AdminError(f"{action.username} has not authorized {action.client_key}", 409)
                return {}
            case Withdraw():
                return _withdraw(world, action)
            case Release() | Replay() | Forge():
                return {"events": [_logged_event(event) for event in _act_on_events(world, action)]}
            case _:
                return _act_on_publish(world, action)


def _act_on_publish(world: World, action: _OnPublish) -> Any:
    publish = _publish(world, action.publish_id)
    now = world.clock.now()
    if isinstance(action, Stick):
        publish.stuck = action.action == "stick"
    elif isinstance(action, Fail):
        if not publish.is_processing:
            raise AdminError(f"{publish.publish_id} is {publish.status}, not in processing", 409)
        lifecycle.fail(world, publish, action.fail_reason, now)
    else:
        if publish.kind != "draft" or publish.status not in ("SEND_TO_USER_INBOX", "PUBLISH_COMPLETE"):
            raise AdminError(f"{publish.publish_id} is no draft in an inbox", 409)
        changes = action.model_dump(include={"privacy_level", "title", "description"}, exclude_none=True)
        prefilled = {name: publish.post_info.get(name) for name in ("title", "description")}
        lifecycle.add_post(world, publish, prefilled | changes, now)
    return _logged(publish)


def _withdraw(world: World, action: Withdraw) -> Any:
    video = world.videos.get(str(action.post_id))
    if video is not None:
        return _withdraw_video(world, video, action)
    post = _post(world, action.post_id)
    if action.action == "withdraw":
        if not post.is_available(world.clock.now()):
            raise AdminError(f"{post.post_id} is not public", 409)
        lifecycle.withdraw(world, post)
    else:
        if post.withdrawn_at is None:
            raise AdminError(f"{post.post_id} was not withdrawn", 409)
        lifecycle.show_again(world, post)
    return post.model_dump()


def _withdraw_video(world: World, video: Video, action: Withdraw) -> Any:
    # No app has posted it, so none is told.
    hide = action.action == "withdraw"
    if hide == (video.withdrawn_at is not None):
        raise AdminError(f"{video.video_id} is {'not public' if hide else 'public'}", 409)
    video.withdrawn_at = world.clock.now() if hide else None
    return video.model_dump()


def _act_on_events(world: World, action: _OnEvents) -> list[Event]:
    match action:
        case Release():
            held = [event.number for event in world.events if event.state == "held"]
            chosen = [
                _event(world, number) for number in dict.fromkeys(held if action.events is None else action.events)
            ]
        case Replay(event=number):
            return [_replay(world, _event(world, number))]
        case Forge():
            return [_forge(world, action)]
    for event in chosen:
        if event.state != "held":
            raise AdminError(f"event {event.number} is {event.state}, not held", 409)
    for event in chosen:
        events.release(world, event)
    return chosen


def _replay(world: World, event: Event) -> Event:
    if not event.attempts:
        raise AdminError(f"event {event.number} was never sent: it is {event.state}", 409)
    sent = event.attempts[-1].signature
    return _add_once(world, event.client_key, event.body, origin="replay", signature=sent)


def _forge(world: World, action: Forge) -> Event:
    app = _app(world, action.client_key)
    if app.webhook_url is None:
        raise AdminError(f"{app.client_key} has no webhook_url", 409)
    body = action.body if isinstance(action.body, str) else events.to_json(action.body)
    moment = world.clock.now() if action.t is None else action.t
    signature = events.signature(app.client_secret if action.secret is None else action.secret, moment, body)
    return _add_once(world, app.client_key, body, origin="forged", signature=signature)


def _add_once(world: World, client_key: str, body: str, **how: Any) -> Event:
    return events.add(world, client_key, body, state="waiting", due_at=world.clock.now(), **how)


def _post_reset(store: Store, _body: Any, _name: str) -> Any:
    store.reset()
    return {}


def _get_log(store: Store, _body: Any, _name: str) -> Any:
    with store.change() as world:
        return {
            "now": world.clock.now(),
            "calls": store.calls(),
            "publishes": [_logged(publish) for publish in world.publishes.values()],
            "posts": [post.model_dump() for post in world.posts],
            "events": [_logged_event(event) for event in sorted(world.events, key=lambda event: event.number)],
        }


def _logged(publish: Publish) -> dict[str, Any]:
    logged = publish.model_dump(exclude={"upload_token", "grant_id"})
    # A media URL may be signed.
    logged["video_url"] = publish.video_url and publish.video_url.partition("?")[0]
    logged["photo_images"] = [url.partition("?")[0] for url in publish.photo_images]
    return logged


def _logged_event(event: Event) -> dict[str, Any]:
    # A signature is a credential: whoever has it can send the event again.
    return event.model_dump(exclude={"signature": True, "attempts": {"__all__": {"signature", "real_at"}}})


def _user(world: World, username: str) -> User:
    if username not in world.users:
        raise AdminError(f"there is no user {username}", 404)
    return world.users[username]


def _app(world: World, client_key: str) -> App:
    if client_key not in world.apps:
        raise AdminError(f"there is no app {client_key}", 404)
    return world.apps[client_key]


def _publish(world: World, publish_id: str) -> Publish:
    if publish_id not in world.publishes:
        raise AdminError(f"there is no publish {publish_id}", 404)
    return world.publishes[publish_id]


def _post(world: World, post_id: int) -> Post:
    for post in world.posts:
        if post.post_id == post_id:
            return post
    raise AdminError(f"there is no post {post_id}", 404)


def _event(world: World, number: int) -> Event:
    for event in world.events:
        if event.number == number:
            return event
    raise AdminError(f"there is no event {number}", 404)


_CALLS: dict[tuple[str, str], Callable[[Store, Any, str], Any]] = {
    ("GET", "settings"): _get_settings,
    ("PATCH", "settings"): _patch_settings,
    ("GET", "clock"): _get_clock,
    ("POST", "clock"): _post_clock,
    ("GET", "users"): _get_users,
    ("POST", "users"): _post_user,
    ("PATCH", "users/*"): _patch_user,
    ("GET", "apps"): _get_apps,
    ("POST", "apps"): _post_app,
    ("PATCH", "apps/*"): _patch_app,
    ("POST", "apps/*/properties"): _post_property,
    ("POST", "apps/*/properties/verify"): _verify_property,
    ("POST", "grants"): _post_grant,
    ("GET", "videos"): _get_videos,
    ("POST", "videos"): _post_videos,
    ("PATCH", "videos/*"): _patch_video,
    ("GET", "faults"): _get_faults,
    ("POST", "faults"): _post_faults,
    ("DELETE", "faults"): _delete_faults,
    ("POST", "actions"): _post_action,
    ("POST", "reset"): _post_reset,
    ("GET", "log"): _get_log,
}
"""(method, path with * for a name) to what serves it."""
