"""Files dropped in S3: one post a name, whatever the events do, and a result beside each."""

import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any

import pytest

from on_file_dropped.app import on_file_dropped
from publisher.api import read_create_post
from publisher.domain.drops import place_of
from publisher.domain.errors import InvalidPost, ServiceUnavailable
from publisher.domain.limits import DROP_GRACE_SECONDS, DROP_PATIENCE_SECONDS, DROP_SWEEP_SECONDS, SIDECAR_BYTES
from publisher.domain.posts import Post, Status
from publisher.ports import PostQuery
from publisher.use_cases.check_post import check_post
from publisher.use_cases.set_defaults import set_defaults
from publisher.use_cases.start_due import start_due
from publisher.use_cases.sweep import sweep
from publisher.use_cases.sweep_drops import sweep_drops
from publisher.use_cases.take_drop import take_drop
from tests.fakes import FakePorts, Killed
from tests.unit.work import FILM, Work, picture

PUBLIC = {"privacyLevel": "PUBLIC_TO_EVERYONE"}


class Dropper(Work):
    """A person who has S3 and nothing else."""

    def __init__(self, ports: FakePorts) -> None:
        super().__init__(ports)
        self.account = ports.connect(account_id="6a1f7f0e-3d0e-4c58-9c55-0d5a2f6f0001")
        self.folder = f"autopublish/{self.account.account_id}"
        self.key = f"{self.folder}/rabbit.mp4"

    def put(self, key: str, data: bytes | object) -> str:
        self.ports.drops.drop(key, data if isinstance(data, bytes) else json.dumps(data).encode())
        return key

    def event(self, key: str) -> str | None:
        """S3 tells of an object."""
        return take_drop(self.ports, key, seconds_left=25)

    def drop(self, key: str, data: bytes | object) -> str | None:
        return self.event(self.put(key, data))

    def result(self, key: str = "") -> dict[str, Any]:
        return dict(json.loads(self.ports.drops.written[f"{key or self.key}.result.json"]))

    @property
    def posts(self) -> list[Post]:
        query = PostQuery(workspace_id=self.account.workspace_id, limit=100)
        return list(self.ports.posts.find(query).posts)

    @property
    def living(self) -> list[Post]:
        return [post for post in self.posts if post.status is not Status.CANCELLED]

    def go(self) -> Post:
        """Let the one post's time come, and the machine run."""
        (post,) = self.living
        self.ports.clock.time = max(self.ports.clock.time, post.scheduled_at or 0)
        start_due(self.ports, post.post_id)
        self.post_id = post.post_id
        self.publish()
        return self.post

    def publish(self) -> None:
        """Do what the machine does."""
        for step in ("DownloadMedia", "ConvertPhotos", "InitializePost"):
            if step != "ConvertPhotos" or self.post.pictures:
                self.run(step)
        if self.post.pictures:
            self.ports.tiktok.pull(0, self.ports.photo_host)
        else:
            self.run("UploadChunks")
        self.wait_for_tiktok()

    def wait_for_tiktok(self) -> None:
        while self.run("CheckStatus").next == "WaitForTikTok":
            self.ports.clock.sleep(5)
        self.run("RecordPublished")


@pytest.fixture
def dropper(ports: FakePorts) -> Dropper:
    return Dropper(ports)


@pytest.mark.parametrize(
    ("key", "looked_at"),
    [
        ("autopublish/a/film.mp4", "autopublish/a/film.mp4"),
        ("autopublish/a/film.mp4.json", "autopublish/a/film.mp4"),
        ("autopublish/a/film", "autopublish/a/film"),
        ("autopublish/a/mornings/1.jpg", "autopublish/a/mornings/post.json"),
        ("autopublish/a/mornings/post.json", "autopublish/a/mornings/post.json"),
        ("autopublish/a/film.mp4.result.json", None),
        ("autopublish/a/mornings/post.json.result.json", None),
        ("autopublish/a/mornings/more/1.jpg", None),
        ("autopublish/a/mornings/", None),
        ("autopublish/a/.json", None),
        ("autopublish/a/", None),
        ("autopublish/a", None),
        ("autopublish//film.mp4", None),
        ("elsewhere/a/film.mp4", None),
        ("", None),
    ],
)
def test_a_key_says_what_to_look_at(key: str, looked_at: str | None) -> None:
    place = place_of(key)
    assert (place and place.key) == looked_at


def test_a_file_with_a_sidecar_goes_out_at_once_as_the_sidecar_says(dropper: Dropper) -> None:
    dropper.put(f"{dropper.key}.json", {**PUBLIC, "text": "Dropped", "allowComment": True})
    dropper.drop(dropper.key, FILM)
    (post,) = dropper.posts
    assert (post.status, post.text, post.workspace_id) == (Status.QUEUED, "Dropped", dropper.account.workspace_id)
    assert (post.options.privacy_level, post.options.allow_comment) == ("PUBLIC_TO_EVERYONE", True)
    assert (post.queues, post.patient) == (True, True)
    assert [started.post_id for started in dropper.ports.executions.started.values()] == [post.post_id]
    assert dropper.go().status is Status.PUBLISH_COMPLETE
    assert [there.text for there in dropper.ports.tiktok.public_posts] == ["Dropped"]


def test_a_file_alone_waits_for_its_sidecar_and_then_goes_out_with_the_defaults(dropper: Dropper) -> None:
    set_defaults(dropper.ports, dropper.account.workspace_id, dropper.account.account_id, PUBLIC)
    dropper.drop(dropper.key, FILM)
    (post,) = dropper.posts
    assert (post.status, post.scheduled_at) == (Status.SCHEDULED, dropper.ports.clock.now() + DROP_GRACE_SECONDS)
    assert dropper.ports.executions.started == {}
    assert dropper.go().status is Status.PUBLISH_COMPLETE


def test_a_sidecar_that_comes_after_its_file_counts_until_the_post_starts(dropper: Dropper) -> None:
    set_defaults(dropper.ports, dropper.account.workspace_id, dropper.account.account_id, PUBLIC)
    dropper.drop(dropper.key, FILM)
    dropper.drop(f"{dropper.key}.json", {**PUBLIC, "text": "Said later"})
    assert [post.text for post in dropper.living] == ["Said later"]
    assert dropper.go().status is Status.PUBLISH_COMPLETE
    dropper.drop(f"{dropper.key}.json", {**PUBLIC, "text": "Said too late"})
    assert [there.text for there in dropper.ports.tiktok.public_posts] == ["Said later"]
    assert "use another name" in dropper.result()["note"]
    assert dropper.result()["status"] == "PUBLISH_COMPLETE"


def test_a_sidecar_before_its_file_waits_in_silence(dropper: Dropper) -> None:
    dropper.drop(f"{dropper.key}.json", PUBLIC)
    assert (dropper.posts, dropper.ports.drops.written) == ([], {})


def test_without_any_privacy_there_is_no_post_until_somebody_chooses(dropper: Dropper) -> None:
    dropper.drop(dropper.key, FILM)
    assert dropper.posts == []
    assert (dropper.result()["success"], dropper.result()["code"]) == (False, "MissingParameter")
    assert "row" not in dropper.result()
    dropper.drop(f"{dropper.key}.json", PUBLIC)
    assert dropper.go().status is Status.PUBLISH_COMPLETE


def test_a_picture_has_no_privacy_by_default_either(dropper: Dropper) -> None:
    dropper.drop(f"{dropper.folder}/1.jpg", picture(1))
    assert dropper.posts == []
    assert dropper.result(f"{dropper.folder}/1.jpg")["code"] == "MissingParameter"


@pytest.mark.parametrize("events", list(permutations(("film", "sidecar", "film", "sidecar"), 4)))
def test_events_in_any_order_and_twice_make_one_post(ports: FakePorts, events: tuple[str, ...]) -> None:
    dropper = Dropper(ports)
    keys = {"film": dropper.put(dropper.key, FILM), "sidecar": dropper.put(f"{dropper.key}.json", PUBLIC)}
    for event in events:
        dropper.event(keys[event])
    assert len(dropper.posts) == 1
    assert len(ports.executions.started) == 1


def test_events_that_race_make_one_post(dropper: Dropper) -> None:
    dropper.put(f"{dropper.key}.json", PUBLIC)
    dropper.put(dropper.key, FILM)
    with ThreadPoolExecutor(8) as threads:
        posts = list(threads.map(dropper.event, [dropper.key] * 8))
    assert {post.post_id for post in dropper.posts} == set(posts)
    assert len(set(posts)) == 1


def test_a_file_put_again_before_its_post_starts_replaces_it(dropper: Dropper) -> None:
    set_defaults(dropper.ports, dropper.account.workspace_id, dropper.account.account_id, PUBLIC)
    first = dropper.drop(dropper.key, FILM)
    second = dropper.drop(dropper.key, FILM + b"better")
    assert first != second
    dropper.event(dropper.key)  # of the first version, late
    (living,) = dropper.living
    assert living.post_id == second
    dropper.go()
    (there,) = dropper.ports.tiktok.uploads.values()
    assert there.checksum == zlib.crc32(FILM + b"better")
    sweep(dropper.ports, seconds_left=lambda: 100)
    assert dropper.result()["postSubmissionId"] == second
    start_due(dropper.ports, first or "")
    assert len(dropper.ports.tiktok.public_posts) == 1


@pytest.mark.parametrize("how_far", ["begun", "published"])
def test_a_file_put_again_after_its_post_has_started_makes_no_second_one(dropper: Dropper, how_far: str) -> None:
    dropper.put(f"{dropper.key}.json", PUBLIC)
    first = dropper.drop(dropper.key, FILM)
    dropper.post_id = first or ""
    dropper.run("DownloadMedia")
    if how_far == "published":
        dropper.run("InitializePost")
        dropper.run("UploadChunks")
        dropper.wait_for_tiktok()
    dropper.drop(dropper.key, FILM + b"better")
    assert [post.post_id for post in dropper.posts] == [first]
    assert "note" in dropper.result()


def test_a_note_is_still_there_when_the_post_ends(dropper: Dropper) -> None:
    dropper.put(f"{dropper.key}.json", PUBLIC)
    dropper.post_id = dropper.drop(dropper.key, FILM) or ""
    dropper.run("DownloadMedia")
    dropper.drop(dropper.key, FILM + b"better")
    dropper.publish()
    sweep(dropper.ports, seconds_left=lambda: 100)
    told = dropper.result()
    assert (told["status"], "use another name" in told["note"]) == ("PUBLISH_COMPLETE", True)


@pytest.mark.parametrize("said", [b"{", {**PUBLIC, "text": "x" * 2201}])
def test_a_sidecar_that_cannot_be_used_leaves_a_waiting_post_as_it_was_and_the_result_says_so(
    dropper: Dropper, said: bytes | object
) -> None:
    set_defaults(dropper.ports, dropper.account.workspace_id, dropper.account.account_id, PUBLIC)
    first = dropper.drop(dropper.key, FILM)
    dropper.drop(f"{dropper.key}.json", said)
    (post,) = dropper.posts
    assert (post.post_id, post.status) == (first, Status.SCHEDULED)
    told = dropper.result()
    assert (told["status"], "cannot be used" in told["note"]) == ("SCHEDULED", True)
    assert dropper.go().status is Status.PUBLISH_COMPLETE


@pytest.mark.parametrize("end", [Status.FAILED, Status.CANCELLED])
def test_a_file_put_again_after_its_post_failed_makes_another(dropper: Dropper, end: Status) -> None:
    dropper.put(f"{dropper.key}.json", PUBLIC)
    first = dropper.drop(dropper.key, FILM)
    dropper.post_id = first or ""
    dropper.change(status=end)
    assert dropper.event(dropper.key) == first
    second = dropper.drop(dropper.key, FILM + b"better")
    assert second not in (None, first)
    assert [post.post_id for post in dropper.posts if post.status is Status.QUEUED] == [second]


@pytest.mark.parametrize("order", list(permutations(("post.json", "1.jpg", "2.jpg"))))
def test_a_folder_becomes_a_carousel_when_all_its_files_are_there(ports: FakePorts, order: tuple[str, ...]) -> None:
    dropper = Dropper(ports)
    said: dict[str, object] = {**PUBLIC, "text": "Mornings", "files": ["2.jpg", "1.jpg"]}
    files = {"post.json": said, "1.jpg": picture(1), "2.jpg": picture(2)}
    for name in order[:2]:
        dropper.drop(f"{dropper.folder}/mornings/{name}", files[name])
    assert dropper.posts == []
    dropper.drop(f"{dropper.folder}/mornings/{order[2]}", files[order[2]])
    (post,) = dropper.posts
    assert [url.rpartition("/")[2].partition("?")[0] for url in post.media_urls] == ["2.jpg", "1.jpg"]
    assert dropper.go().status is Status.PUBLISH_COMPLETE
    assert dropper.result(f"{dropper.folder}/mornings/post.json")["post_type"] == "photo"


def test_a_folder_without_a_list_takes_what_is_there_by_name(dropper: Dropper) -> None:
    for name in ("2.jpg", "1.jpg"):
        dropper.drop(f"{dropper.folder}/mornings/{name}", picture(1))
    dropper.drop(f"{dropper.folder}/mornings/post.json", PUBLIC)
    dropper.drop(f"{dropper.folder}/mornings/3.jpg", picture(3))
    (post,) = dropper.living
    assert [url.rpartition("/")[2].partition("?")[0] for url in post.media_urls] == ["1.jpg", "2.jpg", "3.jpg"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"{", "InvalidRequest"),
        (b"\xff\xfe", "InvalidRequest"),
        (b"[]", "InvalidRequest"),
        ({**PUBLIC, "alowComment": True}, "InvalidRequest"),
        ({**PUBLIC, "text": "x" * 2201}, "TextTooLong"),
        ({**PUBLIC, "scheduledTime": "tomorrow"}, "InvalidRequest"),
        ({"privacyLevel": "EVERYBODY"}, "InvalidRequest"),
        (b" " * (SIDECAR_BYTES + 1), "InvalidRequest"),
    ],
)
def test_a_sidecar_that_cannot_be_used_makes_no_post_and_the_result_says_why(
    dropper: Dropper, said: bytes | object, code: str
) -> None:
    dropper.put(f"{dropper.key}.json", said)
    dropper.drop(dropper.key, FILM)
    assert dropper.posts == []
    told = dropper.result()
    assert (told["success"], told["code"], bool(told["error"]), bool(told["message"])) == (False, code, True, True)
    dropper.drop(f"{dropper.key}.json", PUBLIC)
    assert dropper.go().status is Status.PUBLISH_COMPLETE


@pytest.mark.parametrize("account_id", ["nobody", "6a1f7f0e-3d0e-4c58-9c55-0d5a2f6f9999"])
def test_a_file_for_an_unknown_account_makes_no_post_and_the_result_says_why(dropper: Dropper, account_id: str) -> None:
    dropper.drop(f"autopublish/{account_id}/film.mp4", FILM)
    assert dropper.result(f"autopublish/{account_id}/film.mp4")["code"] == "InvalidAccountId"


def test_the_end_is_told_beside_the_file_by_the_next_sweep(dropper: Dropper) -> None:
    dropper.put(f"{dropper.key}.json", PUBLIC)
    dropper.drop(dropper.key, FILM)
    assert dropper.result()["status"] == "QUEUED"
    dropper.go()
    sweep(dropper.ports, seconds_left=lambda: 100)
    told = dropper.result()
    assert (told["status"], told["postSubmissionId"], told["success"]) == ("PUBLISH_COMPLETE", dropper.post_id, True)


def test_a_failure_is_told_beside_the_file(dropper: Dropper) -> None:
    dropper.put(f"{dropper.key}.json", PUBLIC)
    dropper.drop(dropper.key, b"no film")
    (post,) = dropper.posts
    dropper.post_id = post.post_id
    dropper.run("RecordFailure")
    sweep(dropper.ports, seconds_left=lambda: 100)
    assert (dropper.result()["status"], dropper.result()["success"]) == ("FAILED", False)


CALLS = {
    "posts": ("accept", "save", "get"),
    "slots": ("get", "save"),
    "executions": ("start",),
    "drops": ("find", "read", "write"),
}


@pytest.mark.parametrize(("port", "call"), [(port, call) for port, calls in CALLS.items() for call in calls])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("error", [Killed, lambda: ServiceUnavailable("No answer.", "Try again.")])
def test_an_event_whose_worker_died_comes_again_and_makes_one_post(
    ports: FakePorts, port: str, call: str, late: bool, error: Any
) -> None:
    dropper = Dropper(ports)
    dropper.put(f"{dropper.key}.json", PUBLIC)
    dropper.put(dropper.key, FILM)
    faults = getattr(ports, port).faults
    (faults.after if late else faults.before)(call, error())
    try:
        dropper.event(dropper.key)
    except (Killed, ServiceUnavailable):
        dropper.event(dropper.key)
    assert len(dropper.posts) == 1
    sweep(ports, seconds_left=lambda: 100)
    ports.clock.sleep(61)
    sweep(ports, seconds_left=lambda: 100)
    assert len(ports.executions.started) >= 1
    assert dropper.result()["postSubmissionId"] == dropper.posts[0].post_id


def test_an_event_of_s3_may_hold_several_records_with_quoted_keys(dropper: Dropper) -> None:
    key = f"{dropper.folder}/rabbit film+ö.mp4"
    dropper.put(f"{key}.json", PUBLIC)
    dropper.put(key, FILM)
    quoted = f"{dropper.folder}/rabbit+film%2B%C3%B6.mp4"
    records = [
        {"eventName": "ObjectCreated:Put", "s3": {"object": {"key": name}}} for name in (quoted, f"{quoted}.json")
    ]
    answer = on_file_dropped({"Records": records}, dropper.ports, lambda: 25.0)
    (post,) = dropper.posts
    assert answer == {"posts": [post.post_id, post.post_id]}
    assert on_file_dropped({"Service": "Amazon S3", "Event": "s3:TestEvent"}, dropper.ports, lambda: 25.0) == {
        "posts": []
    }


def test_a_caller_cannot_name_an_object_of_the_bucket(dropper: Dropper) -> None:
    file = dropper.ports.drops.drop(dropper.key, FILM)
    body = {
        "post": {
            "accountId": dropper.account.account_id,
            "content": {"mediaUrls": [dropper.ports.drops.url(file)], "platform": "tiktok"},
            "tiktokOptions": PUBLIC,
        }
    }
    read, problems = read_create_post(body)
    with pytest.raises(InvalidPost) as refused:
        check_post(dropper.ports, dropper.account.workspace_id, read, problems, seconds_left=25)
    assert refused.value.failure().code == "InvalidMediaUrl"


def sweeping(dropper: Dropper) -> int:
    return sweep_drops(dropper.ports, seconds_left=lambda: 200.0).looked_after


def test_a_file_whose_event_was_lost_is_found_within_minutes(dropper: Dropper) -> None:
    dropper.put(f"{dropper.key}.json", PUBLIC)
    dropper.put(dropper.key, FILM)
    assert sweeping(dropper) == 0
    dropper.ports.clock.sleep(DROP_SWEEP_SECONDS)
    assert sweeping(dropper) == 1
    assert dropper.result()["status"] == "QUEUED"
    assert dropper.go().status is Status.PUBLISH_COMPLETE
    dropper.ports.clock.sleep(1)
    sweep(dropper.ports, seconds_left=lambda: 100)
    dropper.ports.clock.sleep(DROP_SWEEP_SECONDS)
    assert sweeping(dropper) == 0
    assert len(dropper.ports.tiktok.public_posts) == 1


def test_a_file_put_again_whose_event_was_lost_is_found_too(dropper: Dropper) -> None:
    dropper.put(f"{dropper.key}.json", PUBLIC)
    dropper.drop(dropper.key, FILM)
    dropper.go()
    dropper.ports.clock.sleep(1)
    sweep(dropper.ports, seconds_left=lambda: 100)
    dropper.ports.clock.sleep(1)
    dropper.put(dropper.key, FILM + b"better")
    dropper.ports.clock.sleep(DROP_SWEEP_SECONDS)
    assert sweeping(dropper) == 1
    assert "use another name" in dropper.result()["note"]


def test_one_file_that_fails_stops_no_other_and_is_found_again(dropper: Dropper) -> None:
    for name in ("1.mp4", "2.mp4"):
        dropper.put(f"{dropper.folder}/{name}.json", PUBLIC)
        dropper.put(f"{dropper.folder}/{name}", FILM)
    dropper.ports.clock.sleep(DROP_SWEEP_SECONDS)
    dropper.ports.tiktok.faults.before("creator", ServiceUnavailable("No answer.", "Try again."))
    assert list(sweep_drops(dropper.ports, seconds_left=lambda: 200.0).errors) == [f"{dropper.folder}/1.mp4"]
    assert [post.drop and post.drop.key for post in dropper.posts] == [f"{dropper.folder}/2.mp4"]
    dropper.ports.clock.sleep(DROP_SWEEP_SECONDS)
    sweeping(dropper)
    assert len(dropper.posts) == 2


def test_a_folder_that_waits_for_long_is_told_for_what(dropper: Dropper) -> None:
    folder = f"{dropper.folder}/mornings"
    dropper.drop(f"{folder}/post.json", {**PUBLIC, "files": ["1.jpg", "2.jpg"]})
    dropper.drop(f"{folder}/1.jpg", picture(1))
    dropper.ports.clock.sleep(DROP_SWEEP_SECONDS)
    sweeping(dropper)
    assert dropper.ports.drops.written == {}
    dropper.ports.clock.sleep(DROP_PATIENCE_SECONDS)
    sweeping(dropper)
    told = dropper.result(f"{folder}/post.json")
    assert (told["code"], "2.jpg" in told["error"]) == ("MediaRequired", True)
    dropper.drop(f"{folder}/2.jpg", picture(2))
    assert dropper.go().status is Status.PUBLISH_COMPLETE


def test_a_folder_cannot_name_files_elsewhere(dropper: Dropper) -> None:
    dropper.drop(f"{dropper.folder}/mornings/post.json", {**PUBLIC, "files": ["../rabbit.mp4"]})
    assert dropper.result(f"{dropper.folder}/mornings/post.json")["code"] == "InvalidRequest"
